"""`vm disk move DISK to SR`: a VM's disk goes to other storage, while the VM runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import SR, VBD, VDI, VM, Host, Inventory
from bot.lookup import place_of, spelling
from bot.model import Finding, Object, Plan, PoolTarget, Risk, Step, Trace, Value
from bot.ports import Context
from bot.registry import command
from bot.rules import drivers, motion, placement
from bot.rules.check import Check, idle
from bot.rules.drivers import Drivers
from bot.rules.motion import Journey
from bot.text import joined, quoted

_OF_GUESTS = frozenset({"user", "system", "ephemeral"})
"""The types of disks that hold a guest's data; others belong to the toolstack."""


@dataclass(frozen=True)
class Arguments:
    disk: VDI
    sr: SR


@command(
    "vm disk move DISK to SR",
    risk=Risk.DISRUPTIVE,
    summary="Move a VM's disk to other storage, without stopping the VM.",
    details=(
        "The disk by its name, by its place in the VM (“web-1/0”), or by its uuid.",
        "The disk has another uuid afterwards; its place, its name and its snapshots stay.",
    ),
    examples=("vm disk move web-1/0 to iSCSI storage", "vm disk move build-1 disk 0 to NFS storage in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    disk, sr, inventory = arguments.disk, arguments.sr, context.pool.inventory()
    old = disk.sr
    if any(vbd.is_cd for vbd in disk.vbds) or (old is not None and old.content_type == "iso"):
        raise Refused(f"{quoted(disk.name)} is a CD, not a disk. Nothing was changed.")
    if old == sr:
        raise Refused(f"{quoted(disk.name)} is on {quoted(sr.name)} already. Nothing was changed.")
    pool, able = planning.pool_id(context, inventory), planning.able(context.pool)
    vm = _user(disk)
    host, findings = _found(disk, sr, vm, able, context, inventory)
    journey = Journey(vm, host, {disk: sr}, inventory) if vm is not None and host is not None else None
    where = "nowhere known" if old is None else old.name
    return Plan(
        command="vm disk move",
        arguments=(("disk", disk.uuid), ("sr", sr.uuid)),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"move {quoted(disk.name)}{f' of {quoted(vm.name)}' if vm else ''} to {quoted(sr.name)}",
        findings=findings,
        steps=(
            Step(
                title=f"Move {quoted(disk.name)} from {quoted(where)} to {quoted(sr.name)}",
                target=PoolTarget(pool.uuid),
                call="VDI.pool_migrate",
                arguments=(Object(disk.id), Object(sr.id), Value({})),
                trace=Trace(object=vm.id, operation="migrate_send") if vm else None,
                expect=tuple(planning.lies_on(vbd, sr) for vbd in _drives(disk)),
                limit_seconds=planning.COPY_SECONDS,
            ),
        ),
        touches=(vm.id if vm else disk.id,),
        facts=(
            (f"{quoted(disk.name)} is on", where),
            *(((f"{quoted(vm.name)} is", _state(vm)),) if vm else ()),
        ),
        impact=tuple(motion.impact(journey)) if journey else (),
        go_back=planning.line(f"vm disk move {place_of(disk, vm, inventory)} to {spelling(old, inventory)}", context)
        if vm and old
        else "",
    )


def _drives(disk: VDI) -> tuple[VBD, ...]:
    return tuple(sorted(disk.vbds, key=lambda vbd: vbd.uuid))


def _user(disk: VDI) -> VM | None:
    """The one guest that has the disk."""
    users = {vbd.vm for vbd in disk.vbds}
    vm = users.pop() if len(users) == 1 else None
    return vm if vm is not None and vm.is_guest else None


def _state(vm: VM) -> str:
    host = vm.resident_on
    return f"{vm.power_state.lower()} on {host.name}" if host else vm.power_state.lower()


def _found(
    disk: VDI, sr: SR, vm: VM | None, able: Drivers, context: Context, inventory: Inventory
) -> tuple[Host | None, tuple[Finding, ...]]:
    """The host that would do it, and everything that speaks for or against it, in the toolstack's order."""
    found = planning.findings((motion.since(inventory), _used(disk)), disk.id)
    if vm is None:
        return None, (*found, *planning.findings(_of_a_guest(disk), disk.id))
    found += (*planning.about(vm, "migrate_send", context.pool, inventory), *planning.home_answers(vm))
    found += planning.findings((*_itself(disk, able), *_of_a_guest(disk)), disk.id)
    host, reach = _host(vm, disk, sr, inventory)
    found += planning.findings((reach,), sr.id)
    if host is not None:
        checks = motion.checks(Journey(vm, host, {disk: sr}, inventory), able)
        found += planning.findings((check for check in checks if reach.ok or check.id != "sr.plugged"), sr.id)
    return host, found


def _used(disk: VDI) -> Check:
    users = sorted({vbd.vm.name for vbd in disk.vbds if vbd.vm is not None})
    odd = joined(vbd.vm.name for vbd in disk.vbds if vbd.vm is not None and not vbd.vm.is_guest)
    evidence = "no VM has it" if not users else f"its users are {joined(users)}" if len(users) > 1 else ""
    return Check(
        "disk.vm",
        "" if users else "VDI_NEEDS_VM_FOR_MIGRATE",
        _user(disk) is not None,
        "one VM has the disk",
        evidence or (f"{odd} is no virtual machine of its own" if odd else ""),
        f"Copy it, and use the copy instead: xe vdi-copy uuid={disk.uuid} sr-uuid=…"
        if not users
        else "Detach it from all others first: the toolstack would move it under one of them only.",
    )


def _of_a_guest(disk: VDI) -> Iterator[Check]:
    ok = disk.type in _OF_GUESTS
    yield Check(
        "disk.type",
        "VDI_INCOMPATIBLE_TYPE" if disk.type == "cbt_metadata" else "",
        ok,
        "it holds a guest's data",
        "" if ok else f"it is of the type {disk.type.replace('_', ' ')}, which the toolstack keeps for itself",
        "A heartbeat moves with “ha disable” and “ha enable on SR”." if disk.type == "ha_statefile" else "",
    )


def _itself(disk: VDI, able: Drivers) -> Iterator[Check]:
    under_way = [name for name in disk.under_way if name != "copy"]
    under_way += [name for vbd in disk.vbds for name in vbd.under_way]
    yield idle("disk.busy", "nothing else is being done with the disk", under_way)
    old = disk.sr
    missing = drivers.lacks(old, ("VDI_MIRROR",), able) if old is not None else ()
    yield Check(
        "disk.driver",
        "SR_OPERATION_NOT_SUPPORTED",
        not missing,
        "its storage can give it away",
        f"{old.type} storage cannot move a disk that is in use" if old and missing else "",
        f"Copy it, its VM halted, and attach the copy: xe vdi-copy uuid={disk.uuid} sr-uuid=…",
    )


def _host(vm: VM, disk: VDI, sr: SR, inventory: Inventory) -> tuple[Host | None, Check]:
    """The host that would do it. A running VM's own: where that does not see all storage, the toolstack moves the VM to
    one that does, unasked. A halted one's: the first that sees all storage and could run it.
    """
    needed = tuple(dict.fromkeys((sr, *(vdi.sr for vdi in vm.disks if vdi.sr is not None and vdi != disk))))
    hosts = [host for host in inventory.hosts if not motion.sees_all(host, needed)]
    home = vm.resident_on
    if home is not None:
        # With more than one storage it does not ask for the rest (a CD's, the disk's own).
        lax = {"VM_REQUIRES_SR"} if len(needed) > 1 else set()
        able = [host for host in hosts if {check.code for check in placement.against(vm, host, inventory)} <= lax]
        lacking = motion.sees_all(home, needed)
        return home, Check(
            "sr.reach",
            "" if able else "NO_HOSTS_AVAILABLE",
            not lacking,
            f"{quoted(home.name)}, where it runs, sees {quoted(sr.name)}",
            f"{quoted(home.name)} does not have {joined(each.name for each in lacking)}" if lacking else "",
            _reach_remedy(vm, sr, lacking, home, inventory),
        )
    able = [host for host in hosts if not placement.against(vm, host, inventory)]
    return (able[0] if able else None), Check(
        "sr.reach",
        "NO_HOSTS_AVAILABLE",
        bool(able),
        "a host sees both storages and could run the VM",
        "" if able else _why_none(vm, hosts, inventory),
        f"“vm why {spelling(vm, inventory)}” has each host's reasons.",
    )


def _why_none(vm: VM, hosts: list[Host], inventory: Inventory) -> str:
    if not hosts:
        return "no host has all of them plugged"
    return "; ".join(f"{quoted(host.name)}: {placement.against(vm, host, inventory)[0].against}" for host in hosts)


def _reach_remedy(vm: VM, sr: SR, lacking: tuple[SR, ...], home: Host, inventory: Inventory) -> str:
    unplugged = [each for each in lacking if any(pbd.host == home for pbd in each.pbds)]
    if unplugged:
        return f"“sr repair {spelling(unplugged[0], inventory)}”"
    return (
        f"“vm migrate {spelling(vm, inventory)} to HOST storage {spelling(sr, inventory)}” moves it there altogether."
    )
