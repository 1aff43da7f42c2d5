"""PBDs: a host's connection to an SR."""

from __future__ import annotations

from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import sr_operation
from sandbox.xapi.registry import BOTH, READ, call
from sandbox.xapi.rules.ha_plan import is_protected
from sandbox.xapi.storage.pbds import attach, connect, drop, own_config, refresh_sr
from sandbox.xapi.values import Row

_PLUG = 2.0


@call("PBD.create", source=BOTH)
def create(context: Context, record: Row) -> str:
    sr = record["SR"]
    with sr_operation(context, sr, "pbd_create"):
        ref = connect(context, sr, record["host"], record["device_config"], record)
    refresh_sr(context, sr)
    return ref


@call("PBD.destroy", source=BOTH)
def destroy(context: Context, pbd: str) -> None:
    sr = context.get("PBD", pbd)["SR"]
    with sr_operation(context, sr, "pbd_destroy"):
        if context.get("PBD", pbd)["currently_attached"]:
            raise Failure("OPERATION_NOT_ALLOWED", "PBD is currently attached")
        drop(context, pbd)
    refresh_sr(context, sr)


@call("PBD.set_device_config", source=READ)
def set_device_config(context: Context, pbd: str, value: dict[str, str]) -> None:
    """Takes effect at the next plug."""
    config = own_config(context, value)
    context.db.write("PBD", pbd, device_config=config)


@call("PBD.plug", source=BOTH)
def plug(context: Context, pbd: str) -> None:
    """Plugging twice is silent."""
    row = context.get("PBD", pbd)
    sr = row["SR"]
    with sr_operation(context, sr, "plug"):
        context.require_live(row["host"])
        if row["currently_attached"]:
            return
        _sharing(context, sr, row["host"])
        context.work(_PLUG)
        attach(context, pbd)
    refresh_sr(context, sr)


def _sharing(context: Context, sr: str, host: str) -> None:
    if context.get("SR", sr)["shared"]:
        return
    for other in (context.get("PBD", p) for p in context.get("SR", sr)["PBDs"]):
        if other["currently_attached"] and other["host"] != host:
            raise Failure("SR_NOT_SHARABLE", sr, other["host"])


@call("PBD.unplug", source=BOTH)
def unplug(context: Context, pbd: str) -> None:
    """HA's claims come before disks in use; unplugging what is not plugged is silent."""
    row = context.get("PBD", pbd)
    sr, host = row["SR"], row["host"]
    with sr_operation(context, sr, "unplug"):
        context.require_live(host)
        if not row["currently_attached"]:
            return
        _ha_claims(context, sr, host)
        used = [vdi for vdi in context.get("SR", sr)["VDIs"] if _used_on(context, vdi, host)]
        if used:
            raise Failure("VDI_IN_USE", *used)
        context.work(_PLUG)
        notes = {k: v for k, v in row["other_config"].items() if not k.startswith("mpath-") and k != "iscsi_sessions"}
        context.db.write("PBD", pbd, currently_attached=False, other_config=notes)
    refresh_sr(context, sr)


def _ha_claims(context: Context, sr: str, host: str) -> None:
    pool = context.pool.record
    if not pool["ha_enabled"]:
        return
    if context.db.value("host", host, "enabled") and not pool["ha_allow_overcommit"]:
        for vdi in context.get("SR", sr)["VDIs"]:
            for vbd in context.get("VDI", vdi)["VBDs"]:
                if is_protected(context.get("VM", context.db.value("VBD", vbd, "VM"))):
                    raise Failure("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", sr)
    if any(context.db.value("VDI", v, "SR") == sr for v in pool["ha_statefiles"] if context.db.find("VDI", v)):
        raise Failure("HA_IS_ENABLED")


def _used_on(context: Context, vdi: str, host: str) -> bool:
    vbds = (context.get("VBD", vbd) for vbd in context.get("VDI", vdi)["VBDs"])
    return any(vbd["currently_attached"] and context.db.value("VM", vbd["VM"], "resident_on") == host for vbd in vbds)
