"""The outbox as the engine knows it: what Slack has not shown yet. One transaction per method."""

from __future__ import annotations

from datetime import datetime

from bot.ports import Clock, Delivery
from bot.store import ledger, outbox
from bot.store.connection import Connections


class Deliveries:
    """:class:`bot.ports.Outbox`, as a part of the store."""

    _connections: Connections
    _clock: Clock

    def claim(self, now: datetime, lease_seconds: float) -> Delivery | None:
        with self._connections.write() as db:
            return outbox.claim(db, now, lease_seconds, str(ledger.head(db)))

    def posting(self, delivery: Delivery) -> None:
        """:raises Unavailable: another worker has taken the delivery over; it must not be posted."""
        with self._connections.write() as db:
            outbox.posting(db, delivery)

    def delivered(self, delivery: Delivery, ts: str) -> None:
        with self._connections.write() as db:
            outbox.delivered(db, delivery, ts, self._clock.now())

    def postpone(self, delivery: Delivery, *, until: datetime, error: str, in_doubt: bool) -> None:
        """Without an `error` it counts as no attempt."""
        with self._connections.write() as db:
            outbox.postpone(db, delivery, until, error, in_doubt)

    def give_up(self, delivery: Delivery, *, error: str) -> None:
        with self._connections.write() as db:
            outbox.give_up(db, delivery, error)

    def next_due(self) -> datetime | None:
        with self._connections.read() as db:
            return outbox.next_due(db)

    def forget_deliveries(self, before: datetime) -> int:
        """Forget which messages belong to requests that ended before then; how many. Cards of open ones stay."""
        with self._connections.write() as db:
            return outbox.forget(db, before)
