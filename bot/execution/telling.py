"""How far a run is, on its card."""

from __future__ import annotations

from bot.model import Progress
from bot.ports import Store
from bot.run import Doing


class Teller:
    """Says on a request's card what is being done."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tell(self, doing: Doing, fraction: float, text: str) -> None:
        """`fraction`: how much of the step is done, 0 to 1."""
        request = doing.run.request
        steps = len(request.plan.steps)
        self._store.progress(request.id, Progress(step=doing.number, steps=steps, fraction=fraction, text=text))

    def tell_away(self, doing: Doing, fraction: float = 0.0) -> None:
        self.tell(doing, fraction, "the pool does not answer; waiting for it")
