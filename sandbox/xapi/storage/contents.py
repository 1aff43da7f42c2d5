"""Disks that lie on storage without a record: kept when an SR or a disk is forgotten, found by a scan."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterable

from sandbox.xapi import allowed
from sandbox.xapi.context import Context
from sandbox.xapi.registry import difference
from sandbox.xapi.storage import drivers, figures
from sandbox.xapi.values import Row

_KEPT = ("uuid", "location", "name_label", "name_description", "virtual_size", "physical_utilisation", "type",
         "sm_config", "read_only", "is_a_snapshot", "sharable")  # fmt: skip
_IMAGE_SIZE = 1 << 30

difference(
    "SR.scan",
    "Finds disks whose records were forgotten, and the images of a declared ISO directory.",
    "Nothing else changes on the storage: no other system writes there.",
)


def keep(context: Context, sr_uuid: str, vdis: Iterable[str]) -> None:
    """The records of these disks are about to go; the disks stay."""
    rows = (context.get("VDI", vdi) for vdi in vdis)
    context.estate.storage.keep(sr_uuid, [{k: row[k] for k in _KEPT if k in row} for row in rows if row["managed"]])


def discover(context: Context, sr: str, asked: drivers.Asked) -> None:
    """Records for what has none. Files carry no names: such disks come back without theirs."""
    row = context.get("SR", sr)
    if row["type"] == "iso":
        known = {context.db.value("VDI", vdi, "location") for vdi in row["VDIs"]}
        for image in drivers.images(asked):
            if image not in known:
                introduce(context, sr, _image(image))
        return
    for disk in context.estate.storage.found(row["uuid"]):
        if disk["uuid"] not in context.db.tables["VDI"].by_uuid:
            nameless = {} if figures.is_thick(row["type"]) else {"name_label": "", "name_description": ""}
            introduce(context, sr, {**disk, **nameless})


def _image(name: str) -> Row:
    return {
        "uuid": str(uuids.uuid4()),
        "location": name,
        "name_label": name,
        "virtual_size": _IMAGE_SIZE,
        "physical_utilisation": _IMAGE_SIZE,
        "type": "user",
        "read_only": True,
    }


def introduce(context: Context, sr: str, disk: Row) -> str:
    """A record for a disk that is there."""
    vdi = context.db.create("VDI", {**disk, "SR": sr, "managed": True})
    figures.follow(context, sr, allocated=int(disk["virtual_size"]))
    allowed.refresh(context.db, "VDI", vdi)
    return vdi
