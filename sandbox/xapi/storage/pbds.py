"""What a PBD is made of: its record with secrets of its own, and the driver that attaches it."""

from __future__ import annotations

from sandbox.xapi import allowed
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import difference
from sandbox.xapi.storage import figures
from sandbox.xapi.storage.drivers import DRIVERS, Asked, backend, path_state
from sandbox.xapi.values import NULL, Row

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


def connect(context: Context, sr: str, host: str, config: Row, record: Row | None = None) -> str:
    """A new PBD, not plugged; passwords become secrets of its own."""
    context.get("host", host)
    for pbd in context.get("SR", sr)["PBDs"]:
        if context.db.value("PBD", pbd, "host") == host:
            raise Failure("PBD_EXISTS", sr, host, pbd)
    kept = own_config(context, config)
    fields = {**(record or {}), "SR": sr, "host": host, "device_config": kept, "currently_attached": False}
    return context.db.create("PBD", fields)


def own_config(context: Context, config: Row) -> Row:
    """What a PBD keeps of a device_config: each `…password` becomes `…password_secret`, the uuid of a secret of its
    own; one that was given is copied. Raises Failure UUID_INVALID, VALUE_NOT_SUPPORTED.
    """
    if "SRmaster" in config:
        raise Failure("VALUE_NOT_SUPPORTED", "SRmaster", config["SRmaster"], "This key is for internal use only")
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


def drop(context: Context, pbd: str) -> None:
    """The record and its secrets."""
    secrets = context.db.tables["secret"].by_uuid if "secret" in context.db.tables else {}
    for key, value in context.get("PBD", pbd)["device_config"].items():
        if key.endswith(_SECRET) and value in secrets:
            context.db.destroy("secret", secrets[value])
    context.db.destroy("PBD", pbd)


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
