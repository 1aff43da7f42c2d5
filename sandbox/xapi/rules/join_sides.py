"""The two databases that a joining is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.xapi.model import Model
    from sandbox.xapi.store import Database
    from sandbox.xapi.values import Row


@dataclass(frozen=True)
class Sides:
    """`joiner` is the database of the host that wants to join, `pool` that of the pool that it was sent to."""

    joiner: Database
    pool: Database

    @property
    def model(self) -> Model:
        """The joiner's: the checks are made there."""
        return self.joiner.model

    @property
    def joiner_pool(self) -> Row:
        return self.joiner.get("pool", self.joiner.sole("pool"))

    @property
    def coordinator_pool(self) -> Row:
        return self.pool.get("pool", self.pool.sole("pool"))

    @staticmethod
    def coordinator_of(db: Database) -> tuple[str, Row]:
        """Reference and record of the pool's coordinator."""
        ref = str(db.get("pool", db.sole("pool"))["master"])
        return ref, db.get("host", ref)

    @property
    def host_ref(self) -> str:
        return self.coordinator_of(self.joiner)[0]

    @property
    def host(self) -> Row:
        """The joining host's record."""
        return self.coordinator_of(self.joiner)[1]

    @property
    def coordinator(self) -> Row:
        """The record of the coordinator of the pool that is joined."""
        return self.coordinator_of(self.pool)[1]

    def management_pif(self, db: Database) -> Row | None:
        """The PIF that carries the management address of that side's coordinator."""
        ref, _ = self.coordinator_of(db)
        mine = (pif for pif in db.rows("PIF").values() if pif["host"] == ref)
        return next((pif for pif in mine if pif["management"]), None)


def is_tools_sr(sr: Row) -> bool:
    """The SR of the guest tools, which each pool has for itself; releases before 7.0 say it in other_config."""
    keys = ("xenserver_tools_sr", "xensource_internal")
    return bool(sr.get("is_tools_sr")) or any(sr["other_config"].get(key) == "true" for key in keys)
