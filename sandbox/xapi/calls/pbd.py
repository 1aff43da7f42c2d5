"""PBDs: a host's connection to an SR."""

from __future__ import annotations

from sandbox.xapi import allowed
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import sr_operation
from sandbox.xapi.registry import BOTH, READ, call, difference
from sandbox.xapi.rules.ha_plan import is_protected
from sandbox.xapi.storage import figures
from sandbox.xapi.storage.drivers import DRIVERS, Asked, backend, path_state
from sandbox.xapi.values import NULL, Row

_PLUG = 2.0
_SECRET = "password_secret"
# What an iSCSI driver meets only when it logs in: it tells its caller no more than that the SR is not available.
_WRAPPED = {f"SR_BACKEND_FAILURE_{number}" for number in (19, 67, 68, 83, 141)}

difference(
    "PBD.plug",
    "The key storage_driver_domain comes only on the coordinator's PBDs and control domain, and only up to 26.16.",
    "As recorded, where one process stood for all hosts; newer releases have dropped the key.",
)


def refresh_sr(context: Context, sr: str) -> None:
    """An SR and its disks, whose operations depend on the SR's PBDs."""
    allowed.refresh(context.db, "SR", sr)
    for vdi in context.get("SR", sr)["VDIs"]:
        allowed.refresh(context.db, "VDI", vdi)


def asked(context: Context, host: str, config: Row) -> Asked:
    return Asked(context.estate.storage, context.db, context.get("host", host), config)


def wrapped(failure: Failure, config: Row) -> Failure:
    """As the driver tells a failure when it creates or attaches."""
    if "SCSIid" in config and "target" in config and failure.code in _WRAPPED:
        return backend(47, f"The SR is not available [opterr={failure.description[2]}]")
    return failure


@call("PBD.create", source=BOTH)
def create(context: Context, record: Row) -> str:
    sr = record["SR"]
    with sr_operation(context, sr, "pbd_create"):
        ref = connect(context, sr, record["host"], record["device_config"], record)
    refresh_sr(context, sr)
    return ref


def connect(context: Context, sr: str, host: str, config: Row, record: Row | None = None) -> str:
    """A new PBD, not plugged; passwords become secrets of its own."""
    context.get("host", host)
    for pbd in context.get("SR", sr)["PBDs"]:
        if context.db.value("PBD", pbd, "host") == host:
            raise Failure("PBD_EXISTS", sr, host, pbd)
    kept = _own_secrets(context, _without_master(config))
    fields = {**(record or {}), "SR": sr, "host": host, "device_config": kept, "currently_attached": False}
    return context.db.create("PBD", fields)


def _without_master(config: Row) -> Row:
    if "SRmaster" in config:
        raise Failure("VALUE_NOT_SUPPORTED", "SRmaster", config["SRmaster"], "This key is for internal use only")
    return config


def _own_secrets(context: Context, config: Row) -> Row:
    """Each `…password` becomes `…password_secret`, the uuid of a secret of the PBD's own; a secret that was given is
    copied. Raises Failure UUID_INVALID."""
    out = {}
    for key, value in config.items():
        if key.endswith(_SECRET):
            value = context.db.value("secret", context.db.by_uuid("secret", value), "value")
        elif not key.endswith("password"):
            out[key] = value
            continue
        secret = context.db.create("secret", {"value": value})
        out[f"{key.removesuffix('_secret')}_secret"] = context.db.value("secret", secret, "uuid")
    return out


@call("PBD.destroy", source=BOTH)
def destroy(context: Context, pbd: str) -> None:
    sr = context.get("PBD", pbd)["SR"]
    with sr_operation(context, sr, "pbd_destroy"):
        if context.get("PBD", pbd)["currently_attached"]:
            raise Failure("OPERATION_NOT_ALLOWED", "PBD is currently attached")
        drop(context, pbd)
    refresh_sr(context, sr)


def drop(context: Context, pbd: str) -> None:
    """The record and its secrets."""
    secrets = context.db.tables["secret"].by_uuid if "secret" in context.db.tables else {}
    for key, value in context.get("PBD", pbd)["device_config"].items():
        if key.endswith(_SECRET) and value in secrets:
            context.db.destroy("secret", secrets[value])
    context.db.destroy("PBD", pbd)


@call("PBD.set_device_config", source=READ)
def set_device_config(context: Context, pbd: str, value: dict[str, str]) -> None:
    """Takes effect at the next plug."""
    config = _own_secrets(context, _without_master(value))
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


def attach(context: Context, pbd: str) -> None:
    """The host's driver attaches the SR. Raises Failure as the driver does."""
    row = context.get("PBD", pbd)
    sr = context.get("SR", row["SR"])
    notes: Row = {}
    driver = DRIVERS.get(sr["type"])
    if driver is not None:
        question = asked(context, row["host"], row["device_config"])
        try:
            place = driver.find(question)
        except Failure as failure:
            raise wrapped(failure, row["device_config"]) from failure
        if sr["type"] != "iso" and not question.array.holds(place, sr["uuid"]):
            raise backend(*driver.lost)
        figures.first_look(context, row["SR"], place)
        if sr["type"] == "lvmoiscsi" and not question.array.open:
            notes = path_state(question)
    if row["host"] == context.pool.coordinator_ref and _notes_driver_domain(context):
        domain = context.get("host", row["host"])["control_domain"]
        notes["storage_driver_domain"] = domain
        context.db.set_key("VM", domain, "other_config", "storage_driver_domain", pbd)
    context.db.write("PBD", pbd, currently_attached=True, other_config={**row["other_config"], **notes})


def _notes_driver_domain(context: Context) -> bool:
    has_domain = context.db.find("VM", context.get("host", context.pool.coordinator_ref).get("control_domain", NULL))
    return bool(has_domain) and context.model.at_least("clearwater") and not context.model.at_least("26.17.0")


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
