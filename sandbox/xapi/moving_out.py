"""A VM that goes to another pool with its disks and snapshots: the same uuid, new references, gone where it was."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Mapping

from sandbox.xapi import allowed, disks, free_memory, macs
from sandbox.xapi.context import Context
from sandbox.xapi.departures import forget_vm
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import both_there, raise_if
from sandbox.xapi.registry import difference
from sandbox.xapi.rules import storage_motion
from sandbox.xapi.rules.placement import plugged_srs
from sandbox.xapi.rules.storage_motion import Journey, disks_of
from sandbox.xapi.rules.vm_operations import VmOperations
from sandbox.xapi.storage_motion import both, copied, slot
from sandbox.xapi.transplant import Load
from sandbox.xapi.values import NULL

_MEMORY_PER_GIB = 4.0
_GIB = 1 << 30

difference(
    "VM.migrate_send",
    "To another pool: blobs, VTPMs and what the VM used over time (RRDs) are left behind.",
    "Nothing of them is simulated.",
)


def eject_cds(context: Context, vm: str, mapped: Mapping[str, str]) -> None:
    """CDs do not travel, unless mapped to the SR that they are on; a suspended VM keeps its own."""
    if context.get("VM", vm)["power_state"] == "Suspended":
        return
    for vbd in context.get("VM", vm)["VBDs"]:
        row = context.get("VBD", vbd)
        if row["type"] != "CD" or row["empty"]:
            continue
        if mapped.get(row["VDI"]) != context.get("VDI", row["VDI"])["SR"]:
            context.db.write("VBD", vbd, VDI=NULL, empty=True)
            allowed.refresh(context.db, "VDI", row["VDI"])


def send(context: Context, journey: Journey, there: Context, sender: str) -> str:
    """Returns the VM's reference in the other pool. The operation on the VM is held, the checks are done."""
    vm, host = journey.vm, journey.host
    row = context.get("VM", vm)
    family = [vm, *(() if journey.copy else row.get("snapshots", ()))]
    with both(context, there):
        moves = _moves(context, journey, there, family, sender)
    running = row["power_state"] in ("Running", "Paused")
    with slot(context, sender):
        eject_cds(context, vm, journey.disks)
        with copied(context, there, host, moves) as new:
            if running:
                source, target = context.require_live(row["resident_on"]), there.require_live(host)
                seconds = _MEMORY_PER_GIB * row["memory_dynamic_max"] / _GIB
                context.work(seconds, 0.9, 1.0, alive=lambda: source.alive and target.alive)
                both_there(source, target)
            with both(context, there):
                _fits(there, journey)
                if not journey.copy:
                    _make_way(context, there, family)
                arrived = _arrive(context, journey, there, family, new)
                if not journey.copy:
                    _leave(context, there, family, new)
                free_memory.follow(there.pool, host)
                if running and not journey.copy:
                    free_memory.follow(context.pool, source.ref)
    return arrived


def _moves(context: Context, journey: Journey, there: Context, family: list[str], sender: str) -> dict[str, str]:
    """Every disk's SR at the destination: a snapshot's beside its origin's, a suspend image's as the pool says."""
    default = there.pool.record["default_SR"]
    moves = dict.fromkeys(disks_of(context.db, journey.vm), "")
    moves |= {vdi: journey.disks[vdi] for vdi in moves}
    for member in family:
        for vdi in disks_of(context.db, member):
            if vdi not in moves:
                origin = context.db.value("VDI", vdi, "snapshot_of")
                moves[vdi] = journey.disks.get(vdi) or journey.disks.get(origin) or default
        image = context.db.value("VM", member, "suspend_VDI")
        if context.db.value("VM", member, "power_state") == "Suspended" and context.db.find("VDI", image) is not None:
            if context.db.value("VDI", image, "SR") not in plugged_srs(context.db, sender):
                raise Failure("SUSPEND_IMAGE_NOT_ACCESSIBLE", image)
            wished = there.pool.record["suspend_image_SR"]
            moves[image] = wished if wished != NULL else default
    for vdi, sr in moves.items():
        if there.db.find("SR", sr) is None:
            raise Failure(*(("VDI_NOT_IN_MAP", vdi) if sr in ("", NULL) else ("HANDLE_INVALID", "SR", sr)))
    return moves


def _fits(there: Context, journey: Journey) -> None:
    """Once more when the disks are there. Raises Failure HOST_DISABLED, HOST_NOT_ENOUGH_FREE_MEMORY."""
    if not there.get("host", journey.host)["enabled"]:
        raise Failure("HOST_DISABLED", journey.host)
    raise_if(storage_motion.memory_error(journey))


def _make_way(context: Context, there: Context, family: list[str]) -> None:
    """Older ones of the same uuid are destroyed, their disks stay. Raises Failure where the other pool does not let
    go of one; nobody waits for that here, since both pools are held."""
    for vm in family:
        existing = storage_motion.twin(context.get("VM", vm), there.db)
        if existing is not None:
            raise_if(VmOperations(there.db, existing).error("destroy", strict=True))
            there.subcall("VM.destroy", existing)


def _arrive(context: Context, journey: Journey, there: Context, family: list[str], new: Mapping[str, str]) -> str:
    db = context.db
    members = [context.get("VM", vm) for vm in family]
    chosen = {
        "VM": family,
        "VBD": [ref for row in members for ref in row["VBDs"]],
        "VIF": [ref for row in members for ref in row["VIFs"]],
        "VM_metrics": [row["metrics"] for row in members if db.find("VM_metrics", row["metrics"])],
        "VM_guest_metrics": [r["guest_metrics"] for r in members if db.find("VM_guest_metrics", r["guest_metrics"])],
        "console": [ref for row in members for ref in row["consoles"]],
    }
    load = Load(db, chosen, dict(new))
    for vif in chosen["VIF"]:
        arriving = load.row("VIF", vif)
        arriving["network"] = storage_motion.network_for(journey, vif)
        if journey.copy:
            arriving |= {"MAC": macs.new(), "MAC_autogenerated": True}
    running = members[0]["power_state"] in ("Running", "Paused")
    vm = load.row("VM", journey.vm)
    if running:
        taken = (there.db.value("VM", other, "domid") for other in there.get("host", journey.host)["resident_VMs"])
        vm |= {"resident_on": journey.host, "domid": max((*taken, 0)) + 1}
    if journey.copy:
        for rows in load.objects.values():
            for row in rows.values():
                row["uuid"] = str(uuids.uuid4())
    else:
        for member in family:
            load.row("VM", member)["version"] += 1
    load.unload(there.db)
    for old, copy in new.items():
        origin = db.value("VDI", old, "snapshot_of")
        if db.value("VDI", old, "is_a_snapshot"):
            when = db.value("VDI", old, "snapshot_time")
            there.db.write("VDI", copy, snapshot_of=new.get(origin, NULL), snapshot_time=when)
    for member in family:
        allowed.refresh_vm(there.db, load.mapping[member])
    return load.mapping[journey.vm]


def _leave(context: Context, there: Context, family: list[str], new: Mapping[str, str]) -> None:
    for vm in family:
        row = context.get("VM", vm)
        for message, told in list(context.pool.messages.rows.items()):
            if told["cls"] == "VM" and told["obj_uuid"] == row["uuid"]:
                context.pool.messages.remove(message)
                there.pool.messages.add(message, told)
        forget_vm(context.db, vm)
        context.pool.guest_tools.pop(vm, None)
    for vdi in new:
        disks.remove(context, vdi)
