"""VM: snapshots, with and without memory, and the way back."""

from __future__ import annotations

from typing import Any

from sandbox.xapi import allowed, disks, domains
from sandbox.xapi.calls.vm_copy import FRESH, copy_all, copy_device, copy_vbd, drop_devices, duplicate
from sandbox.xapi.calls.vm_power import describe, tell
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import vm_operation
from sandbox.xapi.registry import BOTH, READ, call, difference
from sandbox.xapi.rules.placement import is_live, needed_srs, plugged_srs
from sandbox.xapi.values import NULL

_SNAPSHOT, _SAVE_FIXED, _SAVE_PER_GIB, _REVERT = 1.0, 3.0, 4.0, 2.0
_GIB = 1 << 30

difference(
    "VM.snapshot",
    "snapshot_metadata stays empty; VM.revert leaves the VM's name and description as they are.",
    "xapi restores them from there; here revert takes the snapshot's own fields, and its name is another.",
)

# What a revert leaves alone, besides what no copy takes over.
_KEPT = frozenset(
    ("uuid", "name_label", "name_description", "snapshots", "children", "parent", "metrics", "guest_metrics", "VBDs",
     "VIFs", "is_a_snapshot", "is_a_template", "power_state", "transportable_snapshot_id", "tags", "affinity", "groups")
)  # fmt: skip


@call("VM.snapshot", source=BOTH)
def snapshot(context: Context, vm: str, new_name: str, ignore_vdis: list[str] | None = None) -> str:
    with vm_operation(context, vm, "snapshot"):
        _require_storage(context, vm)
        context.work(_SNAPSHOT)
        new = duplicate(context, vm, new_name, snapshot=True, without=ignore_vdis or ())
    tell(context, vm, "VM_SNAPSHOTTED", f"snapshotted, snapshot name: {new_name}")
    return new


def _require_storage(context: Context, vm: str) -> None:
    """The call goes to a live host that has the storage of all that is in the VM's drives. Raises Failure
    NO_HOSTS_AVAILABLE."""
    needed = set(needed_srs(context.db, context.get("VM", vm)))
    hosts = (host for host in context.db.rows("host") if is_live(context.db, host))
    if not any(needed <= plugged_srs(context.db, host) for host in hosts):
        raise Failure("NO_HOSTS_AVAILABLE")


@call("VM.snapshot_with_quiesce", source=READ)
def snapshot_with_quiesce(context: Context, vm: str, new_name: str) -> str:
    """Up to 8.0, where the guest's tools offer it."""
    with vm_operation(context, vm, "snapshot_with_quiesce"):
        guest = context.db.find("VM_guest_metrics", context.get("VM", vm)["guest_metrics"])
        if guest is None or guest["other"].get("feature-quiesce") != "1":
            raise Failure("VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED", vm)
        context.work(_SNAPSHOT)
        new = duplicate(context, vm, new_name, snapshot=True)
        context.db.set_key("VM", new, "snapshot_info", "disk-snapshot-type", "quiesced")
    tell(context, vm, "VM_SNAPSHOTTED", f"snapshotted, snapshot name: {new_name}")
    return new


@call("VM.checkpoint", source=READ)
def checkpoint(context: Context, vm: str, new_name: str) -> str:
    """A snapshot with the memory: the new record is Suspended when the VM runs, which goes on afterwards."""
    with vm_operation(context, vm, "checkpoint"):
        row = context.get("VM", vm)
        state, image = row["power_state"], row["suspend_VDI"]
        saved = _save_memory(context, vm) if state == "Running" else NULL
        try:
            kind = "Suspended" if state in ("Running", "Suspended") else "Halted"
            image = saved if saved != NULL else image if kind == "Suspended" else NULL
            new = duplicate(context, vm, new_name, snapshot=True, state=kind, image=image)
        finally:
            if saved != NULL:
                disks.remove(context, saved)
    tell(context, vm, "VM_CHECKPOINTED", f"checkpointed, snapshot name: {new_name}")
    return new


def _save_memory(context: Context, vm: str) -> str:
    """An image of the running VM's memory. Raises Failure VM_NO_SUSPEND_SR."""
    sr = domains.suspend_sr(context.pool, vm)
    if sr is None:
        raise Failure("VM_NO_SUSPEND_SR", vm)
    size = context.get("VM", vm)["memory_dynamic_max"]
    context.work(_SAVE_FIXED + _SAVE_PER_GIB * size / _GIB)
    row = {"SR": sr, "name_label": "Suspend image", "type": "suspend", "virtual_size": size}
    return disks.make(context, row, used=size)


@call("VM.revert", source=BOTH)
def revert(context: Context, snapshot_ref: str) -> None:
    """The VM gets the snapshot's configuration and fresh copies of its disks.

    Its own disks are gone where the snapshot has a copy of them; others are left, in no VM. Reverted to a checkpoint
    it is Suspended.
    """
    db, vm = context.db, context.get("VM", snapshot_ref)["snapshot_of"]
    if db.find("VM", vm) is None:
        if not context.get("VM", snapshot_ref)["is_a_snapshot"]:
            with vm_operation(context, snapshot_ref, "revert"):  # refused there
                return
        vm = duplicate(context, snapshot_ref, context.get("VM", snapshot_ref)["name_label"], snapshot=False)
        db.write("VM", vm, is_a_template=False)
    with vm_operation(context, snapshot_ref, "revert"), vm_operation(context, vm, "reverting"):
        if db.value("VM", vm, "power_state") != "Halted":
            domains.tear_down(context.pool, vm, "Halted")
        context.work(_REVERT)
        _replace(context, snapshot_ref, vm)
    row = context.get("VM", snapshot_ref)
    body = f"{describe(context, vm)} reverted to snapshot: {row['name_label']} (uuid {row['uuid']})"
    context.announce("VM_SNAPSHOT_REVERTED", 5, "VM", context.get("VM", vm)["uuid"], body)


def _replace(context: Context, snapshot_ref: str, vm: str) -> None:
    db, source = context.db, context.get("VM", snapshot_ref)
    images = [db.get("VBD", vbd)["VDI"] for vbd in source["VBDs"] if db.value("VBD", vbd, "type") == "Disk"]
    origins = {image: db.value("VDI", image, "snapshot_of") for image in images}
    drop_devices(context, vm, disposable=set(origins.values()))
    old_image = db.value("VM", vm, "suspend_VDI")
    if db.find("VDI", old_image) is not None:
        disks.remove(context, old_image)
    memory = [source["suspend_VDI"]] if db.find("VDI", source["suspend_VDI"]) is not None else []
    copies = copy_all(context, [*images, *memory], snapshot=False)
    for image, origin in origins.items():
        for sibling in [ref for ref, row in db.rows("VDI").items() if origin != NULL and row["snapshot_of"] == origin]:
            db.write("VDI", sibling, snapshot_of=copies[image])
    changes: dict[str, Any] = {k: v for k, v in source.items() if k not in _KEPT and k not in FRESH}
    suspended = copies.get(source["suspend_VDI"], NULL)
    db.write("VM", vm, parent=snapshot_ref, suspend_VDI=suspended, power_state=source["power_state"], **changes)
    for vbd in reversed(source["VBDs"]):
        copy_vbd(context, vbd, vm, copies)
    for vif in reversed(source["VIFs"]):
        copy_device(context, "VIF", vif, {"VM": vm})
    allowed.refresh_vm(db, vm)
