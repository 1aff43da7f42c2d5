"""Puts on record what was refused, without letting anybody fill the record: who is refused again and again is counted.

The first refusals of an hour have a row each, the others are one row together, once the hour is over. What was done,
asked or decided is never counted away: it does not pass through here.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.model import Entry
from bot.ports import Clock, Store

log = logging.getLogger(__name__)

MOST_ROWS = 50
"""Rows of one kind and person in one hour."""
HOUR = timedelta(hours=1)


class Witness:
    """Thread-safe. What is counted is in the store, so that it outlives the process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def refused(self, entry: Entry) -> None:
        """Record a refusal, or count it. :raises UserError: the store cannot be used."""
        if not self._store.refused(entry, self._clock.now(), most=MOST_ROWS, within=HOUR):
            log.warning("%s: %s, counted only", entry.actor.key, entry.kind)

    def tick(self) -> None:
        """Write down what was counted in hours that are over."""
        self._store.count_refusals(self._clock.now(), HOUR)
