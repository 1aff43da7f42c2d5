"""Storage as the hosts see it: what is plugged where, over how many paths, how full, and what binds a VM to a host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.inventory import PBD, SR, VM, Host, Inventory

BLOCK_TYPES = frozenset({"lvmoiscsi", "lvmohba", "lvmofcoe", "gfs2"})
"""SR types on LUNs, which several paths can lead to."""

_PATH_KEY = re.compile(r"mpath-(.+)\Z")
_PATH_COUNT = re.compile(r"\[\s*(\d+)\s*,\s*(\d+)\s*(?:,[^\]]*)?\]\Z")


def unplugged(inventory: Inventory) -> tuple[tuple[SR, tuple[PBD, ...]], ...]:
    """Shared storage that is not plugged on every host, with the connections that are not."""
    broken = ((sr, tuple(pbd for pbd in sr.pbds if not pbd.attached)) for sr in inventory.shared_srs)
    return tuple((sr, pbds) for sr, pbds in broken if pbds)


def without_path(inventory: Inventory) -> tuple[tuple[SR, tuple[Host, ...]], ...]:
    """Shared storage that some host has no connection to at all."""
    found = []
    for sr in inventory.shared_srs:
        known = {pbd.text("host") for pbd in sr.pbds}
        lacking = tuple(host for host in inventory.hosts if host.ref not in known)
        if lacking:
            found.append((sr, lacking))
    return tuple(found)


def is_block(sr: SR) -> bool:
    return sr.type in BLOCK_TYPES


def block_srs(inventory: Inventory) -> tuple[SR, ...]:
    """Shared storage on LUNs."""
    return tuple(sr for sr in inventory.shared_srs if is_block(sr))


def multipathing(host: Host) -> bool:
    """host.multipathing since 7.5; before that other_config's key, which xapi watches."""
    if host.has("multipathing"):
        return host.flag("multipathing")
    return host.other_config.get("multipathing") == "true"


@dataclass(frozen=True, slots=True)
class Paths:
    """A LUN's paths from one host, as the storage driver noted them in PBD.other_config."""

    scsi_id: str
    up: int
    total: int


def paths(pbd: PBD) -> tuple[Paths, ...]:
    """`mpath-<SCSIid>` = `[up, total]`; empty when the driver noted none."""
    found = []
    for key, value in sorted(pbd.other_config.items()):
        named, counted = _PATH_KEY.match(key), _PATH_COUNT.match(value.strip())
        if named and counted:
            found.append(Paths(named[1], int(counted[1]), int(counted[2])))
    return tuple(found)


def disk_srs(inventory: Inventory) -> Iterator[SR]:
    """Storage that disks are made on: no ISO library, no drive, no USB port."""
    for sr in inventory.all(SR):
        if sr.content_type != "iso" and sr.type not in ("iso", "udev", "tmpfs") and sr.physical_size > 0:
            yield sr


def fullness(sr: SR) -> float:
    """How much of it is used, 0 to 1 (and more, where a driver counts so)."""
    return sr.physical_utilisation / sr.physical_size if sr.physical_size > 0 else 0.0


def local_disks(vm: VM) -> tuple[SR, ...]:
    """Storage of one host alone that holds a disk of the VM."""
    srs = (vbd.vdi.sr for vbd in vm.vbds if not vbd.is_cd and not vbd.empty and vbd.vdi is not None)
    return tuple(dict.fromkeys(sr for sr in srs if sr is not None and not sr.shared))


def local_isos(vm: VM) -> tuple[tuple[str, SR], ...]:
    """Images in the VM's drives that only one host has: (the image's name, its storage)."""
    found = []
    for vbd in vm.vbds:
        if vbd.is_cd and not vbd.empty and vbd.vdi is not None:
            sr = vbd.vdi.sr
            if sr is not None and not sr.shared and not sr.is_tools:
                found.append((vbd.vdi.name, sr))
    return tuple(found)
