"""Puts on record what was refused, without letting anybody fill the record: who is refused again and again is counted.

The first refusals of an hour have a row each, the others are one row together, once the hour is over. What was done,
asked or decided is never counted away: it does not pass through here.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.model import Entry
from bot.ports import Clock, Store

log = logging.getLogger(__name__)

MOST_ROWS = 50
"""Rows of one kind and person in one hour."""
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class _Hour:
    begun: datetime
    latest: Entry
    rows: int = 0
    more: int = 0


class Witness:
    """Thread-safe. What it has only counted is lost if the process is killed within the hour; the log has it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._hours: dict[tuple[str, str], _Hour] = {}
        self._lock = threading.Lock()

    def refused(self, entry: Entry) -> None:
        """Record a refusal, or count it. :raises UserError: the store cannot be used."""
        now = self._clock.now()
        self._close((entry.kind, entry.actor.key), now)
        with self._lock:
            hour = self._hours.setdefault((entry.kind, entry.actor.key), _Hour(now, entry))
            hour.latest = entry
            counted = hour.rows >= MOST_ROWS
            if counted:
                hour.more += 1
            else:
                hour.rows += 1
        if counted:
            log.warning("%s: %s, counted only", entry.actor.key, entry.kind)
        else:
            self._store.record(entry)

    def tick(self) -> None:
        """Write down what was counted in hours that are over."""
        now = self._clock.now()
        with self._lock:
            keys = list(self._hours)
        for key in keys:
            self._close(key, now)

    def _close(self, key: tuple[str, str], now: datetime) -> None:
        with self._lock:
            hour = self._hours.get(key)
            if hour is None or now - hour.begun < HOUR:
                return
            del self._hours[key]
        if hour.more:
            body = {
                "times": hour.more,
                "reason": f"besides {MOST_ROWS} others in one hour",
                "since": f"{hour.begun:%H:%M}",
            }
            self._store.record(replace(hour.latest, body=body, request_id="", pool=""))
