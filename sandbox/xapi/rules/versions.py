"""Which of two hosts is older, and what a rolling upgrade forbids (xapi's Helpers.Checks, August 2026, and the same
places of 6.5 to 24.19).
"""

from __future__ import annotations

from sandbox.xapi.failure import Failure
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

_FLAG = "rolling_upgrade_in_progress"
"""Key of pool.other_config that the coordinator sets while its hosts have different versions."""


def _numbers(text: str) -> list[int]:
    """`4.17.5-13` as 4, 17, 5, 13; what is no number does not count."""
    return [int(part) for piece in text.split("-")[:2] for part in piece.split(".") if part.isdecimal()]


def older(db: Database, target: Row, source: Row) -> bool:
    """Does a VM not go from `source` to `target`, since that is older? Since xapi 25.33 the builds of toolstack and
    hypervisor count, too.
    """
    keys = ["platform_version", *(["xapi_build", "xen"] if db.model.at_least("25.33.0") else [])]
    there, here = target["software_version"], source["software_version"]
    return any(_numbers(there.get(key, "0.0.0")) < _numbers(here.get(key, "0.0.0")) for key in keys)


def mixed(db: Database) -> bool:
    """Have the hosts different versions?"""
    hosts = [host["software_version"] for host in db.rows("host").values()]
    return len({str([_numbers(host.get(key, "")) for key in _upgrade_keys(db)]) for host in hosts}) > 1


def upgrading(db: Database) -> bool:
    """As xapi, which sets the flag whenever its hosts differ."""
    return _FLAG in next(iter(db.rows("pool").values()))["other_config"] or mixed(db)


def _upgrade_keys(db: Database) -> list[str]:
    return ["platform_version", "xapi"] if db.model.at_least("25.33.0") else ["platform_version"]


def require_newest(db: Database, host: str) -> None:
    """In a rolling upgrade VMs begin only on hosts that have it behind them. Raises Failure."""
    mine, keys = db.get("host", host)["software_version"], _upgrade_keys(db)
    every = [row["software_version"] for row in db.rows("host").values()]
    behind = any(_numbers(mine.get(key, "")) < _numbers(each.get(key, "")) for each in every for key in keys)
    if behind and upgrading(db):
        raise Failure("NOT_SUPPORTED_DURING_UPGRADE")


def require_not_older(db: Database, target: str, source: str) -> None:
    """In a rolling upgrade VMs move forward only. Raises Failure."""
    if upgrading(db) and older(db, db.get("host", target), db.get("host", source)):
        raise Failure("NOT_SUPPORTED_DURING_UPGRADE")
