"""Conditions about disks and snapshots that a step can wait for; part of :mod:`bot.rules.conditions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.inventory import SR, VBD, VM, Inventory
from bot.model import ObjectId
from bot.text import quoted

STORED = "disk.stored"
"""Of a VBD: what is in it lies on the storage `before` (its uuid). A disk that moved has another uuid, its VBD not."""
SNAPSHOTTED = "vm.snapshotted"
"""Of a VM: it has a snapshot of the name `before`."""
RENEWED = "vm.renewed"
"""Of a VM: it has none of the disks `before` (uuids, with spaces) any more; what it had is gone from it."""


def _stored(about: ObjectId, before: str, inventory: Inventory) -> tuple[bool, str]:
    vbd, wanted = inventory.by_uuid(VBD, about.uuid), inventory.by_uuid(SR, before)
    vdi = vbd.vdi if vbd is not None else None
    if vdi is None or wanted is None:
        return False, "the disk is not in its VM any more" if vdi is None else "the storage is gone"
    sr = vdi.sr
    return sr == wanted, f"{quoted(vdi.name)} is on {quoted(sr.name) if sr else 'no known storage'}"


def _snapshotted(about: ObjectId, before: str, inventory: Inventory) -> tuple[bool, str]:
    vm = inventory.by_uuid(VM, about.uuid)
    there = vm is not None and any(snapshot.name == before for snapshot in vm.snapshots)
    return there, f"{quoted(about.name)} has {'a' if there else 'no'} snapshot {quoted(before)}"


def _renewed(about: ObjectId, before: str, inventory: Inventory) -> tuple[bool, str]:
    vm = inventory.by_uuid(VM, about.uuid)
    if vm is None:
        return False, f"{quoted(about.name)} is gone"
    left = [vdi for vdi in vm.disks if vdi.uuid in before.split()]
    return not left, f"{quoted(vm.name)} has {'its disks of before' if left else 'the disks of the snapshot'}"


RULES: Mapping[str, Callable[[ObjectId, str, Inventory], tuple[bool, str]]] = {
    STORED: _stored,
    SNAPSHOTTED: _snapshotted,
    RENEWED: _renewed,
}
