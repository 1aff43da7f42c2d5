"""VM: making one of another, and ending one."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.xapi import allowed, disks, domains
from sandbox.xapi.calls.vm_power import describe, tell
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import vm_operation
from sandbox.xapi.registry import BOTH, READ, call, difference
from sandbox.xapi.values import EPOCH, NULL, Row, Time

_CLONE, _COPY_PER_GIB, _SNAPSHOT, _CHECKPOINT, _REVERT = 1.0, 8.0, 1.0, 4.0, 2.0
_GIB = 1 << 30

difference("VM.snapshot", "snapshot_metadata stays empty.", "Nothing here reads it: revert uses the snapshot's fields.")

# What a copy does not take over.
_FRESH: Row = {
    "allowed_operations": [],
    "current_operations": {},
    "blocked_operations": {},
    "is_default_template": False,
    "snapshot_of": NULL,
    "snapshot_time": Time(EPOCH),
    "snapshot_info": {},
    "snapshot_metadata": "",
    "snapshots": [],
    "parent": NULL,
    "children": [],
    "resident_on": NULL,
    "scheduled_to_be_resident_on": NULL,
    "suspend_VDI": NULL,
    "suspend_SR": NULL,
    "domid": -1,
    "domarch": "",
    "ha_always_run": False,
    "appliance": NULL,
    "protection_policy": NULL,
    "snapshot_schedule": NULL,
    "start_delay": 0,
    "shutdown_delay": 0,
    "order": 0,
    "version": 0,
    "requires_reboot": False,
    "groups": [],
    "blobs": {},
    "consoles": [],
    "VGPUs": [],
    "VUSBs": [],
    "VTPMs": [],
    "attached_PCIs": [],
    "pending_guidances": [],
    "pending_guidances_recommended": [],
    "pending_guidances_full": [],
}


def _disk_gib(context: Context, vm: str) -> float:
    vdis = (context.db.find("VDI", context.db.value("VBD", vbd, "VDI")) for vbd in context.get("VM", vm)["VBDs"])
    return sum(int(vdi["physical_utilisation"]) for vdi in vdis if vdi) / _GIB


def duplicate(context: Context, vm: str, name: str, *, snapshot: bool, sr: str = "", state: str = "Halted") -> str:
    """A new VM record with copies of its devices and disks. `sr` moves full copies of the disks there."""
    db, source = context.db, context.get("VM", vm)
    other_config = {
        k: v for k, v in source["other_config"].items() if k not in ("default_template", "xensource_internal")
    }
    if not snapshot:
        other_config["mac_seed"] = str(uuid.uuid4())
    if source["is_a_template"] and "base_template_name" not in other_config:
        other_config["base_template_name"] = source["name_label"]
    changes: Row = {
        "uuid": str(uuid.uuid4()),
        "name_label": name,
        "power_state": state,
        "is_a_template": snapshot or source["is_a_template"],
        "is_a_snapshot": snapshot,
        "other_config": other_config,
        "metrics": _copied(context, "VM_metrics", source["metrics"]),
        "guest_metrics": _copied(context, "VM_guest_metrics", source["guest_metrics"]),
    }
    if snapshot:
        info = {"power-state-at-snapshot": source["power_state"], "disk-snapshot-type": "crash_consistent"}
        changes |= {"snapshot_of": vm, "snapshot_time": context.now(), "snapshot_info": info}
        changes["parent"] = source.get("parent", NULL)
    new = db.create("VM", {**source, **_FRESH, "VBDs": [], "VIFs": [], **changes})
    for vbd in source["VBDs"]:
        _copy_vbd(context, vbd, new, snapshot, sr)
    for vif in source["VIFs"]:
        _copy_device(context, "VIF", vif, {"VM": new, **({} if snapshot else {"MAC": new_mac()})})
    if snapshot and "parent" in source:
        db.write("VM", vm, parent=new)
    allowed.refresh_vm(db, new)
    return new


def _copied(context: Context, cls: str, ref: str) -> str:
    row = context.db.find(cls, ref)
    return context.db.create(cls, {**row, "uuid": str(uuid.uuid4())}) if row else NULL


def _copy_device(context: Context, cls: str, ref: str, changes: Row) -> str:
    row = {**context.get(cls, ref), "uuid": str(uuid.uuid4()), "currently_attached": False, "current_operations": {}}
    return context.db.create(cls, {**row, **changes})


def _copy_vbd(context: Context, vbd: str, vm: str, snapshot: bool, sr: str) -> None:
    row = context.get("VBD", vbd)
    vdi = row["VDI"]
    if not row["empty"] and row["type"] != "CD":
        vdi = disks.copy(context, vdi, snapshot=snapshot, sr=sr, shared_past=not sr)
    _copy_device(context, "VBD", vbd, {"VM": vm, "VDI": vdi})


def new_mac() -> str:
    """A locally administered unicast address."""
    tail = uuid.uuid4().bytes[:5]
    return ":".join(f"{b:02x}" for b in (0x0A | (tail[0] & 0xF0), *tail))


@call("VM.clone", source=BOTH)
def clone(context: Context, vm: str, new_name: str) -> str:
    with vm_operation(context, vm, "clone"):
        context.work(_CLONE)
        state = context.get("VM", vm)["power_state"]
        return duplicate(context, vm, new_name, snapshot=False, state=state)


@call("VM.copy", source=READ)
def copy(context: Context, vm: str, new_name: str, sr: str) -> str:
    """Full copies of the disks, on `sr` unless that is null."""
    with vm_operation(context, vm, "copy"):
        if sr != NULL:
            context.get("SR", sr)
        context.work(_CLONE + _COPY_PER_GIB * _disk_gib(context, vm))
        return duplicate(context, vm, new_name, snapshot=False, sr="" if sr == NULL else sr)


@call("VM.snapshot", source=BOTH)
def snapshot(context: Context, vm: str, new_name: str, ignore_vdis: list[str] | None = None) -> str:
    with vm_operation(context, vm, "snapshot"):
        context.work(_SNAPSHOT)
        new = duplicate(context, vm, new_name, snapshot=True)
        for vbd in list(context.get("VM", new)["VBDs"]):
            vdi = context.db.find("VDI", context.db.value("VBD", vbd, "VDI"))
            if vdi and vdi["snapshot_of"] in (ignore_vdis or ()):
                disks.remove(context, context.db.value("VBD", vbd, "VDI"))
                context.db.destroy("VBD", vbd)
    tell(context, vm, "VM_SNAPSHOTTED", f"snapshotted, snapshot name: {new_name}")
    return new


@call("VM.checkpoint", source=READ)
def checkpoint(context: Context, vm: str, new_name: str) -> str:
    """A snapshot with the memory: the new record is Suspended when the VM runs."""
    with vm_operation(context, vm, "checkpoint"):
        context.work(_CHECKPOINT)
        state = "Suspended" if context.get("VM", vm)["power_state"] in ("Running", "Suspended") else "Halted"
        new = duplicate(context, vm, new_name, snapshot=True, state=state)
    tell(context, vm, "VM_CHECKPOINTED", f"checkpointed, snapshot name: {new_name}")
    return new


@call("VM.revert", source=BOTH)
def revert(context: Context, snapshot_ref: str) -> None:
    """The VM gets the snapshot's configuration and fresh copies of its disks; its own are gone."""
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
        _drop_devices(context, vm, with_disks=True)
        kept = ("uuid", "name_label", "name_description", "snapshots", "children", "parent", "metrics", "guest_metrics",
                "VBDs", "VIFs", "is_a_snapshot", "is_a_template", "power_state",
                "transportable_snapshot_id")  # fmt: skip
        source = context.get("VM", snapshot_ref)
        changes: dict[str, Any] = {k: v for k, v in source.items() if k not in kept and k not in _FRESH}
        db.write("VM", vm, parent=snapshot_ref, **changes)
        for vbd in source["VBDs"]:
            _copy_vbd(context, vbd, vm, False, "")
        for vif in source["VIFs"]:
            _copy_device(context, "VIF", vif, {"VM": vm})
        allowed.refresh_vm(db, vm)
    row = context.get("VM", snapshot_ref)
    body = f"{describe(context, vm)} reverted to snapshot: {row['name_label']} (uuid {row['uuid']})"
    context.announce("VM_SNAPSHOT_REVERTED", 5, "VM", context.get("VM", vm)["uuid"], body)


def _drop_devices(context: Context, vm: str, *, with_disks: bool) -> None:
    db = context.db
    for vbd in list(context.get("VM", vm)["VBDs"]):
        vdi, kind = db.value("VBD", vbd, "VDI"), db.value("VBD", vbd, "type")
        db.destroy("VBD", vbd)
        if with_disks and kind != "CD" and db.find("VDI", vdi) is not None and not db.value("VDI", vdi, "VBDs"):
            disks.remove(context, vdi)
        else:
            allowed.refresh(db, "VDI", vdi)
    for vif in list(context.get("VM", vm)["VIFs"]):
        db.destroy("VIF", vif)


@call("VM.destroy", source=BOTH)
def destroy(context: Context, vm: str) -> None:
    """The record and its devices; disks stay."""
    with vm_operation(context, vm, "destroy"):
        db, row = context.db, context.get("VM", vm)
        if row["other_config"].get("default_template") == "true":
            raise Failure("VM_CANNOT_DELETE_DEFAULT_TEMPLATE", vm)
        for child in list(row.get("children", ())):
            db.write("VM", child, parent=row["parent"])
        _drop_devices(context, vm, with_disks=False)
        for cls, field in (("VM_metrics", "metrics"), ("VM_guest_metrics", "guest_metrics")):
            if db.find(cls, row[field]) is not None:
                db.destroy(cls, row[field])
        for console in list(row["consoles"]):
            db.destroy("console", console)
        db.destroy("VM", vm)
        context.pool.guest_tools.pop(vm, None)


@call("VM.create", source=BOTH)
def create(context: Context, record: Row) -> str:
    db = context.db
    kind = record.get("domain_type", "unspecified")
    changes: Row = {"metrics": db.create("VM_metrics", {}), "power_state": "Halted", "domid": -1}
    if kind == "unspecified":
        changes["domain_type"] = "hvm" if record["HVM_boot_policy"] else "pv"
    if "mac_seed" not in record["other_config"]:
        changes["other_config"] = {**record["other_config"], "mac_seed": str(uuid.uuid4())}
    vm = db.create("VM", {**record, **changes})
    domains.refresh_overhead(db, vm)
    allowed.refresh(db, "VM", vm)
    return vm
