"""What joining asks of versions, processors, updates and drivers: "same version, same updates"."""

from __future__ import annotations

from sandbox.xapi.rules import Error
from sandbox.xapi.rules.cpu import words
from sandbox.xapi.rules.join_sides import Sides
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

_MASK = "cpuid_feature_mask"
_LINUX_PACK = "xs:linux"


def _brand(version: Row) -> str:
    return str(version.get("product_brand") or version.get("platform_name", ""))


def product(sides: Sides) -> Error | None:
    def of(row: Row) -> tuple[str, str]:
        version = row["software_version"]
        return version.get("platform_version", ""), _brand(version)

    return None if of(sides.host) == of(sides.coordinator) else ["HOSTS_NOT_COMPATIBLE"]


def _differing(sides: Sides, keys: tuple[str, ...]) -> bool:
    """In one of the keys, in the product's name, or in whether the Linux pack is there."""
    mine, theirs = sides.host["software_version"], sides.coordinator["software_version"]
    packs = (_LINUX_PACK in mine) != (_LINUX_PACK in theirs)
    return packs or _brand(mine) != _brand(theirs) or any(mine.get(key, "") != theirs.get(key, "") for key in keys)


def homogeneous_6(sides: Sides) -> Error | None:
    """Up to 6.5: the build counts, and every CPU feature that the pool's mask leaves."""
    if _differing(sides, ("platform_version", "build_number", "git_id")):
        return ["HOSTS_NOT_HOMOGENEOUS", "software version differs"]
    mask = sides.coordinator_pool["other_config"].get(_MASK, "")

    def processor(row: Row) -> tuple[str, list[int]]:
        info = row["cpu_info"]
        return info.get("vendor", ""), _masked(info.get("features", ""), mask)

    same = processor(sides.host) == processor(sides.coordinator)
    return None if same else ["HOSTS_NOT_HOMOGENEOUS", "CPUs differ"]


def _masked(features: str, mask: str) -> list[int]:
    found = words(features)
    try:
        kept = words(mask)
    except ValueError:
        return found
    if not kept:
        return found
    return [word & (kept[n] if n < len(kept) else 0xFFFFFFFF) for n, word in enumerate(found)]


def homogeneous(sides: Sides) -> Error | None:
    """Since 7.0: the toolstack's version, and of the processor the vendor only."""
    if _differing(sides, ("xapi", "git_id")):
        return ["HOSTS_NOT_HOMOGENEOUS", "Software version differs"]
    vendor = sides.coordinator_pool["cpu_info"].get("vendor", "")
    return None if sides.host["cpu_info"].get("vendor", "") == vendor else ["HOSTS_NOT_HOMOGENEOUS", "CPUs differ"]


def api_version(sides: Sides) -> Error | None:
    mine, theirs = (f"{r['API_version_major']}.{r['API_version_minor']}" for r in (sides.host, sides.coordinator))
    return None if mine == theirs else ["POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION", mine, theirs]


def db_schema(sides: Sides) -> Error | None:
    mine, theirs = (r["software_version"].get("db_schema", "") for r in (sides.host, sides.coordinator))
    return None if mine == theirs else ["POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", mine, theirs]


def applied_patches(db: Database, host: str) -> list[str]:
    """uuids of the pool_patches applied on the host, sorted."""
    rows = (row for row in db.rows("host_patch").values() if row["host"] == host and row["applied"])
    return sorted({db.value("pool_patch", row["pool_patch"], "uuid") for row in rows})


def patches(sides: Sides) -> Error | None:
    mine = applied_patches(sides.joiner, sides.host_ref)
    theirs = applied_patches(sides.pool, sides.coordinator_pool["master"])
    if mine == theirs:
        return None
    text = f"Patches applied differ: Remote has {','.join(theirs)} -- Local has {','.join(mine)}"
    return ["HOSTS_NOT_HOMOGENEOUS", text]


def updates(sides: Sides) -> Error | None:
    """Only those that must be the same everywhere; 7.1 did not know others."""

    def of(db: Database, host: Row) -> list[str]:
        rows = (db.get("pool_update", ref) for ref in host["updates"])
        return sorted(row["uuid"] for row in rows if row.get("enforce_homogeneity", True))

    mine, theirs = of(sides.joiner, sides.host), of(sides.pool, sides.coordinator)
    if mine == theirs:
        return None
    text = f"Updates on local host {sides.host['name_label']} and pool host {sides.coordinator['name_label']} differ"
    return ["HOSTS_NOT_HOMOGENEOUS", text]


def storage_drivers(sides: Sides) -> Error | None:
    """The joiner has each of the pool's SM types, with features that are not older."""
    mine = {row["type"]: (ref, row["features"]) for ref, row in sides.joiner.rows("SM").items()}
    for theirs, row in sides.pool.rows("SM").items():
        ref, features = mine.get(row["type"], ("", {}))
        if not ref or any(features.get(name, -1) < version for name, version in row["features"].items()):
            return ["POOL_JOINING_SM_FEATURES_INCOMPATIBLE", theirs, ref]
    return None
