"""The table `known_pools`: which pool stands behind each configured name, as it was found at the first contact, and its
hosts as they were seen last. Approvals are per pool: when another one answers under a name, somebody must say so.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlite_utils import Database

from bot.model import Entry
from bot.ports import KnownHost, KnownPool
from bot.store.connection import Connections
from bot.store.encoding import pack, unpack

_HOSTS = tuple[KnownHost, ...]


def create(db: Database) -> None:
    db.table("known_pools").create(
        {"name": str, "uuid": str, "label": str, "hosts": str, "coordinator": str, "ha_enabled": int},
        pk="name",
        not_null=("uuid", "label", "hosts", "coordinator", "ha_enabled"),
        strict=db.supports_strict,
    )


def get(db: Database, name: str) -> KnownPool | None:
    row = next(db.table("known_pools").rows_where("name = ?", [name]), None)
    if row is None:
        return None
    return KnownPool(
        name=name,
        uuid=row["uuid"],
        label=row["label"],
        hosts=unpack(_HOSTS, row["hosts"]),
        coordinator=row["coordinator"],
        ha_enabled=bool(row["ha_enabled"]),
    )


def put(db: Database, known: KnownPool) -> None:
    row = {
        "name": known.name,
        "uuid": known.uuid,
        "label": known.label,
        "hosts": pack(_HOSTS, known.hosts),
        "coordinator": known.coordinator,
        "ha_enabled": int(known.ha_enabled),
    }
    db.table("known_pools").upsert(row, pk="name")


class Memory:
    """:class:`bot.ports.PoolMemory` in the bot's database. Every method may raise Unavailable.

    :param recorded: makes a change together with its row of the ledger.
    """

    def __init__(self, connections: Connections, recorded: Callable[[Callable[[Database], None], Entry], None]) -> None:
        self._connections = connections
        self._recorded = recorded

    def accept(self, known: KnownPool, entry: Entry) -> None:
        """From now on this pool stands behind the name, whichever did before."""
        self._recorded(lambda db: put(db, known), entry)

    def known(self, name: str) -> KnownPool | None:
        with self._connections.read() as db:
            return get(db, name)

    def remember(self, found: KnownPool, *, certain: bool = False) -> KnownPool:
        with self._connections.write() as db:
            known = get(db, found.name)
            if known is None or known.uuid == found.uuid or certain:
                put(db, found)
                return found
            return known
