"""Snapshots: what speaks against taking one, and what is lost by going back to one.

The order and the codes are those of `VM.snapshot` and `VM.revert` (xapi's source, August 2026).
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.inventory import SR, VDI, VM, Inventory
from bot.lookup import spelling
from bot.rules import drivers, placement, storage
from bot.rules.check import Check, idle
from bot.rules.drivers import Drivers
from bot.text import joined, quoted, size

NEARLY_FULL = 0.9
"""From here on a snapshot on thin storage is a risk: what its VM writes from then on takes new room."""


def taking(vm: VM, able: Drivers, inventory: Inventory) -> Iterator[Check]:
    """What the VM's disks say of a snapshot; the operation on the VM is checked elsewhere."""
    reset = [
        vdi for vdi in vm.disks if vdi.text("on_boot") == "reset" or vdi.mapping("sm_config").get("on_boot") == "reset"
    ]
    yield Check(
        "disk.reset",
        "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",
        not reset,
        "its disks keep what is written to them",
        f"reset at each boot: {joined(vdi.name for vdi in reset)}" if reset else "",
        f"With the VM halted: xe vdi-param-set uuid={reset[0].uuid} on-boot=persist" if reset else "",
    )
    yield from _reachable(vm, inventory)
    for vdi in vm.disks:
        yield from _disk(vdi, able)
    yield from _room(vm, inventory)


def _reachable(vm: VM, inventory: Inventory) -> Iterator[Check]:
    """The toolstack gives the work to a host that has the storage of all that is in the VM's drives, CDs included."""
    srs = placement.needed_srs(vm, inventory)
    hosts = [host for host in inventory.hosts if host.live]
    ok = any(all(placement.plugged(sr, host) for sr in srs) for host in hosts)
    off = [sr for sr in srs if not all(placement.plugged(sr, host) for host in hosts)]
    yield Check(
        "disk.reach",
        "NO_HOSTS_AVAILABLE",
        ok,
        "a host has all its storage",
        "" if ok else f"not plugged everywhere: {joined(sr.name for sr in off)}" if off else "no host is alive",
        f"“sr repair {spelling(off[0], inventory)}”" if off else "",
    )


def _disk(vdi: VDI, able: Drivers) -> Iterator[Check]:
    sr, name = vdi.sr, quoted(vdi.name)
    under_way = (*vdi.under_way, *(each for vbd in vdi.vbds for each in vbd.under_way))
    yield idle("disk.busy", f"nothing else is being done with {name}", under_way)
    cannot = sr is not None and bool(drivers.lacks(sr, ("VDI_SNAPSHOT",), able))
    yield Check(
        "disk.driver",
        "SR_OPERATION_NOT_SUPPORTED",
        not cannot,
        f"the storage of {name} takes snapshots",
        f"{quoted(sr.name)} is {sr.type} storage, whose driver does not" if sr is not None and cannot else "",
        "Move the disk first: “vm disk move DISK to SR”; or take a backup in the guest.",
    )
    yield Check(
        "disk.shared",
        "VDI_IS_SHARABLE",
        not vdi.flag("sharable"),
        f"{name} is not shared between VMs",
        "several VMs may write to it" if vdi.flag("sharable") else "",
        "Take a backup with what shares it.",
    )


def _room(vm: VM, inventory: Inventory) -> Iterator[Check]:
    """On LVM a snapshot takes the disk's whole size; elsewhere little at first."""
    for sr in dict.fromkeys(vdi.sr for vdi in vm.disks):
        left = drivers.room(sr) if sr is not None else None
        if sr is None or left is None:
            continue
        need = sum(vdi.virtual_size for vdi in vm.disks if vdi.sr == sr) if drivers.is_thick(sr) else 0
        yield Check(
            "sr.room",
            "SR_BACKEND_FAILURE_44",
            need <= left,
            f"{quoted(sr.name)} has room for it",
            f"{size(need)} needed, {size(left)} free" if need > left else "",
            f"Free space on {quoted(sr.name)}; old snapshots: “vm snapshots {spelling(vm, inventory)}”",
        )


def crowded(vm: VM) -> tuple[SR, ...]:
    """Thin storage of its disks that is nearly full."""
    srs = dict.fromkeys(vdi.sr for vdi in vm.disks if vdi.sr is not None)
    return tuple(sr for sr in srs if not drivers.is_thick(sr) and storage.fullness(sr) >= NEARLY_FULL)


def added_since(vm: VM, snapshot: VM, inventory: Inventory) -> tuple[VDI, ...]:
    """Disks that the VM has and the snapshot knows nothing of: a revert leaves them behind, in no VM."""
    known = {inventory.get(VDI, vdi.text("snapshot_of")) for vdi in snapshot.disks}
    return tuple(vdi for vdi in vm.disks if vdi not in known)
