"""Keeps `allowed_operations` true: one function per class that has the field, and who must be looked at again."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.xapi.rules.device_operations import vbd_verdicts, vif_verdicts
from sandbox.xapi.rules.host_operations import host_verdicts, pool_verdicts
from sandbox.xapi.rules.storage_operations import VdiOperations, sr_verdicts
from sandbox.xapi.rules.vm_operations import VmOperations
from sandbox.xapi.store import Database
from sandbox.xapi.values import NULL

_OPERATIONS: dict[str, Callable[[Database, str], list[str]]] = {
    "VM": lambda db, ref: VmOperations(db, ref).allowed(),
    "VBD": lambda db, ref: vbd_verdicts(db, ref, sharing=False).allowed(),
    "VIF": lambda db, ref: vif_verdicts(db, ref).allowed(),
    "VDI": lambda db, ref: VdiOperations(db, ref).allowed(),
    "SR": lambda db, ref: sr_verdicts(db, ref).allowed(),
    "host": lambda db, ref: host_verdicts(db, ref).allowed(),
    "pool": lambda db, ref: pool_verdicts(db, ref).allowed(),
}


def refresh(db: Database, cls: str, ref: str) -> None:
    """Compute one object's allowed_operations anew. An object that is gone is skipped."""
    if db.find(cls, ref) is None:
        return
    if cls == "VDI" and db.find("SR", db.value(cls, ref, "SR")) is None:
        return
    value = _OPERATIONS[cls](db, ref)
    if set(value) != set(db.value(cls, ref, "allowed_operations") if "allowed_operations" in db.get(cls, ref) else ()):
        db.write(cls, ref, allowed_operations=value)


def refresh_vm(db: Database, ref: str) -> None:
    """A VM, its devices and its disks: what a change of its power state or of its operations touches."""
    vm = db.find("VM", ref)
    if vm is None:
        return
    refresh(db, "VM", ref)
    for vif in vm["VIFs"]:
        refresh(db, "VIF", vif)
    for vbd in vm["VBDs"]:
        refresh(db, "VBD", vbd)
        vdi = db.value("VBD", vbd, "VDI")
        if vdi != NULL:
            refresh(db, "VDI", vdi)


def refresh_all(db: Database) -> None:
    for cls in _OPERATIONS:
        for ref in list(db.rows(cls)):
            refresh(db, cls, ref)
