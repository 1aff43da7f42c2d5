"""What storage a lab has, as plain data. A lab that declares none leaves it open (:mod:`sandbox.xapi.storage.array`).

In a world file it is the key ``storage``; :func:`to_json` and :func:`from_json` are its two directions.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Export:
    """A directory that an NFS server exports. `size` and `used` are bytes; `used` is what others keep there."""

    path: str
    size: int
    used: int = 0
    images: tuple[str, ...] = ()
    """Files that an ISO SR there shows."""
    access: tuple[str, ...] = ()
    """Addresses of the hosts that may mount it; empty is everybody."""


@dataclass(frozen=True)
class NfsServer:
    address: str
    exports: tuple[Export, ...] = ()
    versions: tuple[str, ...] = ("3", "4", "4.1")


@dataclass(frozen=True)
class Lun:
    """A LUN: `size` in bytes, `number` as the target counts it, `scsi_id` what every host sees it by."""

    scsi_id: str
    size: int
    number: int = 0
    vendor: str = "LIO-ORG"
    serial: str = ""


@dataclass(frozen=True)
class Target:
    """An iSCSI target. `portals` are ``address`` or ``address:port`` (3260 else). A CHAP user makes CHAP mandatory."""

    iqn: str
    portals: tuple[str, ...]
    luns: tuple[Lun, ...] = ()
    chap_user: str = ""
    chap_password: str = ""


@dataclass(frozen=True)
class Disk:
    """A block device that one host (by name) has; without a host, a LUN of a Fibre Channel fabric that all see."""

    device: str
    size: int
    host: str = ""


@dataclass(frozen=True)
class Kept:
    """An SR on storage that no pool knows: `place` as :class:`Place` names it, its disks as VDI records."""

    place: str
    uuid: str
    disks: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Storage:
    nfs: tuple[NfsServer, ...] = ()
    targets: tuple[Target, ...] = ()
    disks: tuple[Disk, ...] = ()
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where an SR lies: `key` is the same for whoever reaches the same storage.

    Keys: ``nfs:SERVER:/path``, ``lun:SCSIID``, ``disk:HOST:DEVICE``, ``files:HOST:/path``.
    """

    key: str
    size: int
    used: int = 0
    known: bool = True
    """False where nobody declared it: an open lab's."""


def to_json(value: Any) -> Any:
    """Any of the above as JSON values; what has its default is left out."""
    if isinstance(value, tuple):
        return [to_json(member) for member in value]
    if isinstance(value, (str, int, dict)):
        return value
    return {f.name: to_json(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != f.default}


def from_json(content: object) -> Storage:
    """Raises ValueError that says what is wrong."""
    found = _read(Storage, content, "storage")
    assert isinstance(found, Storage)
    return found


def _read(kind: Any, content: object, where: str) -> object:
    if typing.get_origin(kind) is tuple:
        if not isinstance(content, list):
            raise ValueError(f"{where} is not a list")
        member = typing.get_args(kind)[0]
        return tuple(_read(member, value, f"{where}[{n}]") for n, value in enumerate(content))
    if typing.get_origin(kind) is dict:
        kind = dict
    if kind in (str, int, dict):
        if not isinstance(content, kind) or isinstance(content, bool):
            raise ValueError(f"{where} is not a {kind.__name__}")
        return content
    if not isinstance(content, dict):
        raise ValueError(f"{where} is not an object")
    types = typing.get_type_hints(kind)
    unknown = content.keys() - types.keys()
    if unknown:
        raise ValueError(f"{where} has no {', '.join(sorted(unknown))}")
    try:
        return kind(**{name: _read(types[name], value, f"{where}.{name}") for name, value in content.items()})
    except TypeError as error:
        raise ValueError(f"{where} is incomplete: {error}") from error
