"""What the storage drivers (SM) do with a device_config: find the place, or say in their own codes why not.

Source: the drivers' code (sm, 2016 to 2026) for the order of the checks and the numbers; the texts are our own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import difference
from sandbox.xapi.storage import listing
from sandbox.xapi.storage.array import ISCSI_PORT, Array, nfs_location
from sandbox.xapi.storage.declared import Lun, NfsServer, Place, Target
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

difference(
    "storage",
    "The number of an SR_BACKEND_FAILURE is the driver's, its text our own; SMB shares do not exist.",
    "Clients go by the number and the list in the third argument.",
)


def backend(number: int, text: str, listed: str = "") -> Failure:
    """A driver's error: its number is part of the code, choices are an XML text in the third argument."""
    return Failure(f"SR_BACKEND_FAILURE_{number}", "", text, listed)


@dataclass(frozen=True)
class Asked:
    """One question to a driver, asked on a host (its record)."""

    array: Array
    db: Database
    host: Row
    config: Row

    def secret(self, key: str) -> str:
        """A password, given plainly or as a secret's uuid. Raises the driver's own failure for an unknown secret."""
        uuid = self.config.get(f"{key}_secret")
        if uuid is None:
            return str(self.config.get(key, ""))
        row = next((s for s in self.db.rows("secret").values() if s["uuid"] == uuid), None)
        if row is None:
            raise backend(20, "No secret has that uuid")
        return str(row["value"])


@dataclass(frozen=True)
class Driver:
    """`find` raises Failure; `lost` is what an SR that is not on the storage any more answers."""

    find: Callable[[Asked], Place]
    lost: tuple[int, str]
    formats: bool = False
    """One SR fills the place, and creating one ends what was there."""
    in_use: tuple[int, str] = (16, "Another SR uses the device")
    probes: bool = True


def _nfs(asked: Asked) -> Place:
    address = asked.config.get("server")
    if address is None:
        raise backend(102, "No server is named")
    server = asked.array.nfs_server(address)
    if server is None:
        raise backend(108, "No NFS service answers at that address")
    path = asked.config.get("serverpath")
    if path is None:
        raise backend(101, "No path on the server is named", listing.exports(server))
    if not path.startswith("/"):
        raise backend(103, "The path on the server is not a path")
    return _mounted(asked, server, path)


def _mounted(asked: Asked, server: NfsServer, path: str, failed: tuple[int, str] = (73, "NFS mount error")) -> Place:
    version = asked.config.get("nfsversion", "3")
    if version not in ("3", "4", "4.0", "4.1") or version.removesuffix(".0") not in server.versions:
        raise backend(72, f"The server does not speak that NFS version [opterr={version}]")
    found = asked.array.export(server, path, asked.host["address"])
    if found is None:
        raise backend(failed[0], f"{failed[1]} [opterr=mount failed]")
    return found[0]


def _iso(asked: Asked) -> Place:
    location, kind = asked.config.get("location"), asked.config.get("type", "")
    if location is None:
        raise backend(94, "No location is named")
    if asked.array.open and ":/" not in location:
        return Place(f"files:{location}", 0, known=False)
    if "legacy_mode" in asked.config:
        place = asked.array.disk(asked.host["name_label"], location)
        if place is None:
            raise backend(226, "There is no such local directory")
        return place
    if kind and kind != "cifs" and ":" not in location:
        raise backend(225, "A location is SERVER:PATH for NFS")
    if kind == "cifs":
        raise backend(222, "The share could not be mounted")
    if ":/" not in location:
        raise backend(228, "Mount options are missing")
    address, path = nfs_location(location)
    server = asked.array.nfs_server(address)
    if server is None:
        raise backend(108, "No NFS service answers at that address")
    return _mounted(asked, server, path, (222, "The directory could not be mounted"))


def images(asked: Asked) -> tuple[str, ...]:
    """The files that an ISO SR's directory holds."""
    location = asked.config.get("location", "")
    if ":/" not in location:
        return ()
    address, path = nfs_location(location)
    server = asked.array.nfs_server(address)
    found = asked.array.export(server, path, asked.host["address"]) if server else None
    return found[1].images if found else ()


def _iscsi(asked: Asked) -> Place:
    addresses = [a for a in asked.config.get("target", "").split(",") if a]
    if not addresses:
        raise backend(95, "No target is named")
    if not (asked.host.get("iscsi_iqn") or asked.host["other_config"].get("iscsi_iqn") or asked.array.open):
        raise backend(97, "The host has no IQN")
    if not _is_address(addresses[0]) and not asked.array.knows_name(addresses[0]):
        raise backend(140, "The target's name has no address")
    given = asked.config.get("port") or str(ISCSI_PORT)
    if not given.isdigit() or not 1 <= int(given) <= 65535:
        raise backend(142, "The port is not a port")
    port, iqn = int(given), asked.config.get("targetIQN", "")
    offered = asked.array.targets_at(addresses[0], port)
    if offered is None:
        raise backend(141, "The target cannot be reached")
    if not iqn:
        raise backend(96, "The target's IQN is missing or wrong", listing.iqns(addresses[0], port, offered))
    luns = _luns(asked, iqn, offered)
    return _lun(asked, luns, listing.luns(luns))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _luns(asked: Asked, iqn: str, offered: list[Target]) -> list[Lun]:
    """LUNs of the targets that the IQN names (`*` is all), after logging in to each."""
    chosen = [target for target in offered if iqn in ("*", target.iqn)]
    if not chosen and not asked.array.open:
        raise backend(83, "The discovery found no such target [opterr=check target settings]")
    user, password = asked.config.get("chapuser", ""), asked.secret("chappassword")
    for target in chosen:
        if target.chap_user and (user, password) != (target.chap_user, target.chap_password):
            raise backend(68, "The target refused the login: look at its access list and at the CHAP credentials")
    return [lun for target in chosen for lun in target.luns]


def _lun(asked: Asked, luns: list[Lun], listed: str) -> Place:
    """The one that the SCSIid names; `listed` is what the driver answers where none is named."""
    scsi_id = asked.config.get("SCSIid")
    if scsi_id is None:
        raise backend(107, "The SCSIid is missing or wrong", listed)
    place = asked.array.lun(scsi_id, luns)
    if place is None:
        raise backend(19, "There is no such device")
    return place


def _fibre(asked: Asked) -> Place:
    luns = [Lun(disk.device, disk.size, number) for number, disk in enumerate(asked.array.fabric())]
    return _lun(asked, luns, listing.fabric(luns))


def _device(asked: Asked) -> Place:
    device = asked.config.get("device")
    if device is None:
        raise backend(90, "No device is named")
    place = asked.array.disk(asked.host["name_label"], device) if device.startswith("/") else None
    if place is None:
        raise backend(91, "The device is not there")
    return place


_NO_GROUP = (47, "The SR is not available [opterr=no such volume group]")
_NO_DIRECTORY = (73, "NFS mount error [opterr=mount failed]")
DRIVERS = {
    "nfs": Driver(_nfs, lost=_NO_DIRECTORY),
    "iso": Driver(_iso, lost=_NO_DIRECTORY, probes=False),
    "lvmoiscsi": Driver(_iscsi, lost=_NO_GROUP, formats=True),
    "lvmohba": Driver(_fibre, lost=_NO_GROUP, formats=True),
    "lvm": Driver(_device, lost=_NO_GROUP, formats=True, in_use=(77, "The volume group could not be created")),
    "ext": Driver(_device, lost=_NO_GROUP, formats=True, in_use=(77, "The volume group could not be created")),
}


def probe(kind: str, asked: Asked) -> str:
    """The SRs at the place that the device_config names in full. Raises Failure with the choices where it does not."""
    place = DRIVERS[kind].find(asked)
    uuids = asked.array.srs(place)
    if kind == "nfs":
        server = asked.array.nfs_server(asked.config["server"])
        versions = server.versions if server and "probeversion" in asked.config else ()
        return listing.directories(uuids, versions)
    return listing.groups(uuids, str(asked.config.get("SCSIid") or asked.config.get("device", "")), place.size)


def path_state(asked: Asked) -> Row:
    """What an iSCSI driver notes at the PBD when it has attached: its sessions and, with multipathing, the paths."""
    scsi_id = asked.config.get("SCSIid")
    targets = asked.array.targets_at(asked.config.get("target", "").split(",")[0], _port(asked)) or []
    count = len({portal for t in targets if t.iqn == asked.config.get("targetIQN") for portal in t.portals})
    multipathing = asked.host.get("multipathing") or asked.host["other_config"].get("multipathing") == "true"
    if not multipathing or count == 0:
        return {"iscsi_sessions": "1"}
    return {"iscsi_sessions": str(count), "multipathed": "true", f"mpath-{scsi_id}": f"[{count}, {count}]"}


def _port(asked: Asked) -> int:
    given = asked.config.get("port", "")
    return int(given) if given.isdigit() else ISCSI_PORT
