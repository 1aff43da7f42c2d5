"""The locks as the engine knows them: who works on what, for how long. One transaction per method."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from bot.ports import Conflict
from bot.store import locks
from bot.store.connection import Connections


class Leases:
    """The locks of :class:`bot.ports.Store`, as a part of the store."""

    _connections: Connections

    def lock(
        self,
        request_id: str,
        keys: Iterable[str],
        owner: str,
        now: datetime,
        lease_seconds: float,
        *,
        passing: Collection[str] = (),
    ) -> tuple[Conflict, ...]:
        """A conflict with the request itself says that another owner works on it. A lease that has run out can be
        taken, but not that of a request that is running: it must be adopted first.
        """
        with self._connections.write() as db:
            return locks.take(db, request_id, keys, owner, now, lease_seconds, passing)

    def renew(self, request_id: str, owner: str, now: datetime, lease_seconds: float) -> bool:
        with self._connections.write() as db:
            return locks.renew(db, request_id, owner, now, lease_seconds)

    def unlock(self, request_id: str, owner: str | None = None) -> None:
        """With `owner`: only if the lease is still its."""
        with self._connections.write() as db:
            locks.release(db, request_id, owner)

    def adopt(self, request_id: str, owner: str, now: datetime, lease_seconds: float) -> bool:
        with self._connections.write() as db:
            return locks.adopt(db, request_id, owner, now, lease_seconds)
