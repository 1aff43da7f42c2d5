"""Waiting, as a step of a plan: nothing is sent; what the step expects is looked at until it is so.

It can take minutes in which no pool answers (a coordinator reboots, a host joins), and a restart of the bot: the limit
counts from when the wait began.
"""

from __future__ import annotations

from bot.errors import UserError
from bot.model import Progress, Step
from bot.model.plan import USUAL_AWAY_SECONDS
from bot.ports import Clock, PoolHands, Store
from bot.run import Cancelled, Failed, LeaseLost, Run
from bot.text import duration

POLL_SECONDS = 1.0


class Waiter:
    """Waits for what steps expect, and says on the card for what."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def wait(
        self, run: Run, hands: PoolHands, *, number: int, step: Step, undo: bool = False, waited_before: float = 0.0
    ) -> None:
        """:raises Failed: it did not happen in time, or its pool was away for too long.
        :raises Cancelled: somebody cancelled it. :raises LeaseLost: another process has the request.
        """
        started, answered = self._clock.monotonic() - waited_before, self._clock.monotonic()
        while True:
            if run.lost.is_set():
                raise LeaseLost  # before a look: what a bot sees that is being stopped proves nothing
            if run.cancel.is_set() and not undo:
                raise Cancelled("it was cancelled while it waited")
            try:
                against, seen = _look(run, hands, step)
            except UserError as error:
                against, seen = error.message, []
                away = self._clock.monotonic() - answered
                if away > step.away_seconds:
                    raise Failed(f"no answer for {duration(away)}: {error.message}", error.remedy) from error
                normal = step.away_seconds > USUAL_AWAY_SECONDS
                told = f"{step.title} – {'away, which is normal now' if normal else 'no answer'}; waiting"
            else:
                answered = self._clock.monotonic()
                if not against:
                    run.evidence += seen
                    return
                told = f"{step.title} – {against}"
            if self._clock.monotonic() - started > step.limit_seconds:
                raise Failed(f"it did not happen within {duration(step.limit_seconds)}: {against}")
            self._tell(run, number, told)
            self._clock.sleep(POLL_SECONDS)

    def _tell(self, run: Run, number: int, text: str) -> None:
        progress = Progress(step=number, steps=len(run.request.plan.steps), text=text)
        self._store.progress(run.request.id, progress)


def _look(run: Run, hands: PoolHands, step: Step) -> tuple[str, list[str]]:
    """What is not so yet ("" when all is), and the evidence of what is."""
    seen = []
    for expect in step.expect:
        holds, evidence = hands.holds(expect, run.results)
        if not holds:
            return evidence, []
        seen.append(evidence)
    return "", seen
