"""The HA planner: could the protected VMs be restarted if n hosts failed, one after the other, in any order?

Source: xapi (August 2026), held against the plans, maxima and refusals of xapi 26.9.0 as recorded.
Hosts count when they are enabled and live; memory counts at static_max.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.xapi.failure import Failure
from sandbox.xapi.rules import memory
from sandbox.xapi.rules.placement import agility_error, boot_error, is_live
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

ALL, NOT_THE_RIGID, NONE = "all protected VMs", "all but those tied to a host", "no plan"
_EXACT_HOSTS, _EXACT_CASES = 32, 3500


@dataclass(frozen=True)
class Change:
    """What would be different: hosts that get disabled, a VM that arrives on a host, VMs that get protected."""

    disabled: frozenset[str] = frozenset()
    arriving: tuple[str, str] | None = None
    protected: tuple[str, ...] = ()


NO_CHANGE = Change()


@dataclass
class _Config:
    free: dict[str, int]
    sizes: dict[str, int]
    placement: dict[str, str] = field(default_factory=dict)


def is_protected(vm: Row) -> bool:
    return bool(vm["ha_always_run"]) and vm["ha_restart_priority"] == "restart"


def protected_vms(db: Database) -> list[str]:
    return [ref for ref, vm in db.rows("VM").items() if is_protected(vm)]


def plan(db: Database, failures: int, change: Change = NO_CHANGE, protected: Iterable[str] | None = None) -> str:
    """ALL, NOT_THE_RIGID or NONE. `protected` overrides who is protected now."""
    if failures < 0:
        return NONE
    vms = {*(protected_vms(db) if protected is None else protected), *change.protected}
    hosts = sorted((h for h in db.rows("host") if _counts(db, h, change)), key=lambda h: db.value("host", h, "uuid"))
    config = _Config({h: memory.free(db, h, static=True) for h in hosts}, {})
    homes = {vm: db.value("VM", vm, "resident_on") for vm in vms}
    if change.arriving:
        vm, host = change.arriving
        if host in config.free and db.value("VM", vm, "resident_on") != host:
            config.free[host] -= memory.at_static_max(db.get("VM", vm))
        if vm in homes:
            homes[vm] = host
    rigid = [vm for vm in sorted(vms, key=lambda v: db.value("VM", v, "uuid")) if is_rigid(db, vm)]
    for vm in rigid:
        if homes[vm] not in config.free and not _pin(db, vm, config):
            return NONE
    config.sizes = {vm: memory.at_static_max(db.get("VM", vm)) for vm in vms if vm not in rigid}
    config.placement = {vm: homes[vm] for vm in config.sizes if homes[vm] in config.free}
    offline = [vm for vm in config.sizes if vm not in config.placement]
    placed = _place(config, offline)
    if any(host is None for host in placed.values()):
        return NONE
    if not _always_possible(config, failures):
        return NONE
    return NOT_THE_RIGID if rigid else ALL


def _counts(db: Database, host: str, change: Change) -> bool:
    return db.value("host", host, "enabled") and host not in change.disabled and is_live(db, host)


def is_rigid(db: Database, vm: str) -> bool:
    """Not agile: it could not run on every enabled host."""
    try:
        return agility_error(db, vm) is not None
    except Failure:
        return True


def _pin(db: Database, vm: str, config: _Config) -> bool:
    """A VM that is tied to a host and not running is counted on the first that could run it."""
    for host in config.free:
        if boot_error(db, vm, host, cpu_check=False, memory_check=False) is None:
            config.free[host] -= memory.at_static_max(db.get("VM", vm))
            return config.free[host] >= 0
    return False


def _place(config: _Config, vms: Iterable[str]) -> dict[str, str | None]:
    """Biggest first, each onto the host with most free memory. Changes `config`."""
    out: dict[str, str | None] = {}
    for vm in sorted(vms, key=lambda v: config.sizes[v], reverse=True):
        best = max(config.free, key=lambda h: config.free[h], default=None)
        if best is None or config.free[best] < config.sizes[vm]:
            out[vm] = None
            continue
        config.free[best] -= config.sizes[vm]
        config.placement[vm] = best
        out[vm] = best
    return out


def _always_possible(config: _Config, failures: int) -> bool:
    hosts = len(config.free)
    if failures == 0:
        return True
    cases = math.perm(hosts, min(failures, hosts))
    if hosts <= _EXACT_HOSTS and cases < _EXACT_CASES:
        return _survives(config, failures)
    return _survives_roughly(config, failures)


def _survives(config: _Config, failures: int) -> bool:
    if failures == 0 or not config.free:
        return failures == 0 or not config.sizes
    for host in config.free:
        rest = _Config(
            {h: m for h, m in config.free.items() if h != host},
            config.sizes,
            {vm: h for vm, h in config.placement.items() if h != host},
        )
        lost = [vm for vm, h in config.placement.items() if h == host]
        if any(target is None for target in _place(rest, lost).values()) or not _survives(rest, failures - 1):
            return False
    return True


def _survives_roughly(config: _Config, failures: int) -> bool:
    """Pessimistic: every VM as big as the biggest, and the fullest hosts fail."""
    if not config.sizes:
        return True
    if failures >= len(config.free):
        return False
    biggest = max(config.sizes.values())
    load = {h: sum(1 for home in config.placement.values() if home == h) for h in config.free}
    room = {h: max(0, m) // biggest for h, m in config.free.items()}
    lost = sum(sorted(load.values(), reverse=True)[:failures])
    left = sum(sorted(room.values())[: len(room) - failures])
    return lost <= left


def most_failures(db: Database, protected: Iterable[str] | None = None) -> int:
    """The largest number of failures that a full plan exists for."""
    chosen = None if protected is None else list(protected)
    low, high = 0, len(db.rows("host"))
    while low < high:
        middle = (low + high + 1) // 2
        if plan(db, middle, protected=chosen) == ALL:
            low = middle
        else:
            high = middle - 1
    return low


def where_to(db: Database, failed_hosts: list[str], failed_vms: list[str]) -> dict[str, str | None]:
    """By memory alone, where each VM would be restarted."""
    hosts = [h for h in db.rows("host") if h not in failed_hosts and _counts(db, h, NO_CHANGE)]
    hosts.sort(key=lambda h: str(db.value("host", h, "uuid")))
    config = _Config({h: memory.free(db, h, static=True) for h in hosts}, {})
    config.sizes = {vm: memory.at_static_max(db.get("VM", vm)) for vm in failed_vms}
    return _place(config, failed_vms)
