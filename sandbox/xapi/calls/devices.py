"""VBDs, VIFs and networks."""

from __future__ import annotations

import re
from typing import Any

from sandbox.xapi import allowed, domains, macs
from sandbox.xapi.calls.vm_place import vbd_positions
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import device_operation, raise_if
from sandbox.xapi.registry import BOTH, READ, RECORDED, call
from sandbox.xapi.rules import Error
from sandbox.xapi.rules.device_operations import vbd_verdicts
from sandbox.xapi.rules.ha_plan import is_protected
from sandbox.xapi.rules.placement import is_network_shared_properly, is_sr_shared_properly
from sandbox.xapi.values import NULL, Row

_PLUG = 1.0


def _refresh(context: Context, vbd: str) -> None:
    row = context.get("VBD", vbd)
    allowed.refresh(context.db, "VBD", vbd)
    if row["VDI"] != NULL:
        allowed.refresh(context.db, "VDI", row["VDI"])


def _ha_refuses(context: Context, vm: str) -> bool:
    pool = context.pool.record
    return pool["ha_enabled"] and not pool["ha_allow_overcommit"] and is_protected(context.get("VM", vm))


def _protected_disk(context: Context, vm: str, vdi: str) -> Error | None:
    """Not a disk that ties a protected VM to a host."""
    sr = context.get("VDI", vdi)["SR"]
    if _ha_refuses(context, vm) and not is_sr_shared_properly(context.db, sr):
        return ["HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", sr]
    return None


@call("VBD.create", source=READ)
def vbd_create(context: Context, record: Row) -> str:
    vm = record["VM"]
    row = context.get("VM", vm)
    if record["type"] == "CD" and record["mode"] != "RO":
        raise Failure("VBD_CDS_MUST_BE_READONLY")
    if record["empty"] and record["type"] != "CD":
        raise Failure("VBD_NOT_REMOVABLE_MEDIA", NULL)
    if not record["empty"]:
        vdi = context.get("VDI", record["VDI"])
        if record["mode"] == "RW" and vdi["read_only"]:
            raise Failure("VDI_READONLY", record["VDI"])
        if vdi["type"] == "cbt_metadata":
            raise Failure("VDI_INCOMPATIBLE_TYPE", record["VDI"], vdi["type"])
        raise_if(_protected_disk(context, vm, record["VDI"]))
    used = {context.db.value("VBD", ref, "userdevice") for ref in row["VBDs"]}
    positions = [str(n) for n in range(vbd_positions(context))]
    position = record["userdevice"]
    if position == "autodetect":
        position = next(p for p in positions if p not in used)
    if position not in positions and not re.fullmatch(r"(xvd|hd|sd)[a-z]+\d*", position):
        raise Failure("INVALID_DEVICE", position)
    if position in used:
        raise Failure("DEVICE_ALREADY_EXISTS", position)
    changes: Row = {"userdevice": position, "device": record.get("device") or "", "currently_attached": False}
    if record["empty"]:
        changes["VDI"] = NULL
    ref = context.db.create("VBD", {**record, **changes})
    _refresh(context, ref)
    return ref


@call("VBD.destroy", source=READ)
def vbd_destroy(context: Context, vbd: str) -> None:
    vdi = context.get("VBD", vbd)["VDI"]
    _let_go(context, "VBD", vbd)
    context.db.destroy("VBD", vbd)
    allowed.refresh(context.db, "VDI", vdi)


def _let_go(context: Context, cls: str, device: str) -> None:
    """Raises Failure while a running VM has the device."""
    row = context.get(cls, device)
    vm = context.get("VM", row["VM"])
    if row["currently_attached"] and vm["power_state"] == "Running":
        raise Failure("OPERATION_NOT_ALLOWED", f"{cls} '{row['uuid']}' still attached to '{vm['uuid']}'")


@call("VBD.insert", source=READ)
def vbd_insert(context: Context, vbd: str, vdi: str) -> None:
    with device_operation(context, "VBD", vbd, "insert"):
        context.get("VDI", vdi)
        raise_if(_protected_disk(context, context.get("VBD", vbd)["VM"], vdi))
        context.work(_PLUG)
        context.db.write("VBD", vbd, VDI=vdi, empty=False)
    _refresh(context, vbd)


@call("VBD.eject", source=READ)
def vbd_eject(context: Context, vbd: str) -> None:
    with device_operation(context, "VBD", vbd, "eject"):
        vdi = context.get("VBD", vbd)["VDI"]
        context.work(_PLUG)
        context.db.write("VBD", vbd, VDI=NULL, empty=True)
    _refresh(context, vbd)
    allowed.refresh(context.db, "VDI", vdi)


def _plugging(cls: str, op: str, attached: bool) -> None:
    @call(f"{cls}.{op}", source=READ)
    def plug(context: Context, ref: str) -> None:
        with device_operation(context, cls, ref, op):
            context.work(_PLUG)
            changes: dict[str, Any] = {"currently_attached": attached}
            if cls == "VBD" and attached:
                changes["device"] = domains.device_name(context.get(cls, ref)["userdevice"])
            context.db.write(cls, ref, **changes)
        if cls == "VBD":
            _refresh(context, ref)
        else:
            allowed.refresh(context.db, cls, ref)


for _cls, _op, _attached in (
    ("VBD", "plug", True),
    ("VBD", "unplug", False),
    ("VBD", "unplug_force", False),
    ("VIF", "plug", True),
    ("VIF", "unplug", False),
):
    _plugging(_cls, _op, _attached)


@call("VBD.assert_attachable", source=READ)
def assert_attachable(context: Context, vbd: str) -> None:
    raise_if(vbd_verdicts(context.db, vbd, sharing=True)["attach"])


@call("VBD.set_mode", source=READ)
def set_mode(context: Context, vbd: str, value: str) -> None:
    row = context.get("VBD", vbd)
    state = context.get("VM", row["VM"])["power_state"]
    if state != "Halted":
        raise Failure("VM_BAD_POWER_STATE", row["VM"], "halted", state.lower())
    context.db.write("VBD", vbd, mode=value)


@call("VIF.create", source=READ)
def vif_create(context: Context, record: Row) -> str:
    vm, network, device = record["VM"], record["network"], record["device"]
    row = context.get("VM", vm)
    context.get("network", network)
    if not device.isdigit():
        raise Failure("INVALID_DEVICE", device)
    mac = record["MAC"]
    if mac and not macs.is_unicast(mac):
        raise Failure("MAC_INVALID", mac)
    if any(context.db.value("VIF", ref, "device") == device for ref in row["VIFs"]):
        raise Failure("DEVICE_ALREADY_EXISTS", device)
    if _ha_refuses(context, vm) and not is_network_shared_properly(context.db, network):
        raise Failure("HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED", network)
    changes: Row = {"MAC": mac.lower() or macs.new(), "MAC_autogenerated": not mac, "currently_attached": False}
    ref = context.db.create("VIF", {**record, **changes})
    allowed.refresh(context.db, "VIF", ref)
    return ref


@call("VIF.destroy", source=READ)
def vif_destroy(context: Context, vif: str) -> None:
    _let_go(context, "VIF", vif)
    context.db.destroy("VIF", vif)


@call("network.create", source=RECORDED)
def network_create(context: Context, record: Row) -> str:
    """An internal network gets the lowest bridge name xapiN that is free."""
    bridge = record.get("bridge", "")
    names = {row["bridge"] for row in context.db.rows("network").values()}
    if record.get("managed", True) and not bridge:
        bridge = next(f"xapi{n}" for n in range(len(names) + 1) if f"xapi{n}" not in names)
    elif bridge in names:
        raise Failure("BRIDGE_NAME_EXISTS", bridge)
    elif not bridge:
        raise Failure("BRIDGE_NOT_AVAILABLE", bridge)
    return context.db.create("network", {**record, "bridge": bridge})


@call("network.destroy", source=BOTH)
def network_destroy(context: Context, network: str) -> None:
    row = context.get("network", network)
    attached = [v for v in row["VIFs"] if context.db.value("VIF", v, "currently_attached")]
    if attached:
        raise Failure("NETWORK_CONTAINS_VIF", *attached)
    if row["PIFs"]:
        raise Failure("NETWORK_CONTAINS_PIF", *row["PIFs"])
    if row["other_config"].get("is_host_internal_management_network") == "true":
        raise Failure("CANNOT_DESTROY_SYSTEM_NETWORK", network)
    for vif in list(row["VIFs"]):
        context.db.destroy("VIF", vif)
    context.db.destroy("network", network)
