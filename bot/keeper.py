"""Keeps the bot's memory in order: verifies the ledger once a day, and forgets what nobody needs any more."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from bot.ports import Clock
from bot.store.store import SqliteStore

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)
_LOOK_SECONDS = 600.0
"""How often it is looked whether a day has passed. The day is in the store: a restart does not begin it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long is kept what nobody needs for ever."""

    deliveries: timedelta
    """Which messages show a request, after its end."""
    audits: timedelta
    """Audits, and what they resolved."""
    samples: timedelta
    """Measurements of clocks."""


class Keeper:
    """Due work of every ten minutes, of which most finds nothing to do."""

    def __init__(self, store: SqliteStore, clock: Clock, kept: Retention) -> None:
        self._store = store
        self._clock = clock
        self._kept = kept
        self._next = 0.0

    def tick(self) -> None:
        """:raises UserError: the store cannot be used now; it is tried again in ten minutes."""
        if self._clock.monotonic() < self._next:
            return
        self._next = self._clock.monotonic() + _LOOK_SECONDS
        found = self._store.verify_due(EVERY)
        if found is None:
            return
        if found.flaw is not None:
            log.error("the ledger has been changed: %s", found.flaw.why)
        else:
            log.info("the ledger is whole: head %s", found.head)
        now = self._clock.now()
        gone = self._store.forget_deliveries(now - self._kept.deliveries)
        if gone:
            log.info("forgot %d messages of requests that ended long ago", gone)
        audits = self._store.audits.forget_audits(now - self._kept.audits, now - self._kept.samples)
        if audits:
            log.info("forgot %d audits", audits)
