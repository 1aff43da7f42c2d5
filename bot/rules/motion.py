"""Disks on their way to other storage while their VM may run: the toolstack's checks, all of them, forecast from what
was read.

The order and the codes are those of `VM.assert_can_migrate` within a pool, which `VDI.pool_migrate` and
`VM.migrate_send` both go through (xapi's source, August 2026). The toolstack stops at the first reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.inventory import SR, VDI, VM, Host, Inventory
from bot.lookup import spelling
from bot.rules import drivers, ha, memory, placement, versions
from bot.rules.check import Check
from bot.rules.drivers import Drivers
from bot.text import duration, joined, plural, quoted, size

MOST = 3
"""Storage migrations that a host sends at once (xapi)."""
USUAL_BYTES_PER_SECOND = 100 << 20
"""What a gigabit network, or one hard disk, carries at best; to say how long a copy takes at least."""

_SENDS, _RECEIVES = ("VDI_SNAPSHOT", "VDI_MIRROR"), ("VDI_SNAPSHOT", drivers.MIRROR_IN)


@dataclass(frozen=True, slots=True)
class Journey:
    """A VM with where its disks go (`moves`: only those that leave their storage), and the host that it is on then.
    `there` is that host's pool, if it is another.
    """

    vm: VM
    host: Host
    moves: Mapping[VDI, SR]
    inventory: Inventory
    there: Inventory | None = None

    @property
    def arrives_in(self) -> Inventory:
        return self.there or self.inventory

    @property
    def all(self) -> Mapping[VDI, SR]:
        """The disks that travel: `moves`, and the snapshots' disks that come along. A snapshot's disk goes where the
        disk goes that it was taken of; if that is gone, to the default storage of the pool where it arrives.
        """
        own = self.vm.disks
        where = {vdi: self.moves.get(vdi, vdi.sr) for vdi in own}
        found = dict(self.moves)
        for _, vdi, origin in _of_snapshots(self.vm, self.inventory):
            target = where[origin] if origin in own else self.arrives_in.pool.default_sr
            if target is not None and target != vdi.sr:
                found[vdi] = target
        return found

    @property
    def amount(self) -> int:
        """Bytes that are copied: what is written of each disk."""
        return sum(min(vdi.number("physical_utilisation"), vdi.virtual_size) or vdi.virtual_size for vdi in self.all)


def checks(journey: Journey, able: Drivers) -> Iterator[Check]:
    """Everything that speaks for or against the journey besides the operation on the VM itself."""
    vm, host, inventory = journey.vm, journey.host, journey.inventory
    yield licensed(inventory)
    yield from able_ends(journey, able, able)
    yield from _arrival(vm, host, inventory)
    for vdi in journey.moves:
        yield from itself(vdi)
    yield from _heartbeat(journey)
    yield from slots(vm, host, inventory)
    yield from orphans(journey)
    yield plugged(journey)
    yield from room(journey)


def licensed(inventory: Inventory) -> Check:
    """Every host of the pool: the toolstack goes by what all of them may."""
    unlicensed = [each for each in inventory.hosts if _restricted(each)]
    return Check(
        "pool.licence",
        "LICENCE_RESTRICTION",
        not unlicensed,
        "the licence covers moving disks",
        f"not on {joined(each.name for each in unlicensed)}" if unlicensed else "",
        "Apply a licence that covers storage migration.",
    )


def sees_all(host: Host, srs: Iterator[SR] | tuple[SR, ...]) -> tuple[SR, ...]:
    """The storage among `srs` that the host does not have plugged."""
    return tuple(sr for sr in dict.fromkeys(srs) if not placement.plugged(sr, host))


def itself(vdi: VDI) -> Iterator[Check]:
    """Properties of a disk that keep it where it is."""
    name = quoted(vdi.name)
    yield Check(
        "disk.cbt",
        "VDI_CBT_ENABLED",
        not vdi.flag("cbt_enabled"),
        f"no backup software tracks the changed blocks of {name}",
        "changed block tracking is on" if vdi.flag("cbt_enabled") else "",
        f"Afterwards the next backup is a full one: xe vdi-disable-cbt uuid={vdi.uuid}",
    )
    reset = vdi.text("on_boot") == "reset"
    yield Check(
        "disk.reset",
        "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",
        not reset,
        f"{name} keeps what is written to it",
        "it is reset at each boot" if reset else "",
        f"With its VM halted: xe vdi-param-set uuid={vdi.uuid} on-boot=persist",
    )
    encrypted = "key_hash" in vdi.mapping("sm_config")
    yield Check(
        "disk.encrypted",
        "VDI_IS_ENCRYPTED",
        not encrypted,
        f"{name} is not encrypted",
        "it is, with a key that its storage holds" if encrypted else "",
        "Copy what is in it with the guest's own tools.",
    )


def impact(journey: Journey) -> Iterator[str]:
    """What it costs, in sentences."""
    vm, amount, more = journey.vm, journey.amount, len(journey.all) - len(journey.moves)
    told = "; ".join(
        f"{joined(vdi.name for vdi in journey.moves if journey.moves[vdi] == sr)} to {quoted(sr.name)}"
        for sr in dict.fromkeys(journey.moves.values())
    )
    yield f"{size(amount)} are copied: {told}."
    yield f"At 100 MiB a second that takes {duration(amount / USUAL_BYTES_PER_SECOND)}; disks are slower meanwhile."
    if more:
        yield f"{plural(more, 'disk')} of its snapshots {'comes' if more == 1 else 'come'} along."
    images = [vbd.vdi.name for vbd in vm.vbds if vbd.is_cd and vbd.vdi is not None]
    if images and vm.power_state != "Suspended":
        yield f"The toolstack ejects what is in its CD drive: {joined(images)}."


def _of_snapshots(vm: VM, inventory: Inventory) -> Iterator[tuple[VM, VDI, VDI | None]]:
    """(snapshot, its disk, the disk that it was taken of)."""
    for snapshot in vm.snapshots:
        for vdi in snapshot.disks:
            yield snapshot, vdi, inventory.get(VDI, vdi.text("snapshot_of"))


def _restricted(host: Host) -> bool:
    return host.mapping("license_params").get("restrict_storage_xen_motion") == "true"


def orphans(journey: Journey) -> Iterator[Check]:
    """Disks of snapshots whose original is gone have no place of their own to go to."""
    if journey.arrives_in.pool.default_sr is not None:
        return
    own = set(journey.vm.disks)
    lost = [(shot, vdi) for shot, vdi, origin in _of_snapshots(journey.vm, journey.inventory) if origin not in own]
    if lost:
        yield Check(
            "snapshot.disks",
            "VDI_NOT_IN_MAP",
            False,
            "its snapshots' disks have a place to go",
            f"{joined(vdi.name for _, vdi in lost)}: the original is gone, and the pool has no default storage",
            f"Delete the snapshot: xe snapshot-uninstall uuid={lost[0][0].uuid}; or name a default storage.",
        )


def able_ends(journey: Journey, sends: Drivers, receives: Drivers) -> Iterator[Check]:
    """What the storage drivers of both ends can do; `receives`: those of the pool where it arrives."""
    ends = {(vdi.sr, "cannot give disks away"): (_SENDS, sends) for vdi in journey.moves if vdi.sr is not None}
    ends |= {(sr, "cannot take them"): (_RECEIVES, receives) for sr in journey.moves.values()}
    for (sr, against), (needed, able) in ends.items():
        missing = drivers.lacks(sr, needed, able)
        yield Check(
            "sr.driver",
            "SR_DOES_NOT_SUPPORT_MIGRATION",
            not missing,
            f"the storage driver of {quoted(sr.name)} moves disks",
            f"{sr.type} storage {against} while they are in use: no {joined(missing)}" if missing else "",
            f"Copy it instead, its VM halted, and attach the copy: xe vdi-copy uuid={_first(journey, sr)} sr-uuid=…",
        )


def _first(journey: Journey, sr: SR) -> str:
    """The uuid of a disk that moves from or to this storage."""
    return next(vdi.uuid for vdi, target in journey.moves.items() if sr in (vdi.sr, target))


def _arrival(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    """As for a VM that comes to the host, but for its storage. Where it runs already, whether its host answers is asked
    before, and its memory has to be there a second time, since the toolstack does not know that it stays.
    """
    for check in placement.checks(vm, host, inventory):
        if check.code == "VM_REQUIRES_SR" or (check.id == "host.live" and vm.resident_on == host):
            continue
        if check.id == "host.version":
            yield replace(check, code="NOT_SUPPORTED_DURING_UPGRADE")
        elif check.id == "host.memory" and vm.resident_on == host:
            need, free = memory.needed(vm), memory.free(host, inventory)
            yield replace(
                check,
                ok=need <= free,
                title=f"{quoted(host.name)} has the VM's memory free a second time, which the toolstack wants",
                evidence=f"{size(need)} needed, {size(max(free, 0))} can be freed",
            )
        else:
            yield check
    guard = ha.arrival(vm, host, inventory) if vm.power_state == "Running" and vm.resident_on != host else None
    if guard is not None:
        yield guard


def _heartbeat(journey: Journey) -> Iterator[Check]:
    """High availability restarts a VM only if every host sees its disks. The toolstack does not look at that here."""
    if not (journey.inventory.pool.ha_enabled and ha.is_protected(journey.vm)):
        return
    local = tuple(sr for sr in dict.fromkeys(journey.moves.values()) if not sr.shared)
    yield Check(
        "ha.agile",
        "",
        not local,
        "it can still be restarted on every host",
        f"it is protected, and {joined(sr.name for sr in local)} is one host's own" if local else "",
        f"Choose shared storage, or “ha protect {spelling(journey.vm, journey.inventory)} off” first.",
    )


def slots(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    source = vm.resident_on or host
    sending = Counter(each.text("resident_on") for each in inventory.guests if "migrate_send" in each.under_way)[
        source.ref
    ]
    yield Check(
        "host.sending",
        "TOO_MANY_STORAGE_MIGRATES",
        sending < MOST,
        f"{quoted(source.name)} can send disks now",
        f"it moves the disks of {plural(sending, 'VM')} already, the most that it does" if sending >= MOST else "",
        "Wait for one of them to end.",
    )


def plugged(journey: Journey) -> Check:
    """The toolstack would plug it, if it can."""
    lacking = sees_all(journey.host, tuple(journey.all.values()))
    unreachable = [sr for sr in lacking if all(pbd.host != journey.host for pbd in sr.pbds)]
    remedy = f"“sr repair {spelling(lacking[0], journey.arrives_in)}”" if lacking and not unreachable else ""
    return Check(
        "sr.plugged",
        "SR_NOT_ATTACHED" if unreachable else "",
        not lacking,
        f"{quoted(journey.host.name)} has the storage plugged",
        f"not plugged there: {joined(sr.name for sr in lacking)}" if lacking else "",
        remedy or "Choose storage that this host has, or another host.",
    )


def room(journey: Journey) -> Iterator[Check]:
    travelling = journey.all
    for sr in dict.fromkeys(travelling.values()):
        left = drivers.room(sr)
        need = sum(drivers.takes(vdi, sr) for vdi, target in travelling.items() if target == sr)
        if left is not None:
            yield Check(
                "sr.room",
                "SR_BACKEND_FAILURE_44",
                need <= left,
                f"{quoted(sr.name)} has room for it: {size(need)} of {size(left)} free",
                f"{size(need)} needed, {size(left)} free" if need > left else "",
                f"Free space on {quoted(sr.name)}, or choose other storage.",
            )


def since(inventory: Inventory) -> Check:
    """Disks move between storage since 6.1."""
    coordinator = inventory.pool.coordinator
    old = coordinator is not None and versions.before(coordinator, 6, 1)
    return Check(
        "pool.version",
        "MESSAGE_METHOD_UNKNOWN",
        not old,
        "its version moves disks between storage",
        "that came with 6.1" if old else "",
        "Copy it, its VM halted, and attach the copy: xe vdi-copy uuid=… sr-uuid=…",
    )
