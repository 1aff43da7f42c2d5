"""The store as the engine knows it, put together of its parts, each of which has the transactions of one thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from bot.ports import Clock, PoolBackup
from bot.store import figures, known_pools, lineage, pool_backups, sightings
from bot.store.audits import Memory
from bot.store.chain import Seal
from bot.store.connection import BUSY_SECONDS, Connections
from bot.store.deliveries import Deliveries
from bot.store.effects import Effects
from bot.store.leases import Leases
from bot.store.ledger import Ledger
from bot.store.lives import Lives
from bot.store.mark import Mark
from bot.store.migrations import migrate
from bot.store.record import Record
from bot.store.schedules import Schedules


class SqliteStore(Lives, Effects, Record, Deliveries, Leases):
    """:class:`bot.ports.Store` in the SQLite file at `path`, which is made when it does not exist.

    Safe to use from many threads and several processes. `ledger_key` (16 bytes or more) seals the ledger; None chains
    it without a key. Every method may raise Unavailable (the disk is full, the file is damaged, another process holds
    it …): then nothing was written.

    A file that is a copy (:mod:`bot.store.lineage`) is not carried on: its unfinished requests are closed when it is
    opened, and `restored` says so. `restored=` gives the reason when it is known.

    :raises Unavailable: the file cannot be used, belongs to a newer version, or its ledger needs another key.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        ledger_key: bytes | None = None,
        former_keys: Sequence[bytes] = (),
        busy_seconds: float = BUSY_SECONDS,
        restored: str = "",
    ) -> None:
        self._clock = clock
        self._ledger = Ledger(Seal(ledger_key, former_keys))
        self._connections = Connections(path, busy_seconds=busy_seconds)
        self._mark: Mark | None = None
        self.audits = Memory(self._connections, clock)
        self.schedules = Schedules(self._connections, self._ledger.append, self._recording)
        self.pools = known_pools.Memory(self._connections, self._recorded)
        self.copies = pool_backups.Backups(self._connections, self._recorded)
        try:
            migrate(self._connections)
            self._mark = Mark(self._connections.path)
            with self._connections.write() as db:
                self._ledger.begin(db, clock.now())
                self.restored = lineage.begin(db, self._ledger, self._mark, clock.now(), restored=restored)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._connections.close()
        if self._mark is not None:
            self._mark.close()

    def first_sight(self, key: str, at: datetime) -> bool:
        """Keys are remembered for a day."""
        with self._connections.write() as db:
            return sightings.first(db, key, at)

    def backups(self, pools: Iterable[str]) -> tuple[PoolBackup, ...]:
        return self.copies.backups(pools)

    def figures(self) -> figures.Figures:
        """How much there is of everything."""
        with self._connections.read() as db:
            return figures.read(db, self._clock.now())
