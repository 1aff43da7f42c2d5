"""VDIs: virtual disks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.xapi import disks
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import sr_operation, vdi_operation
from sandbox.xapi.registry import BOTH, READ, call
from sandbox.xapi.storage import contents
from sandbox.xapi.storage.drivers import backend
from sandbox.xapi.values import NULL, Row

_FAST, _COPY_PER_GIB = 0.5, 8.0
_GIB, _MIB = 1 << 30, 1 << 20
_VHD_MOST = 2_088_960 * _MIB
"""What a VHD can hold at most."""


@call("VDI.create", source=BOTH)
def create(context: Context, record: Row) -> str:
    """On an SR that is plugged somewhere, and whose driver can create."""
    sr = record["SR"]
    require_plugged(context, sr)
    with sr_operation(context, sr, "vdi_create"):
        context.work(_FAST)
        _check_size(context, record)
        return disks.make(context, record)


def _check_size(context: Context, record: Row) -> None:
    raw = record.get("sm_config", {}).get("type") == "raw"
    if not context.estate.storage.open and not raw and not 0 < record["virtual_size"] <= _VHD_MOST:
        raise backend(79, f"A disk cannot have that size [opterr=1 byte to {_VHD_MOST}]")


def require_plugged(context: Context, sr: str) -> str:
    """A live host that has the SR. Raises Failure SR_HAS_NO_PBDS."""
    for pbd in (context.get("PBD", r) for r in context.get("SR", sr)["PBDs"]):
        host = context.db.find("host", pbd["host"])
        if pbd["currently_attached"] and host is not None:
            return str(pbd["host"])
    raise Failure("SR_HAS_NO_PBDS", sr)


@contextmanager
def _in_storage(context: Context, vdi: str, op: str) -> Iterator[None]:
    """An operation on the disk that its SR does, and shows as its own. Raises Failure when either cannot."""
    sr = context.get("VDI", vdi)["SR"]
    with vdi_operation(context, vdi, op), sr_operation(context, sr, f"vdi_{op}"):
        require_plugged(context, sr)
        context.work(_FAST)
        yield


@call("VDI.destroy", source=BOTH)
def destroy(context: Context, vdi: str) -> None:
    with _in_storage(context, vdi, "destroy"):
        _drop_vbds(context, vdi)
        disks.remove(context, vdi)


def _drop_vbds(context: Context, vdi: str) -> None:
    for vbd in list(context.get("VDI", vdi)["VBDs"]):
        if context.get("VBD", vbd)["type"] == "CD":
            context.db.write("VBD", vbd, VDI=NULL, empty=True)
        else:
            context.db.destroy("VBD", vbd)


@call("VDI.introduce", source=READ, only="of disks that were forgotten")
def introduce(
    context: Context,
    uuid: str,
    name_label: str,
    name_description: str,
    sr: str,
    kind: str,
    sharable: bool,
    read_only: bool,
    other_config: Row,
    location: str,
    *_rest: object,
) -> str:
    """A record for a disk that lies on the SR without one."""
    row = context.get("SR", sr)
    with sr_operation(context, sr, "vdi_introduce"):
        require_plugged(context, sr)
        if any(context.db.value("VDI", vdi, "location") == location for vdi in row["VDIs"]):
            raise Failure("LOCATION_NOT_UNIQUE", sr, location)
        context.work(_FAST)
        found = context.estate.storage.take(row["uuid"], location)
        if found is None:
            raise backend(46, "There is no such disk")
        told = {"name_label": name_label, "name_description": name_description, "type": kind, "sharable": sharable}
        also = {"read_only": read_only, "other_config": other_config, "uuid": uuid or found["uuid"]}
        return contents.introduce(context, sr, {**found, **told, **also})


@call("VDI.forget", source=READ)
def forget(context: Context, vdi: str) -> None:
    """The record goes, the data stays."""
    with vdi_operation(context, vdi, "forget"):
        contents.keep(context, context.db.value("SR", context.get("VDI", vdi)["SR"], "uuid"), [vdi])
        _drop_vbds(context, vdi)
        context.db.destroy("VDI", vdi)


@call("VDI.resize", source=BOTH)
def resize(context: Context, vdi: str, size: int) -> None:
    with _in_storage(context, vdi, "resize"):
        if not context.estate.storage.open and size < context.get("VDI", vdi)["virtual_size"]:
            raise backend(79, "A disk cannot shrink")
        disks.grow(context, vdi, size)


@call("VDI.snapshot", source=READ)
def snapshot(context: Context, vdi: str, _driver_params: dict[str, str] | None = None) -> str:
    with _in_storage(context, vdi, "snapshot"):
        return disks.copy(context, vdi, snapshot=True)


@call("VDI.clone", source=READ)
def clone(context: Context, vdi: str, _driver_params: dict[str, str] | None = None) -> str:
    with _in_storage(context, vdi, "clone"):
        return disks.copy(context, vdi, snapshot=False, shared_past=True)


@call("VDI.copy", source=READ, only="whole copies; with a base disk, refused as not implemented")
def copy(context: Context, vdi: str, sr: str, base_vdi: str = NULL, into_vdi: str = NULL) -> str:
    """To another SR, or into a disk that is at least as big."""
    if base_vdi != NULL:
        context.get("VDI", base_vdi)
        raise Failure("NOT_IMPLEMENTED", context.method)
    with vdi_operation(context, vdi, "copy"):
        row = context.get("VDI", vdi)
        if into_vdi != NULL and context.get("VDI", into_vdi)["virtual_size"] < row["virtual_size"]:
            raise Failure("VDI_TOO_SMALL", into_vdi, row["virtual_size"])
        if into_vdi == NULL:
            require_plugged(context, sr)
        context.work(_FAST + _COPY_PER_GIB * row["physical_utilisation"] / _GIB)
        return into_vdi if into_vdi != NULL else disks.copy(context, vdi, snapshot=False, sr=sr)


@call("VDI.update", source=READ)
def update(context: Context, vdi: str) -> None:
    with vdi_operation(context, vdi, "update"):
        require_plugged(context, context.get("VDI", vdi)["SR"])


@call("VDI.set_on_boot", source=READ)
def set_on_boot(context: Context, vdi: str, value: str) -> None:
    with vdi_operation(context, vdi, "set_on_boot"):
        context.db.write("VDI", vdi, on_boot=value)


@call("VDI.set_allow_caching", source=READ)
def set_allow_caching(context: Context, vdi: str, value: bool) -> None:
    context.db.write("VDI", vdi, allow_caching=value)
