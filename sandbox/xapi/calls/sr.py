"""Storage repositories and their connections to hosts (PBDs)."""

from __future__ import annotations

from contextlib import ExitStack

from sandbox.xapi import allowed
from sandbox.xapi.calls.vdi import require_plugged
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import sr_operation
from sandbox.xapi.registry import BOTH, READ, RECORDED, call, difference
from sandbox.xapi.rules import ha_statefile
from sandbox.xapi.rules.ha_plan import is_protected
from sandbox.xapi.values import NULL, Row

_SCAN, _PLUG, _FORGET = 1.0, 2.0, 1.0

difference("SR.create", "Refused with NOT_IMPLEMENTED for a type that has a driver.",
           "No storage server stands behind the lab yet; an unknown type gets SR_UNKNOWN_DRIVER.")  # fmt: skip
difference("SR.scan", "Finds nothing new.", "Disks only come and go through XenAPI here.")


def refresh_sr(context: Context, sr: str) -> None:
    """An SR and its disks, whose operations depend on the SR's PBDs."""
    allowed.refresh(context.db, "SR", sr)
    for vdi in context.get("SR", sr)["VDIs"]:
        allowed.refresh(context.db, "VDI", vdi)


@call("SR.get_supported_types", source=RECORDED)
def get_supported_types(context: Context) -> list[str]:
    return [row["type"] for row in context.db.rows("SM").values()]


def _require_driver(context: Context, kind: str) -> None:
    if kind.lower() not in get_supported_types(context):
        raise Failure("SR_UNKNOWN_DRIVER", kind)
    raise Failure("NOT_IMPLEMENTED", context.method)


@call("SR.create", source=RECORDED, only="a type without a driver is refused as in xapi")
def create(
    context: Context,
    host: str,
    _device_config: Row,
    _size: int,
    _name: str,
    _description: str,
    kind: str,
    *_rest: object,
) -> None:
    context.get("host", host)
    _require_driver(context, kind)


@call("SR.probe", "SR.probe_ext", source=RECORDED, only="a type without a driver is refused as in xapi")
def probe(context: Context, _host: str, _device_config: Row, kind: str, *_rest: object) -> None:
    _require_driver(context, kind)


@call("SR.introduce", source=BOTH)
def introduce(
    context: Context,
    uuid: str,
    name_label: str,
    name_description: str,
    kind: str,
    content_type: str,
    shared: bool,
    sm_config: Row | None = None,
) -> str:
    """Only the record. The uuid is not looked at, except that it must be new; "" makes one."""
    if uuid in context.db.tables["SR"].by_uuid:
        raise Failure("SR_UUID_EXISTS", uuid)
    sr = context.db.create(
        "SR",
        {
            "uuid": uuid,
            "name_label": name_label,
            "name_description": name_description,
            "type": kind.lower(),
            "content_type": content_type,
            "shared": shared,
            "sm_config": sm_config or {},
            "physical_size": -1,
            "physical_utilisation": -1,
        },
    )
    allowed.refresh(context.db, "SR", sr)
    return sr


@call("SR.scan", source=BOTH)
def scan(context: Context, sr: str) -> None:
    with sr_operation(context, sr, "scan"):
        require_plugged(context, sr)
        context.work(_SCAN)
        sizes = (context.db.value("VDI", vdi, "virtual_size") for vdi in context.get("SR", sr)["VDIs"])
        context.db.write("SR", sr, virtual_allocation=sum(sizes))


def _gone(context: Context, sr: str) -> None:
    row = context.get("SR", sr)
    for vdi in list(row["VDIs"]):
        for vbd in list(context.get("VDI", vdi)["VBDs"]):
            context.db.destroy("VBD", vbd)
        context.db.destroy("VDI", vdi)
    for pbd in list(row["PBDs"]):
        context.db.destroy("PBD", pbd)
    context.db.destroy("SR", sr)


@call("SR.forget", source=BOTH)
def forget(context: Context, sr: str) -> None:
    """Records go, data stays."""
    with sr_operation(context, sr, "forget"):
        context.work(_FORGET)
        _gone(context, sr)


@call("SR.destroy", source=BOTH)
def destroy(context: Context, sr: str) -> None:
    with sr_operation(context, sr, "destroy"):
        if context.get("SR", sr)["other_config"].get("indestructible") == "true":
            raise Failure("SR_INDESTRUCTIBLE", sr)
        for host, row in context.db.rows("host").items():
            if row.get("local_cache_sr", NULL) == sr:
                raise Failure("SR_IS_CACHE_SR", host)
        context.work(_FORGET)
        _gone(context, sr)


@call("SR.update", source=READ)
def update(context: Context, sr: str) -> None:
    with sr_operation(context, sr, "update"):
        require_plugged(context, sr)


@call("SR.set_shared", source=READ)
def set_shared(context: Context, sr: str, value: bool) -> None:
    """Not away from shared while several hosts have a PBD."""
    if not value and len(context.get("SR", sr)["PBDs"]) > 1:
        raise Failure("SR_HAS_MULTIPLE_PBDS", *context.get("SR", sr)["PBDs"])
    context.db.write("SR", sr, shared=value)


@call("SR.assert_can_host_ha_statefile", source=BOTH)
def assert_can_host_ha_statefile(context: Context, sr: str) -> None:
    ha_statefile.check_sr(context.db, sr)


@call("SR.get_live_hosts", source=READ)
def get_live_hosts(context: Context, sr: str) -> list[str]:
    pbds = (context.get("PBD", pbd) for pbd in context.get("SR", sr)["PBDs"])
    plugged = [pbd["host"] for pbd in pbds if pbd["currently_attached"]]
    return [h for h in plugged if context.db.value("host", h, "enabled") and _live(context, h)]


def _live(context: Context, host: str) -> bool:
    metrics = context.db.find("host_metrics", context.get("host", host)["metrics"])
    return metrics is not None and bool(metrics["live"])


@call("PBD.create", source=BOTH)
def pbd_create(context: Context, record: Row) -> str:
    sr, host = record["SR"], record["host"]
    with sr_operation(context, sr, "pbd_create"):
        context.get("host", host)
        for pbd in context.get("SR", sr)["PBDs"]:
            if context.db.value("PBD", pbd, "host") == host:
                raise Failure("PBD_EXISTS", sr, host, pbd)
        if "SRmaster" in record["device_config"]:
            raise Failure("VALUE_NOT_SUPPORTED", "device_config", "SRmaster", "This key is for internal use only")
        config = _without_passwords(context, record["device_config"])
        ref = context.db.create("PBD", {**record, "device_config": config, "currently_attached": False})
    refresh_sr(context, sr)
    return ref


def _without_passwords(context: Context, config: dict[str, str]) -> dict[str, str]:
    """Each `…password` becomes `…password_secret`, the uuid of a secret of the PBD's own."""
    out = {}
    for key, value in config.items():
        if key.endswith("password"):
            secret = context.db.create("secret", {"value": value})
            out[f"{key}_secret"] = context.db.value("secret", secret, "uuid")
        else:
            out[key] = value
    return out


@call("PBD.destroy", source=BOTH)
def pbd_destroy(context: Context, pbd: str) -> None:
    sr = context.get("PBD", pbd)["SR"]
    with sr_operation(context, sr, "pbd_destroy"):
        if context.get("PBD", pbd)["currently_attached"]:
            raise Failure("OPERATION_NOT_ALLOWED", "PBD is currently attached")
        context.db.destroy("PBD", pbd)
    refresh_sr(context, sr)


@call("PBD.set_device_config", source=READ)
def set_device_config(context: Context, pbd: str, value: dict[str, str]) -> None:
    """Takes effect at the next plug."""
    if "SRmaster" in value:
        raise Failure("VALUE_NOT_SUPPORTED", "device_config", "SRmaster", "This key is for internal use only")
    context.db.write("PBD", pbd, device_config=_without_passwords(context, value))


@call("PBD.plug", source=BOTH)
def pbd_plug(context: Context, pbd: str) -> None:
    """Plugging twice is silent."""
    row = context.get("PBD", pbd)
    sr = row["SR"]
    with sr_operation(context, sr, "plug"):
        context.require_live(row["host"])
        if row["currently_attached"]:
            return
        others = [p for p in context.get("SR", sr)["PBDs"] if context.db.value("PBD", p, "currently_attached")]
        if not context.get("SR", sr)["shared"] and others:
            raise Failure("SR_NOT_SHARABLE", sr, context.db.value("PBD", others[0], "host"))
        context.work(_PLUG)
        context.db.write("PBD", pbd, currently_attached=True)
    refresh_sr(context, sr)


@call("PBD.unplug", source=BOTH)
def pbd_unplug(context: Context, pbd: str) -> None:
    """HA's claims come before disks in use; unplugging what is not plugged is silent."""
    row = context.get("PBD", pbd)
    sr, host = row["SR"], row["host"]
    with ExitStack() as stack:
        stack.enter_context(sr_operation(context, sr, "unplug"))
        context.require_live(host)
        if not row["currently_attached"]:
            return
        _ha_claims(context, sr, host)
        used = [vdi for vdi in context.get("SR", sr)["VDIs"] if _used_on(context, vdi, host)]
        if used:
            raise Failure("VDI_IN_USE", *used)
        context.work(_PLUG)
        context.db.write("PBD", pbd, currently_attached=False)
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
