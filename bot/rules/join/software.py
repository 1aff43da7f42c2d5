"""Joining: same version, same updates, same kind of storage driver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.inventory import SR
from bot.rules import updates, versions
from bot.rules.join.side import Row, Side, Sides
from bot.text import joined, plural, quoted

_MOST = 6
"""Names of updates in one sentence."""
_LINUX_PACK = "xs:linux"
_REINSTALL = "Bring the host to the pool's version and updates first: update it, or install it anew with that version."


def _brand(side: Side) -> str:
    return side.software("product_brand") or side.software("platform_name")


def product(sides: Sides) -> Row:
    same = (sides.own.software("platform_version"), _brand(sides.own)) == (
        sides.pool.software("platform_version"),
        _brand(sides.pool),
    )
    here, there = (f"{versions.product(s.host.software_version)}{_platform(s)}" for s in (sides.own, sides.pool))
    return Row(
        id="join.product",
        code="HOSTS_NOT_COMPATIBLE",
        title="both run the same product in the same version",
        subject=sides.own.host.id,
        against="" if same else f"{here} on the host, {there} in the pool",
        remedy=_REINSTALL,
    )


def _platform(side: Side) -> str:
    version = side.software("platform_version")
    return f" (platform {version})" if version else ""


def build(sides: Sides) -> Row:
    """Up to 6.x the exact build counts; since 7.0 the toolstack's version and its source's revision. Brand and platform
    version are compared again there; where they differ, :func:`product` has said so.
    """
    keys = ("xapi", "git_id") if sides.own.since(7, 0) else ("build_number", "git_id")
    differing = [key for key in keys if sides.own.software(key) != sides.pool.software(key)]
    if bool(sides.own.software(_LINUX_PACK)) != bool(sides.pool.software(_LINUX_PACK)):
        differing.append(_LINUX_PACK)
    told = [f"{key} {_value(sides.own, key)} on the host, {_value(sides.pool, key)} in the pool" for key in differing]
    return Row(
        id="join.build",
        code="HOSTS_NOT_HOMOGENEOUS",
        title="both run the same build",
        subject=sides.own.host.id,
        against="; ".join(told),
        remedy=_REINSTALL,
        forced=True,
    )


def _value(side: Side, key: str) -> str:
    return quoted(side.software(key)) if side.software(key) else "none"


def api(sides: Sides) -> Row | None:
    if not sides.own.since(7, 0):
        return None
    here, there = (
        f"{s.host.number('API_version_major')}.{s.host.number('API_version_minor')}" for s in (sides.own, sides.pool)
    )
    return Row(
        id="join.api",
        code="POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION",
        title="both speak the same version of XenAPI",
        subject=sides.own.host.id,
        against=f"{here} on the host, {there} in the pool" if here != there else "",
        remedy=_REINSTALL,
    )


def schema(sides: Sides) -> Row | None:
    if not sides.own.since(7, 0):
        return None
    here, there = sides.own.software("db_schema"), sides.pool.software("db_schema")
    return Row(
        id="join.schema",
        code="POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA",
        title="both have the same database schema",
        subject=sides.own.host.id,
        against=f"{here or 'none'} on the host, {there or 'none'} in the pool" if here != there else "",
        remedy=_REINSTALL,
    )


def same_updates(sides: Sides) -> Row:
    """Up to 7.0 every applied patch, from 7.1 on those that say that all hosts must have them."""
    if sides.own.since(7, 1):
        here, there = (updates.applied_updates(s.host, s.inventory) for s in (sides.own, sides.pool))
        call = f"xe update-apply host={sides.own.host.uuid} uuid=UPDATE"
    else:
        here, there = (updates.applied_patches(s.host) for s in (sides.own, sides.pool))
        call = f"xe patch-apply host-uuid={sides.own.host.uuid} uuid=PATCH"
    return Row(
        id="join.updates",
        code="HOSTS_NOT_HOMOGENEOUS",
        title="both have the same updates",
        subject=sides.own.host.id,
        against=_difference(here, there),
        remedy=f"{call} for each that the host lacks; what the pool lacks, apply to every host of it.",
    )


def _difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    lacks = sorted(there[uuid] for uuid in there.keys() - here.keys())
    extra = sorted(here[uuid] for uuid in here.keys() - there.keys())
    told = []
    if lacks:
        told.append(f"the host lacks {plural(len(lacks), 'update')}: {joined(lacks, limit=_MOST)}")
    if extra:
        told.append(f"the pool lacks {plural(len(extra), 'update')}: {joined(extra, limit=_MOST)}")
    return "; ".join(told)


def update_level(sides: Sides) -> Row | None:
    """Since the XenServer 8 stream hosts name the state of the repository that they were updated to; no call asks."""
    here, there = sides.own.host.text("last_update_hash"), sides.pool.host.text("last_update_hash")
    states = [side.host.text("latest_synced_updates_applied") for side in (sides.own, sides.pool)]
    if not here and not there and "no" not in states:
        return None
    told = ""
    if here != there:
        told = f"update level {_level(here)} on the host, {_level(there)} in the pool"
    elif states[0] != states[1]:
        told = f"the latest updates: {states[0] or 'unknown'} on the host, {states[1] or 'unknown'} in the pool"
    return Row(
        id="join.update-level",
        code="",
        title="both are at the same update level",
        subject=sides.own.host.id,
        against=told,
        remedy="Update the host to the pool's level before it joins, or right afterwards, the coordinator first.",
        advice=True,
    )


def _level(value: str) -> str:
    return f"{value[:8]}…" if value else "unknown"


def parts(sides: Sides) -> Row | None:
    """From 7.1 on builds are not compared when a host joins; XCP-ng's updates show only here."""
    if not sides.own.since(7, 0):
        return None
    differing = [key for key in updates.PARTS if sides.own.software(key) and sides.pool.software(key)]
    told = [
        f"{key} {quoted(sides.own.software(key))} on the host, {quoted(sides.pool.software(key))} in the pool"
        for key in differing
        if sides.own.software(key) != sides.pool.software(key)
    ]
    return Row(
        id="join.parts",
        code="",
        title="hypervisor, kernel and toolstack are of the same build",
        subject=sides.own.host.id,
        against="; ".join(told),
        remedy="Bring the host to the pool's update level.",
        advice=True,
    )


def drivers(sides: Sides) -> Row | None:
    """Each type of storage driver of the pool, with features of no lower version (24.37)."""
    if sides.own.toolstack() < (24, 37):
        return None
    here, there = sides.own.records("SM"), sides.pool.records("SM")
    told = _lacking(here.values(), there.values()) if here is not None and there is not None else []
    used = {sr.type for sr in sides.pool.inventory.all(SR)}
    hint = sorted({kind for kind, _ in told} & used)
    return Row(
        id="join.drivers",
        code="POOL_JOINING_SM_FEATURES_INCOMPATIBLE",
        title="the host has the pool's storage drivers",
        subject=sides.own.host.id,
        against="; ".join(text for _, text in told) + (f" – the pool uses {joined(hint)}" if hint else ""),
        unknown="the storage drivers could not be read" if here is None or there is None else "",
        remedy="Install the driver that the pool has on the host too, in the same version.",
    )


def _lacking(here: Iterable[Mapping[str, object]], there: Iterable[Mapping[str, object]]) -> list[tuple[str, str]]:
    """(type, what is missing of it) for every driver that the host has not, or in an older version."""
    own = {str(each.get("type")): _features(each) for each in here}
    found = []
    for each in there:
        kind = str(each.get("type"))
        if kind not in own:
            found.append((kind, f"it has no driver for {quoted(kind)}"))
            continue
        older = sorted(name for name, version in _features(each).items() if own[kind].get(name, -1) < version)
        if older:
            found.append((kind, f"its driver for {quoted(kind)} lacks {joined(older, limit=_MOST)}"))
    return sorted(found)


def _features(record: Mapping[str, object]) -> dict[str, int]:
    """Name → version."""
    given = record.get("features")
    return {str(name): int(version) for name, version in given.items()} if isinstance(given, Mapping) else {}
