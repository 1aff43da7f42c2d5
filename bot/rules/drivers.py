"""What storage drivers can do, as the pool's SM records say; and what disks take of their storage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.inventory import SR, VDI

Drivers = Mapping[str, frozenset[str]]
"""By SR type what its driver can do, e.g. `VDI_SNAPSHOT`."""

MIRROR_IN = "VDI_MIRROR_IN"
"""Take a disk that is written to while it comes. Drivers that can send (`VDI_MIRROR`) and say nothing of it can."""


def read(records: Iterable[Mapping[str, Any]]) -> Drivers:
    """From the records of the class SM: `features` (a map) since 6.2, `capabilities` (a set) before."""
    found: dict[str, frozenset[str]] = {}
    for record in records:
        able = frozenset(record.get("features") or record.get("capabilities") or ())
        found[str(record.get("type", ""))] = able | {MIRROR_IN} if "VDI_MIRROR" in able else able
    return found


def lacks(sr: SR, needed: Iterable[str], drivers: Drivers) -> tuple[str, ...]:
    """Those of `needed` that the driver of this storage cannot do."""
    able = drivers.get(sr.type, frozenset())
    return tuple(each for each in needed if each not in able)


def is_thick(sr: SR) -> bool:
    """Does each disk take its whole size from the start? So do disks on LVM, unless it was made otherwise."""
    return sr.type.startswith("lvm") and sr.mapping("sm_config").get("allocation", "thick") == "thick"


def takes(vdi: VDI, sr: SR) -> int:
    """Bytes that the disk takes when it lies on this storage."""
    return vdi.virtual_size if is_thick(sr) else min(vdi.number("physical_utilisation"), vdi.virtual_size)


def room(sr: SR) -> int | None:
    """Bytes that are free; None when the driver does not say."""
    return max(sr.physical_size - sr.physical_utilisation, 0) if sr.physical_size > 0 else None
