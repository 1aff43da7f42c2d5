"""Puts on record what was refused, without letting anybody fill the record: who is refused again and again is counted.

The first refusals of an hour have a row each, the others are one row together, once the hour is over. What was done,
asked or decided is never counted away: it does not pass through here.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from bot.model import Entry
from bot.ports import Clock, Store

log = logging.getLogger(__name__)

MOST_ROWS = 50
"""Rows of one kind and person in one hour."""
HOUR = timedelta(hours=1)


class Witness:
    """Thread-safe. What is counted is in the store, so that it outlives the process. Between two ticks it is written
    there once: who sends a flood of what is refused does not keep the store busy with it.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._more: dict[tuple[str, str], tuple[Entry, int]] = {}
        """By kind and person: the latest refusal, and how many were counted since the last tick and are not stored."""

    def refused(self, entry: Entry) -> None:
        """Record a refusal, or count it. :raises UserError: the store cannot be used."""
        key = (entry.kind, entry.actor.key)
        with self._lock:
            counted = key in self._more
            if counted:
                self._more[key] = (entry, self._more[key][1] + 1)
        if not counted and not self._store.refused(entry, self._clock.now(), most=MOST_ROWS, within=HOUR):
            counted = True
            with self._lock:
                self._more.setdefault(key, (entry, 0))
        if counted:
            log.warning("%s: %s, counted only", entry.actor.key, entry.kind)

    def tick(self) -> None:
        """Write down what was counted. :raises UserError: the store cannot be used; it is kept for the next tick."""
        with self._lock:
            more, self._more = self._more, {}
        try:
            self._store.count_refusals([each for each in more.values() if each[1]], self._clock.now(), HOUR)
        except BaseException:
            with self._lock:
                for key, (entry, times) in more.items():
                    self._more[key] = (entry, times + self._more.get(key, (entry, 0))[1])
            raise
