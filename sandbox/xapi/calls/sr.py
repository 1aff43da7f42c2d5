"""Storage repositories (SRs)."""

from __future__ import annotations

import uuid as uuids

from sandbox.xapi import allowed
from sandbox.xapi.calls.vdi import require_plugged
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.operations import sr_operation
from sandbox.xapi.registry import BOTH, READ, RECORDED, call, difference
from sandbox.xapi.rules import ha_statefile
from sandbox.xapi.storage import contents, drivers, pbds
from sandbox.xapi.storage.declared import Place
from sandbox.xapi.storage.pbds import refresh_sr
from sandbox.xapi.values import NULL, Row

_SCAN, _FORGET, _PROBE, _CREATE = 1.0, 1.0, 3.0, 8.0
_DRIVEN = "types nfs, iso, lvmoiscsi, lvmohba, lvm and ext"

difference(
    "SR.create",
    "Block devices of one host are not looked into: only an SR of this lab makes one busy.",
    "No partition tables stand behind the lab; the root device (code 105) is not offered.",
)


@call("SR.get_supported_types", source=RECORDED)
def get_supported_types(context: Context) -> list[str]:
    return [row["type"] for row in context.db.rows("SM").values()]


def _driver(context: Context, kind: str) -> drivers.Driver:
    """Raises Failure SR_UNKNOWN_DRIVER where the pool has none, NOT_IMPLEMENTED where the sandbox has none."""
    if kind.lower() not in get_supported_types(context):
        raise Failure("SR_UNKNOWN_DRIVER", kind)
    driver = drivers.DRIVERS.get(kind.lower())
    if driver is None:
        raise Failure("NOT_IMPLEMENTED", context.method)
    return driver


@call("SR.create", source=BOTH, only=_DRIVEN)
def create(
    context: Context,
    host: str,
    device_config: Row,
    _size: int,
    name_label: str,
    name_description: str,
    kind: str,
    content_type: str,
    shared: bool,
    sm_config: Row | None = None,
) -> str:
    """The record and its PBDs come first and go again if the driver fails; what cannot be plugged stays unplugged."""
    context.require_live(host)
    driver = _driver(context, kind)
    sr = introduce(context, "", name_label, name_description, kind, content_type, shared, sm_config)
    try:
        for member in _hosts(context) if shared else [host]:
            pbds.connect(context, sr, member, device_config)
        context.work(_CREATE)
        _format(context, sr, driver, host)
    except (Failure, HostDown):
        _drop_records(context, sr)
        raise
    for pbd in list(context.get("SR", sr)["PBDs"]):
        try:
            context.require_live(context.db.value("PBD", pbd, "host"))
            pbds.attach(context, pbd)
        except Failure:
            continue  # as in xapi: a host without its path shows in PBD.currently_attached only
    refresh_sr(context, sr)
    return sr


def _hosts(context: Context) -> list[str]:
    """The coordinator first."""
    first = context.pool.coordinator_ref
    return [first, *(host for host in context.db.rows("host") if host != first)]


def _format(context: Context, sr: str, driver: drivers.Driver, host: str) -> None:
    row = context.get("SR", sr)
    mine = next(p for p in row["PBDs"] if context.db.value("PBD", p, "host") == host)
    config = context.db.value("PBD", mine, "device_config")
    question = pbds.asked(context, host, config)
    try:
        place = driver.find(question)
    except Failure as failure:
        raise pbds.wrapped(failure, config) from failure
    if driver.formats and place.known and _in_use(context, place, sr):
        raise drivers.backend(*driver.in_use)
    if place.known and driver.formats:
        context.db.write("SR", sr, sm_config=_block_config(row, config))
    question.array.put(place, row["uuid"], formats=driver.formats)


def _in_use(context: Context, place: Place, sr: str) -> bool:
    known = context.db.tables["SR"].by_uuid
    return any(known.get(uuid, sr) != sr for uuid in context.estate.storage.srs(place))


def _block_config(row: Row, config: Row) -> Row:
    notes = {"allocation": "thick", "use_vhd": "true"} if row["type"].startswith("lvm") else {}
    if "SCSIid" in config:
        notes |= {"multipathable": "true", "devserial": f"scsi-{config['SCSIid']}"}
    return {**notes, **row["sm_config"]}


def _drop_records(context: Context, sr: str) -> None:
    if context.db.find("SR", sr) is None:
        return
    for pbd in list(context.get("SR", sr)["PBDs"]):
        pbds.drop(context, pbd)
    context.db.destroy("SR", sr)


@call("SR.make", source=READ)
def make(_context: Context, *_given: object) -> None:
    raise Failure("MESSAGE_DEPRECATED")


@call("SR.probe", source=BOTH, only=_DRIVEN)
def probe(context: Context, host: str, device_config: Row, kind: str, _sm_config: Row | None = None) -> str:
    """Choices come inside an error, the SRs that were found as the answer."""
    context.require_live(host)
    driver = _driver(context, kind)
    if not driver.probes:
        raise Failure("SR_BACKEND_FAILURE", "Operation 'sr_probe' not supported by this SR type", "", "")
    context.work(_PROBE)
    return drivers.probe(kind.lower(), pbds.asked(context, host, device_config))


@call("SR.probe_ext", source=READ, only=_DRIVEN)
def probe_ext(context: Context, host: str, _device_config: Row, kind: str, _sm_config: Row | None = None) -> None:
    """Drivers of the older interface give no structured answer."""
    context.require_live(host)
    _driver(context, kind)
    raise Failure("SR_OPERATION_NOT_SUPPORTED")


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
            "uuid": uuid or str(uuids.uuid4()),
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
    """Disks on the storage without a record get one."""
    with sr_operation(context, sr, "scan"):
        host = require_plugged(context, sr)
        context.work(_SCAN)
        config = next(
            pbd["device_config"]
            for pbd in (context.get("PBD", ref) for ref in context.get("SR", sr)["PBDs"])
            if pbd["host"] == host
        )
        contents.discover(context, sr, pbds.asked(context, host, config))
        sizes = (context.db.value("VDI", vdi, "virtual_size") for vdi in context.get("SR", sr)["VDIs"])
        context.db.write("SR", sr, virtual_allocation=sum(sizes))
    refresh_sr(context, sr)


def _gone(context: Context, sr: str) -> None:
    row = context.get("SR", sr)
    for vdi in list(row["VDIs"]):
        for vbd in list(context.get("VDI", vdi)["VBDs"]):
            context.db.destroy("VBD", vbd)
        context.db.destroy("VDI", vdi)
    _drop_records(context, sr)


@call("SR.forget", source=BOTH)
def forget(context: Context, sr: str) -> None:
    """Records go, data stays."""
    with sr_operation(context, sr, "forget"):
        context.work(_FORGET)
        row = context.get("SR", sr)
        contents.keep(context, row["uuid"], row["VDIs"])
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
        context.estate.storage.erase(context.get("SR", sr)["uuid"])
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
    plugged = (context.get("PBD", pbd) for pbd in context.get("SR", sr)["PBDs"])
    hosts = [pbd["host"] for pbd in plugged if pbd["currently_attached"]]
    return [h for h in hosts if context.db.value("host", h, "enabled") and _live(context, h)]


def _live(context: Context, host: str) -> bool:
    metrics = context.db.find("host_metrics", context.get("host", host)["metrics"])
    return metrics is not None and bool(metrics["live"])
