"""Says the ledger's head where people keep it, once a day."""

from __future__ import annotations

from bot.model import Place
from bot.ports import Clock
from bot.store.store import SqliteStore


class Herald:
    """Wants the head posted in `place`; that it was is in the store, so that neither a restart nor a second process
    says it twice.
    """

    def __init__(self, store: SqliteStore, clock: Clock, place: Place) -> None:
        self._store = store
        self._clock = clock
        self._place = place
        self._said = ""

    def tick(self) -> None:
        """:raises UserError: the store cannot be used now; the next tick tries again."""
        now = self._clock.now()
        today = f"{now:%Y-%m-%d}"
        if self._place.channel and today != self._said:
            self._store.announce_head(self._place, now)
            self._said = today
