"""The pool's CPU level: what every host's processor has (xapi's source, August 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.registry import difference
from sandbox.xapi.rules import versions
from sandbox.xapi.rules.cpu import is_subset, level
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool

_KEYS = ("features_pv", "features_hvm", "features_pv_host", "features_hvm_host")

difference(
    "pool.cpu_info",
    "The level is the plain AND of the hosts' words.",
    "Xen itself combines a few bits otherwise (RSBA and the like); there is no Xen here.",
)
difference(
    "pool.cpu_info",
    "HOST_CPU_FEATURES_* are never raised.",
    "A host's processor does not change here.",
)


def _level_keys(db: Database, current: Row) -> tuple[str, ...]:
    """Those that the pool's record shows; a record without any gets its release's: from 8.1 on both pairs, and since
    xapi 23.16 what the hosts themselves offer alone."""
    there = tuple(key for key in _KEYS if key in current)
    return there or _KEYS[2 if db.model.at_least("23.16.0") else 0 : 4 if db.model.at_least("quebec") else 2]


def pool_cpu_info(db: Database, pool: Row) -> dict[str, str]:
    """`pool.cpu_info` as the hosts make it now."""
    infos = [info for info in (row["cpu_info"] for row in db.rows("host").values()) if info]
    coordinator = (db.find("host", pool["master"]) or {}).get("cpu_info", {})
    out = {"vendor": coordinator.get("vendor", "")}
    for key in ("socket_count", "cpu_count"):
        out[key] = str(sum(int(info.get(key, "0")) for info in infos))
    for key in _level_keys(db, pool["cpu_info"]):
        words = level([info.get(key, info.get(key.removesuffix("_host"), "")) for info in infos])
        if words:
            out[key] = words
    return out


def relevel(pool: Pool) -> None:
    """A host came, went or started: the pool's level follows. Releases before 7.0 have none."""
    if not pool.model.at_least("dundee"):
        return
    before, after = pool.record["cpu_info"], pool_cpu_info(pool.db, pool.record)
    pool.db.write("pool", pool.ref, cpu_info=after)
    _tell(pool, before.get("features_hvm", ""), after.get("features_hvm", ""))


def _tell(pool: Pool, before: str, after: str) -> None:
    """One message of a changed level, until xapi 23.15; since 8.0 (xapi 1.158) only of one that has fallen. Of what
    VMs with hardware virtualisation see, in pools of several hosts that are not being upgraded."""
    lost, gained = not is_subset(before, after), not is_subset(after, before)
    falls_only = pool.model.at_least("naples")
    if not before or not (lost or (gained and not falls_only)) or pool.model.at_least("23.16.0"):
        return
    if len(pool.db.rows("host")) < 2 or versions.upgrading(pool.db):
        return
    body = "The pool-level CPU features have changed."
    body += " Some features have gone away." if lost else ""
    body += " Some features were added." if gained and not falls_only else ""
    pool.post(f"POOL_CPU_FEATURES_{'DOWN' if lost else 'UP'}", 5, "Pool", pool.record["uuid"], body)
