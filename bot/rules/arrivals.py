"""Conditions about a VM that has gone to another pool; part of :mod:`bot.rules.conditions`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from bot.inventory import NULL_REF, SR, VIF, VM, Inventory, Network
from bot.model import ObjectId
from bot.text import joined, plural, quoted

STORED = "vm.stored"
"""Of a VM: in each of its places for disks is one that lies on the storage which `before` says, see :func:`places`."""
CONNECTED = "vm.connected"
"""Of a VM: each of its virtual NICs is on the network which `before` says, see :func:`places`."""
SNAPSHOT = "vm.snapshot"
"""Of a snapshot: it is there, of the VM, with the disks and the memory that `before` says, see :func:`kept`."""
LEFT = "vm.left"
"""Of a VM: it is not in the pool (any more)."""


def places(wanted: Mapping[str, str]) -> str:
    """Each place of the VM (a disk's userdevice, a NIC's device number) and the uuid that belongs there, as text."""
    return " ".join(f"{place}={uuid}" for place, uuid in wanted.items())


def kept(snapshot: VM, vm: VM) -> str:
    """What there is of a snapshot of the VM, as text: whose it is, how many disks, and whether memory."""
    return f"{vm.uuid}/{_disks(snapshot)}/{_memory(snapshot)}"


def _disks(vm: VM) -> int:
    return sum(vbd.vdi is not None and not vbd.is_cd for vbd in vm.vbds)


def _memory(vm: VM) -> int:
    return int(vm.has("suspend_VDI") and vm.text("suspend_VDI") != NULL_REF)


def of_nics(vifs: Iterable[VIF]) -> Mapping[str, VIF]:
    """Virtual NICs by their places."""
    return {vif.text("device"): vif for vif in vifs}


def _wanted(before: str) -> dict[str, str]:
    return dict(place.split("=", 1) for place in before.split())


def _stored(about: ObjectId, before: str, inventory: Inventory) -> tuple[bool, str]:
    vm = inventory.by_uuid(VM, about.uuid)
    if vm is None:
        return False, _not_there(about, inventory)
    found = {vbd.text("userdevice"): vbd.vdi.sr for vbd in vm.vbds if vbd.vdi is not None and not vbd.is_cd}
    for place, uuid in _wanted(before).items():
        sr, wanted = found.get(place), inventory.by_uuid(SR, uuid)
        if sr is None or sr != wanted:
            where = f"on {quoted(sr.name)}" if sr else "not there"
            return False, f"disk {place} of {quoted(vm.name)} is {where}"
    names = joined(dict.fromkeys(sr.name for sr in found.values() if sr)) or "no storage"
    return True, f"the disks of {quoted(vm.name)} are on {names}"


def _connected(about: ObjectId, before: str, inventory: Inventory) -> tuple[bool, str]:
    vm = inventory.by_uuid(VM, about.uuid)
    if vm is None:
        return False, _not_there(about, inventory)
    found = of_nics(vm.vifs)
    for place, uuid in _wanted(before).items():
        network = found[place].network if place in found else None
        if network is None or network != inventory.by_uuid(Network, uuid):
            where = f"on {quoted(network.name)}" if network else "on no network"
            return False, f"virtual NIC {place} of {quoted(vm.name)} is {where}"
    names = joined(dict.fromkeys(vif.network.name for vif in vm.vifs if vif.network)) or "no network"
    return True, f"the virtual NICs of {quoted(vm.name)} are on {names}"


def _snapshot(about: ObjectId, before: str, inventory: Inventory) -> tuple[bool, str]:
    found = inventory.by_uuid(VM, about.uuid)
    if found is None:
        return False, f"the snapshot {_not_there(about, inventory)}"
    vm_uuid, disks, memory = before.split("/")
    name, vm = quoted(found.name), inventory.get(VM, found.text("snapshot_of"))
    if vm is None or vm.uuid != vm_uuid:
        return False, f"the snapshot {name} is of {quoted(vm.name) if vm else 'no VM'} in {quoted(inventory.pool.name)}"
    if _disks(found) != int(disks):
        return False, f"the snapshot {name} has {plural(_disks(found), 'disk')} there, not {disks}"
    if _memory(found) != int(memory):
        return False, f"the snapshot {name} has {'' if _memory(found) else 'no '}memory there, unlike before"
    with_memory = " and its memory" if int(memory) else ""
    return True, f"the snapshot {name} is there, with {plural(int(disks), 'disk')}{with_memory}"


def _left(about: ObjectId, _: str, inventory: Inventory) -> tuple[bool, str]:
    there = inventory.by_uuid(VM, about.uuid) is not None
    if there:
        return False, f"{quoted(about.name)} is still in {quoted(inventory.pool.name)}"
    return True, _not_there(about, inventory)


def _not_there(about: ObjectId, inventory: Inventory) -> str:
    return f"{quoted(about.name or about.uuid)} is not in {quoted(inventory.pool.name)}"


RULES: Mapping[str, Callable[[ObjectId, str, Inventory], tuple[bool, str]]] = {
    STORED: _stored,
    CONNECTED: _connected,
    SNAPSHOT: _snapshot,
    LEFT: _left,
}
