"""How far a run is, on its card."""

from __future__ import annotations

from bot.model import Progress
from bot.ports import Store
from bot.run import Doing, Run


class Teller:
    """Says on a request's card what is being done."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tell(self, doing: Doing, fraction: float, text: str) -> None:
        """`fraction`: how much of the step is done, 0 to 1. Of steps that are done together it says how many are."""
        run = doing.run
        run.fractions[doing.number] = fraction
        if doing.undo or len(run.stage) < 2:
            self._say(run, doing.number, fraction, text)
        else:
            self._say_of_stage(run, text)

    def tell_done(self, doing: Doing) -> None:
        """One of several that are done together has ended well."""
        if not doing.undo and len(doing.run.stage) > 1:
            self._say_of_stage(doing.run, doing.step.title)

    def _say_of_stage(self, run: Run, text: str) -> None:
        done = run.done.intersection(run.stage)
        whole = run.stage[0] + sum(1.0 if each in done else run.fractions.get(each, 0.0) for each in run.stage)
        self._say(run, int(whole), whole - int(whole), f"{len(done)} of {len(run.stage)} done, last: {text}")

    def _say(self, run: Run, step: int, fraction: float, text: str) -> None:
        progress = Progress(step=step, steps=len(run.request.plan.steps), fraction=fraction, text=text)
        self._store.progress(run.request.id, progress)

    def tell_away(self, doing: Doing, fraction: float = 0.0) -> None:
        self.tell(doing, fraction, "the pool does not answer; waiting for it")
