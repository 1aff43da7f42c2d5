"""The table `pool_backups`: the copies of pools' databases that are kept as files. Every function runs inside the
caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlite_utils import Database

from bot.model import Entry
from bot.ports import PoolBackup
from bot.store.connection import Connections
from bot.store.encoding import moment, stamp


def create(db: Database) -> None:
    """The table, as its migration makes it. Like it, this is never edited."""
    db.table("pool_backups").create(
        {
            "file": str,
            "pool": str,
            "pool_uuid": str,
            "at": str,
            "size": int,
            "sha256": str,
            "hosts": int,
            "generation": int,
            "request_id": str,
        },
        pk="file",
        not_null=("pool", "pool_uuid", "at", "size", "sha256", "hosts", "generation", "request_id"),
        strict=db.supports_strict,
    ).create_index(["pool", "at"])


def add(db: Database, backup: PoolBackup) -> None:
    db.table("pool_backups").insert(
        {
            "file": backup.file,
            "pool": backup.pool,
            "pool_uuid": backup.pool_uuid,
            "at": stamp(backup.at),
            "size": backup.size,
            "sha256": backup.sha256,
            "hosts": backup.hosts,
            "generation": backup.generation,
            "request_id": backup.request_id,
        }
    )


def remove(db: Database, files: Iterable[str]) -> None:
    for file in files:
        db.table("pool_backups").delete_where("file = ?", [file])


def of(db: Database, pools: Iterable[str]) -> tuple[PoolBackup, ...]:
    """Newest first."""
    names = list(pools)
    where = f"pool IN ({', '.join('?' * len(names))})"
    return tuple(
        PoolBackup(
            pool=row["pool"],
            pool_uuid=row["pool_uuid"],
            at=moment(row["at"]),
            file=row["file"],
            size=row["size"],
            sha256=row["sha256"],
            hosts=row["hosts"],
            generation=row["generation"],
            request_id=row["request_id"],
        )
        for row in db.table("pool_backups").rows_where(where, names, order_by="at desc, file desc")
    )


class Backups:
    """:class:`bot.dumps.BackupBook` in the bot's database. Every method may raise Unavailable.

    :param recorded: makes a change together with its row of the ledger.
    """

    def __init__(self, connections: Connections, recorded: Callable[[Callable[[Database], None], Entry], None]) -> None:
        self._connections = connections
        self._recorded = recorded

    def backups(self, pools: Iterable[str]) -> tuple[PoolBackup, ...]:
        """Newest first."""
        with self._connections.read() as db:
            return of(db, pools)

    def backed_up(self, made: PoolBackup, gone: tuple[PoolBackup, ...], entry: Entry) -> None:
        """A copy was made, and others are not kept any more."""

        def change(db: Database) -> None:
            add(db, made)
            remove(db, (each.file for each in gone))

        self._recorded(change, entry)
