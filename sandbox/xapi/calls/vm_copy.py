"""VM: making one of another, and ending one."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from sandbox.xapi import allowed, disks, domains, macs
from sandbox.xapi.context import Context
from sandbox.xapi.departures import forget_vm
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import insist, vm_operation
from sandbox.xapi.registry import BOTH, READ, call
from sandbox.xapi.rules.storage_operations import VdiOperations
from sandbox.xapi.values import EPOCH, NULL, Row, Time

_CLONE, _COPY_PER_GIB = 1.0, 8.0
_GIB = 1 << 30

# What a copy does not take over.
FRESH: Row = {
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


def duplicate(
    context: Context,
    vm: str,
    name: str,
    *,
    snapshot: bool,
    sr: str = "",
    state: str = "Halted",
    image: str = NULL,
    without: Collection[str] = (),
) -> str:
    """A new VM record with copies of its devices and disks, or nothing at all if one cannot be copied.

    `sr` moves full copies of the disks there; `image` is a suspend image to copy as well; disks in `without` stay out.
    """
    db, source = context.db, context.get("VM", vm)
    copies = _copy_disks(context, vm, image, snapshot=snapshot, sr=sr, without=without)
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
        "suspend_VDI": copies.get(image, NULL),
        "metrics": _copied(context, "VM_metrics", source["metrics"]),
        "guest_metrics": _copied(context, "VM_guest_metrics", source["guest_metrics"]),
    }
    if snapshot:
        info = {"power-state-at-snapshot": source["power_state"], "disk-snapshot-type": "crash_consistent"}
        changes |= {"snapshot_of": vm, "snapshot_time": context.now(), "snapshot_info": info}
        changes["parent"] = source.get("parent", NULL)
    new = db.create("VM", {**source, **FRESH, "VBDs": [], "VIFs": [], **changes})
    for vbd in reversed(source["VBDs"]):
        if db.value("VBD", vbd, "VDI") not in without:
            copy_vbd(context, vbd, new, copies)
    for vif in reversed(source["VIFs"]):
        copy_device(context, "VIF", vif, {"VM": new, **({} if snapshot else {"MAC": macs.new()})})
    if snapshot and "parent" in source:
        db.write("VM", vm, parent=new)
    allowed.refresh_vm(db, new)
    return new


def _copied(context: Context, cls: str, ref: str) -> str:
    row = context.db.find(cls, ref)
    return context.db.create(cls, {**row, "uuid": str(uuid.uuid4())}) if row else NULL


def copy_device(context: Context, cls: str, ref: str, changes: Row) -> str:
    row = {**context.get(cls, ref), "uuid": str(uuid.uuid4()), "currently_attached": False, "current_operations": {}}
    return context.db.create(cls, {**row, **changes})


def _copy_disks(
    context: Context, vm: str, image: str, *, snapshot: bool, sr: str, without: Collection[str]
) -> dict[str, str]:
    """Copies of the VM's disks (and of its suspend image) by disk. Raises Failure as the first disk that refuses."""
    vbds = [context.get("VBD", vbd) for vbd in context.get("VM", vm)["VBDs"]]
    wanted = [vbd["VDI"] for vbd in vbds if not vbd["empty"] and vbd["type"] != "CD" and vbd["VDI"] not in without]
    return copy_all(context, [*wanted, *([image] if image != NULL else ())], snapshot=snapshot, sr=sr)


def copy_all(context: Context, vdis: Collection[str], *, snapshot: bool, sr: str = "") -> dict[str, str]:
    """Copies by disk, all of them or none."""
    op = "snapshot" if snapshot else "copy" if sr else "clone"
    new: dict[str, str] = {}
    try:
        for vdi in vdis:
            insist(context, lambda vdi=vdi: VdiOperations(context.db, vdi).error(op))  # type: ignore[misc]  # a lambda with a default
            new[vdi] = disks.copy(context, vdi, snapshot=snapshot, sr=sr, shared_past=not sr)
    except Failure:
        for copied in new.values():
            disks.remove(context, copied)
        raise
    return new


def copy_vbd(context: Context, vbd: str, vm: str, copies: Mapping[str, str]) -> None:
    """The new VM owns its copies: clients delete them with it."""
    row = context.get("VBD", vbd)
    owner = {"owner": "", **row["other_config"]} if row["type"] == "Disk" else row["other_config"]
    copy_device(context, "VBD", vbd, {"VM": vm, "VDI": copies.get(row["VDI"], row["VDI"]), "other_config": owner})


@call("VM.clone", source=BOTH)
def clone(context: Context, vm: str, new_name: str) -> str:
    with vm_operation(context, vm, "clone"):
        context.work(_CLONE)
        row = context.get("VM", vm)
        return duplicate(context, vm, new_name, snapshot=False, state=row["power_state"], image=_image(context, row))


def _image(context: Context, row: Row) -> str:
    """The suspend image of a suspended VM."""
    there = row["power_state"] == "Suspended" and context.db.find("VDI", row["suspend_VDI"]) is not None
    return str(row["suspend_VDI"]) if there else NULL


@call("VM.copy", source=READ)
def copy(context: Context, vm: str, new_name: str, sr: str) -> str:
    """Full copies of the disks, on `sr` unless that is null."""
    with vm_operation(context, vm, "copy"):
        if sr != NULL:
            context.get("SR", sr)
        context.work(_CLONE + _COPY_PER_GIB * _disk_gib(context, vm))
        row = context.get("VM", vm)
        target, state, image = "" if sr == NULL else sr, row["power_state"], _image(context, row)
        return duplicate(context, vm, new_name, snapshot=False, sr=target, state=state, image=image)


def drop_devices(context: Context, vm: str, disposable: Collection[str] = ()) -> None:
    """The VM's VBDs and VIFs go; of its disks only those that are `disposable` and nobody else's."""
    db = context.db
    for vbd in list(context.get("VM", vm)["VBDs"]):
        vdi = db.value("VBD", vbd, "VDI")
        db.destroy("VBD", vbd)
        if vdi in disposable and db.find("VDI", vdi) is not None and not db.value("VDI", vdi, "VBDs"):
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
        drop_devices(context, vm)
        forget_vm(db, vm)
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
