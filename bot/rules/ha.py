"""High availability of a pool: who is protected, who is not agile, what the planner says of it, and what HA forbids.

The arithmetic is in :mod:`bot.rules.failover`; here it meets the inventory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.inventory import VM, Host, Inventory
from bot.rules import agility, failover, memory, placement
from bot.rules.check import Check
from bot.rules.failover import Gap, Layout
from bot.text import joined, plural, quoted

RESTART, BEST_EFFORT = "restart", "best-effort"
PRIORITIES = (RESTART, BEST_EFFORT, "")
_BOOT_FREE_OF = frozenset({"HOST_NOT_ENOUGH_FREE_MEMORY", "VM_INCOMPATIBLE_WITH_THIS_HOST"})
"""Checks that the planner does not make for a VM that is tied to some host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What would be different: hosts that leave the planning or come into it, a VM that arrives on a host, VMs that
    have moved to one by then, VMs that get protected or lose it.
    """

    disabled: frozenset[Host] = frozenset()
    enabled: frozenset[Host] = frozenset()
    moved: tuple[tuple[VM, Host], ...] = ()
    arriving: tuple[VM, Host] | None = None
    protected: frozenset[VM] = frozenset()


NOTHING = Change()


def is_protected(vm: VM) -> bool:
    """Would HA restart it for certain? Not while it is halted by its owner: a shutdown clears ha_always_run."""
    return vm.flag("ha_always_run") and vm.text("ha_restart_priority") == RESTART


def protected(inventory: Inventory) -> tuple[VM, ...]:
    return tuple(vm for vm in inventory.guests if is_protected(vm))


def meant(inventory: Inventory) -> tuple[VM, ...]:
    """Whom people want restarted, running or not."""
    return tuple(vm for vm in inventory.guests if vm.text("ha_restart_priority") == RESTART)


def reckoned(inventory: Inventory) -> tuple[VM, ...]:
    """Whom the planner reckons with: those that are protected; with HA off, those that would be."""
    if inventory.pool.ha_enabled:
        return protected(inventory)
    return tuple(vm for vm in meant(inventory) if vm.power_state == "Running")


def counts(host: Host) -> bool:
    """Does the planner reckon with this host?"""
    return host.enabled and host.live


@dataclass(frozen=True, slots=True)
class Situation:
    """The planner's view of a pool. `stuck` is a VM tied to a host that is not there, with no other place."""

    layout: Layout
    tied: tuple[VM, ...]
    stuck: VM | None = None


def situation(inventory: Inventory, change: Change = NOTHING, only: Iterable[VM] | None = None) -> Situation:
    """What the planner starts from. `only` replaces who is protected now."""
    vms = {*(protected(inventory) if only is None else only), *change.protected}
    counted = {host for host in inventory.hosts if counts(host) or (host in change.enabled and host.live)}
    hosts = sorted(counted - change.disabled, key=lambda host: host.uuid)
    free = {host.uuid: memory.free_for_ha(host, inventory) for host in hosts}
    homes = {vm: vm.resident_on for vm in vms}
    if change.arriving is not None:
        vm, target = change.arriving
        if target.uuid in free and vm.resident_on != target:
            free[target.uuid] -= memory.at_most(vm)
        if vm in homes:
            homes[vm] = target
    for vm, target in change.moved:
        if vm.resident_on is not None and vm.resident_on.uuid in free:
            free[vm.resident_on.uuid] += memory.at_most(vm)
        if target.uuid in free:
            free[target.uuid] -= memory.at_most(vm)
        if vm in homes:
            homes[vm] = target
    tied = tuple(sorted((vm for vm in vms if not agility.is_agile(vm, inventory)), key=lambda vm: vm.uuid))
    for vm in tied:
        home = homes[vm]
        if (home is None or home.uuid not in free) and not _pinned(vm, hosts, free, inventory):
            return Situation(Layout(free, {}, {}), tied, stuck=vm)
    flexible = sorted(vms - set(tied), key=lambda vm: vm.uuid)
    sizes = {vm.uuid: memory.at_most(vm) for vm in flexible}
    return Situation(
        Layout(free, sizes, {vm.uuid: home.uuid for vm in flexible if (home := homes[vm]) and home.uuid in free}), tied
    )


def _pinned(vm: VM, hosts: list[Host], free: dict[str, int], inventory: Inventory) -> bool:
    """A tied VM that does not run is counted on the first host that could run it."""
    for host in hosts:
        against = placement.against(vm, host, inventory)
        if all(check.code in _BOOT_FREE_OF or check.id == "host.version" for check in against):
            free[host.uuid] -= memory.at_most(vm)
            return free[host.uuid] >= 0
    return False


def why_no_plan(found: Situation, failures: int, inventory: Inventory) -> str:
    """Why there is no full plan for so many failures, in words; "" when there is one."""
    if found.stuck is not None:
        return f"{quoted(found.stuck.name)} is tied to a host that is not there"
    missing = failover.gap(found.layout, failures)
    if missing is not None:
        return _told(missing, failures, inventory)
    if found.tied:
        names = joined((vm.name for vm in found.tied), limit=4)
        return f"{names} {'is' if len(found.tied) == 1 else 'are'} protected but not agile"
    return ""


def _told(missing: Gap, failures: int, inventory: Inventory) -> str:
    names = joined((_name(inventory.by_uuid(VM, uuid)) for uuid in missing.vms), limit=4)
    if missing.rough:
        return f"reckoned roughly, {plural(failures, 'failure')} would leave too little memory for the biggest VMs"
    if not missing.hosts:
        return f"no host has the memory for {names}, even now"
    hosts = joined((_name(inventory.by_uuid(Host, uuid)) for uuid in missing.hosts), last="and then")
    verb = "fails" if len(missing.hosts) == 1 else "fail"
    return f"if {hosts} {verb}, no host has the memory for {names}"


def _name(entity: VM | Host | None) -> str:
    return entity.name if entity is not None else "?"


def most_failures(inventory: Inventory, change: Change = NOTHING, only: Iterable[VM] | None = None) -> int:
    """The largest number of failing hosts after which every protected VM could be restarted."""
    found = situation(inventory, change, only)
    if found.stuck is not None or found.tied:
        return 0
    return failover.most(found.layout, len(inventory.hosts))


def most_without(host: Host, inventory: Inventory) -> int:
    """The same once the host has left the pool."""
    found = situation(inventory, Change(disabled=frozenset({host})))
    if found.stuck is not None or found.tied:
        return 0
    return failover.most(found.layout, len(inventory.hosts) - 1)


@dataclass(frozen=True, slots=True)
class Restart:
    """What becomes of one VM when its host fails."""

    vm: VM
    host: Host | None
    reason: str = ""
    """Why it has no place, or "" when it has one."""


def if_fails(host: Host, inventory: Inventory) -> tuple[Restart, ...]:
    """What HA would do with the guests of a host that fails now: protected ones by the plan, the others by name.

    A protected VM that is not agile restarts only where its disks are; best-effort ones come last, if there is room.
    """
    here = host.resident_vms
    certain = [vm for vm in here if vm.text("ha_restart_priority") == RESTART]
    hosts = {each.uuid: each for each in inventory.hosts if counts(each) and each != host}
    free = {uuid: memory.free_for_ha(hosts[uuid], inventory) for uuid in sorted(hosts)}
    placed = failover.place(free, {vm.uuid: memory.at_most(vm) for vm in certain}, (vm.uuid for vm in certain))
    found = []
    for vm in here:
        if vm in certain:
            target = hosts.get(placed[vm.uuid] or "")
            found.append(_checked(Restart(vm, target, "" if target else "no host has the memory"), hosts, inventory))
        elif vm.text("ha_restart_priority") == BEST_EFFORT:
            found.append(Restart(vm, None, "best effort: started at the end if there is room"))
        else:
            found.append(Restart(vm, None, "not protected: it stays down"))
    return tuple(found)


def _checked(planned: Restart, hosts: dict[str, Host], inventory: Inventory) -> Restart:
    """The planner looks at memory alone; storage and networks decide whether the VM can really start there."""
    if planned.host is None or agility.is_agile(planned.vm, inventory):
        return planned
    halted = [host for host in hosts.values() if not _storage_against(planned.vm, host, inventory)]
    if planned.host in halted:
        return planned
    if halted:
        return Restart(planned.vm, halted[0])
    why = "; ".join(_storage_against(planned.vm, planned.host, inventory))
    return Restart(planned.vm, None, why)


def _storage_against(vm: VM, host: Host, inventory: Inventory) -> list[str]:
    return [
        check.against
        for check in placement.against(vm, host, inventory)
        if check.code in ("VM_REQUIRES_SR", "VM_REQUIRES_NETWORK", "HOST_CANNOT_ATTACH_NETWORK")
    ]


def guard(inventory: Inventory, change: Change = NOTHING, failures: int | None = None) -> Check | None:
    """The toolstack's guard: with HA on, and overcommitment not allowed, nothing may make a full plan impossible that
    exists now. None where there is nothing to guard. `failures` is a new number to tolerate.
    """
    pool = inventory.pool
    if not pool.ha_enabled or pool.flag("ha_allow_overcommit"):
        return None
    planned = pool.number("ha_plan_exists_for")
    if why_no_plan(situation(inventory), planned, inventory):
        return None
    wanted = planned if failures is None else failures
    reason = why_no_plan(situation(inventory, change), wanted, inventory)
    return Check(
        "ha.plan",
        "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN",
        not reason,
        f"HA can still tolerate {plural(wanted, 'host failure')}",
        f"afterwards, {reason}" if reason else "",
        "Free memory, protect fewer VMs, or lower the number of failures: “ha tolerate N”.",
    )


def arrival(vm: VM, host: Host, inventory: Inventory) -> Check | None:
    """The guard for a VM that starts, resumes or moves to a host."""
    if vm.text("ha_restart_priority") == RESTART and not vm.flag("ha_always_run"):
        return guard(inventory, Change(protected=frozenset({vm})))
    return guard(inventory, Change(arriving=(vm, host)))
