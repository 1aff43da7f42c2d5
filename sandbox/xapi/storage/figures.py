"""How big SRs are and how full: what drivers report when they attach, and what follows from their disks."""

from __future__ import annotations

from sandbox.xapi.context import Context
from sandbox.xapi.storage.declared import Place
from sandbox.xapi.values import Row

_EXTENT = 4 << 20
_GROUP_OVERHEAD = 12 << 20
_MANAGEMENT_VOLUME = _EXTENT
_THIN_START = 4096
"""Bytes that an empty disk file takes."""


def is_thick(kind: str) -> bool:
    """Does a disk of an SR of that type take its whole size from the start?"""
    return kind.startswith("lvm")


def first_look(context: Context, sr: str, place: Place) -> None:
    """The driver has attached for the first time: sizes are known now."""
    row = context.get("SR", sr)
    if row["physical_size"] >= 0:
        return
    if not place.known:
        unknown = {"physical_size": place.size, "physical_utilisation": 0}
        context.db.write("SR", sr, **context.estate.storage.usual.get(row["type"], unknown))
        return
    size, used = place.size, place.used
    if is_thick(row["type"]):
        size, used = (place.size - _GROUP_OVERHEAD) // _EXTENT * _EXTENT, _MANAGEMENT_VOLUME
    used += context.estate.storage.waiting(row["uuid"])
    context.db.write("SR", sr, physical_size=size, physical_utilisation=used)


def taken_at_first(kind: str, virtual_size: int) -> int:
    """Bytes that a new, empty disk takes."""
    return virtual_size if is_thick(kind) else _THIN_START


def follow(context: Context, sr: str, *, allocated: int = 0, used: int = 0) -> None:
    """Disks of the SR have grown (or, negative, shrunk or gone) by so many bytes."""
    row = context.db.find("SR", sr)
    if row is None or context.estate.storage.open or row["physical_size"] < 0:
        return
    context.db.write(
        "SR",
        sr,
        virtual_allocation=max(0, row["virtual_allocation"] + allocated),
        physical_utilisation=max(0, row["physical_utilisation"] + used),
    )


def room(context: Context, sr: str) -> int | None:
    """Bytes that are free; None when that is not known."""
    row: Row = context.get("SR", sr)
    if context.estate.storage.open or row["physical_size"] <= 0:
        return None
    return int(row["physical_size"] - row["physical_utilisation"])
