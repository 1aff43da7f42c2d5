"""The pool's CPU level: what every host's processor has (xapi's source, August 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.registry import difference
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
    "HOST_CPU_FEATURES_* are never raised, and the body of POOL_CPU_FEATURES_* is our own sentence.",
    "A host's processor does not change here, and the real text was not seen.",
)


def _level_keys(db: Database, current: Row) -> tuple[str, ...]:
    """Those that the pool's record shows; a record without any gets its release's."""
    there = tuple(key for key in _KEYS if key in current)
    return there or (_KEYS[2:] if db.model.at_least("quebec") else _KEYS[:2])


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
    if not before or pool.model.at_least("1.250.0") or not pool.model.at_least("ely"):
        return
    keys = [key for key in _KEYS if before.get(key, "") != after.get(key, "") and before.get(key)]
    for direction, changed in (
        ("DOWN", any(not is_subset(before[key], after.get(key, "")) for key in keys)),
        ("UP", any(not is_subset(after.get(key, ""), before[key]) for key in keys)),
    ):
        if changed:
            verb = "lost" if direction == "DOWN" else "gained"
            body = f"The pool has {verb} CPU features."
            pool.post(f"POOL_CPU_FEATURES_{direction}", 5, "Pool", pool.record["uuid"], body)
