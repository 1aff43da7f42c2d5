"""Virtual disks coming, being copied and going, with what each takes of its SR."""

from __future__ import annotations

import uuid

from sandbox.xapi import allowed
from sandbox.xapi.context import Context
from sandbox.xapi.registry import difference
from sandbox.xapi.storage import figures
from sandbox.xapi.storage.drivers import backend
from sandbox.xapi.values import EPOCH, NULL, Row, Time

_LAYOUT = "vdi_type"

difference(
    "VDI.snapshot",
    "The hidden disk that a driver keeps for two that share their past (managed=false) is not made.",
    "A snapshot's own physical_utilisation stands for it: its whole size on LVM, next to nothing in a file.",
)


def make(context: Context, record: Row, used: int | None = None) -> str:
    """A new disk of `record`; `used` bytes of it are written already. Raises Failure SR_BACKEND_FAILURE_44 when it
    does not fit."""
    sr, size = record["SR"], int(record["virtual_size"])
    taken = _taken(context, sr, size, used)
    check_room(context, sr, taken)
    identity = str(uuid.uuid4())
    fields = {**record, "uuid": identity, "location": identity, "managed": True, "physical_utilisation": taken}
    vdi = context.db.create("VDI", {**fields, "sm_config": _noted(context, sr, record.get("sm_config", {}))})
    figures.follow(context, sr, allocated=size, used=taken)
    allowed.refresh(context.db, "VDI", vdi)
    return vdi


def _taken(context: Context, sr: str, size: int, used: int | None) -> int:
    if context.estate.storage.open:
        return figures.taken_at_first("", size) if used is None else used
    kind = context.get("SR", sr)["type"]
    at_first = figures.taken_at_first(kind, size)
    return at_first if used is None or figures.is_thick(kind) else max(used, at_first)


def _noted(context: Context, sr: str, config: Row) -> Row:
    """Drivers for LVM note at each disk how it is laid out (sm, LVHDSR); those that keep disks as files do not."""
    kept = {key: value for key, value in config.items() if key != _LAYOUT}
    if not context.get("SR", sr)["type"].startswith("lvm"):
        return kept
    return {**kept, _LAYOUT: "aio" if config.get("type") == "raw" else "vhd"}


def check_room(context: Context, sr: str, taken: int) -> None:
    """Raises Failure SR_BACKEND_FAILURE_44."""
    room = figures.room(context, sr)
    if room is not None and taken > room:
        raise backend(44, f"There is not enough space [opterr=need {taken}, free {room}]")


def copy(context: Context, vdi: str, *, snapshot: bool, sr: str = "", shared_past: bool = False) -> str:
    """Another disk with the same content, on `sr` or where the first is. A snapshot, and a clone on the same SR
    (`shared_past`), takes little of its own."""
    row = context.get("VDI", vdi)
    little = (snapshot or shared_past) and not context.estate.storage.open
    links = {"snapshot_of": vdi, "snapshot_time": context.now()} if snapshot else {}
    used = None if little else row["physical_utilisation"]
    return receive(context, {**row, **links, "is_a_snapshot": snapshot}, sr or row["SR"], used=used)


def receive(context: Context, row: Row, sr: str, *, used: int | None) -> str:
    """A disk on `sr` with the content and the properties of another, given by its record; that may be another pool's.
    Raises Failure SR_BACKEND_FAILURE_44."""
    taken = _taken(context, sr, row["virtual_size"], used)
    check_room(context, sr, taken)
    identity = str(uuid.uuid4())
    links = {"snapshot_of": row["snapshot_of"], "snapshot_time": row["snapshot_time"]} if row["is_a_snapshot"] else {}
    changes: Row = {
        "uuid": identity,
        "location": identity,
        "SR": sr,
        "physical_utilisation": taken,
        "current_operations": {},
        "VBDs": [],
        "snapshots": [],
        "crash_dumps": [],
        "snapshot_of": NULL,
        "snapshot_time": Time(EPOCH),
        "sm_config": _noted(context, sr, row["sm_config"]),
        **links,
    }
    new = context.db.create("VDI", {**row, **changes})
    figures.follow(context, sr, allocated=row["virtual_size"], used=taken)
    allowed.refresh(context.db, "VDI", new)
    return new


def remove(context: Context, vdi: str) -> None:
    """The disk and its record are gone."""
    row = context.get("VDI", vdi)
    context.db.destroy("VDI", vdi)
    figures.follow(context, row["SR"], allocated=-row["virtual_size"], used=-row["physical_utilisation"])


def grow(context: Context, vdi: str, size: int) -> None:
    row = context.get("VDI", vdi)
    thick = figures.is_thick(context.get("SR", row["SR"])["type"]) and not context.estate.storage.open
    more = size - row["virtual_size"]
    if thick:
        check_room(context, row["SR"], more)
        context.db.write("VDI", vdi, physical_utilisation=row["physical_utilisation"] + more)
    context.db.write("VDI", vdi, virtual_size=size)
    figures.follow(context, row["SR"], allocated=more, used=more if thick else 0)
