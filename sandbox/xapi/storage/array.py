"""The storage of an estate as it is now: what can be reached, and which SRs lie where.

What pools are connected to is there: it is learnt from their PBDs. A lab that declares its storage has that besides
and nothing else. A lab that declares none is open: its storage is not known, so whatever is named in full is there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.xapi.registry import difference
from sandbox.xapi.storage.declared import Disk, Export, Kept, Lun, NfsServer, Place, Storage, Target
from sandbox.xapi.values import Row

if TYPE_CHECKING:
    from sandbox.xapi.store import Database

difference(
    "storage",
    "In a lab that declares no storage (a plain database), every export, target, LUN and device that is named in full "
    "is there, as big as the SRs of its type; figures of such an SR do not follow its disks.",
    "A database says nothing about the servers behind it. In the recording, too, every operation of a driver worked.",
)

ISCSI_PORT = 3260
_UNKNOWN_SIZE = 500 << 30


def split_portal(text: str) -> tuple[str, int]:
    """``address:port``, the port being iSCSI's own unless given."""
    address, _, port = text.partition(":")
    return address, int(port) if port.isdigit() else ISCSI_PORT


def nfs_location(location: str) -> tuple[str, str]:
    """``server:/path``."""
    server, _, path = location.partition(":")
    return server, path


class Array:
    """Shared by all pools of the estate; each method is whole for itself, from any thread."""

    def __init__(self, declared: Storage | None = None) -> None:
        self.open = declared is None
        given = declared or Storage()
        self._lock = threading.RLock()
        self._servers = {server.address: server for server in given.nfs}
        self._targets = {target.iqn: target for target in given.targets}
        self._disks = {(disk.host, disk.device): disk for disk in given.disks}
        self._srs: dict[str, dict[str, list[Row]]] = {}
        """Place → SR's uuid → disks there that no pool has a record of."""
        self.usual: dict[str, Row] = {}
        """SR type → the figures of the first such SR that was learnt."""
        for kept in given.kept:
            self._srs.setdefault(kept.place, {})[kept.uuid] = [dict(disk) for disk in kept.disks]

    # Learning

    def learn(self, db: Database) -> None:
        """What a pool is connected to exists."""
        with self._lock:
            for row in db.rows("PBD").values():
                sr, host = db.find("SR", row["SR"]), db.find("host", row["host"])
                if sr is not None and host is not None:
                    self._learn(db, sr, host["name_label"], row["device_config"])

    def _learn(self, db: Database, sr: Row, host: str, config: Row) -> None:
        kind, size = sr["type"], max(int(sr["physical_size"]), 0)
        if size:
            names = ("physical_size", "physical_utilisation", "virtual_allocation")
            self.usual.setdefault(kind, {name: sr[name] for name in names})
        key = ""
        if kind == "nfs" and "serverpath" in config:
            key = self._learn_export(config.get("server", ""), config["serverpath"], Export("", size))
        elif kind in ("lvmoiscsi", "iscsi") and "SCSIid" in config:
            key = self._learn_lun(db, config, size)
        elif kind == "lvmohba" and "SCSIid" in config:
            self._disks.setdefault(("", config["SCSIid"]), Disk(config["SCSIid"], size))
            key = f"lun:{config['SCSIid']}"
        elif kind == "iso" and ":/" in config.get("location", ""):
            images = tuple(db.value("VDI", vdi, "location") for vdi in sr["VDIs"])
            key = self._learn_export(*nfs_location(config["location"]), Export("", size, images=images))
        elif config.get("device") or config.get("location"):
            path = config.get("device") or config["location"]
            self._disks.setdefault((host, path), Disk(path, size, host))
            key = f"disk:{host}:{path}"
        if key:
            self._srs.setdefault(key, {}).setdefault(sr["uuid"], [])

    def _learn_export(self, address: str, path: str, fresh: Export) -> str:
        server = self._servers.get(address, NfsServer(address))
        if all(export.path != path for export in server.exports):
            server = replace(server, exports=(*server.exports, replace(fresh, path=path)))
        self._servers[address] = server
        return f"nfs:{address}:{path}"

    def _learn_lun(self, db: Database, config: Row, size: int) -> str:
        iqn, scsi_id = config.get("targetIQN", ""), config["SCSIid"]
        port = config.get("port", "")
        portals = tuple(f"{a}:{port}" if port else a for a in config.get("target", "").split(",") if ":" not in a)
        secrets = db.rows("secret").values()
        password = next((s["value"] for s in secrets if s["uuid"] == config.get("chappassword_secret")), "")
        target = self._targets.get(iqn) or Target(
            iqn, (), chap_user=config.get("chapuser", "") if password else "", chap_password=password
        )
        there = {split_portal(portal) for portal in target.portals}
        luns = target.luns
        if all(lun.scsi_id != scsi_id for lun in luns):
            luns = (*luns, Lun(scsi_id, size, number=max((lun.number + 1 for lun in luns), default=0)))
        new = tuple(p for p in portals if split_portal(p) not in there)
        self._targets[iqn] = replace(target, portals=(*target.portals, *new), luns=luns)
        return f"lun:{scsi_id}"

    # Reaching

    def nfs_server(self, address: str) -> NfsServer | None:
        with self._lock:
            return self._servers.get(address) or (NfsServer(address) if self.open and address else None)

    def export(self, server: NfsServer, path: str, host_address: str) -> tuple[Place, Export] | None:
        """The export, if that host may mount it."""
        for export in server.exports:
            if export.path.rstrip("/") == path.rstrip("/"):
                if export.access and host_address not in export.access:
                    return None
                return Place(f"nfs:{server.address}:{export.path}", export.size, export.used, not self.open), export
        if not self.open:
            return None
        return self._unknown(f"nfs:{server.address}:{path}"), Export(path, _UNKNOWN_SIZE)

    def targets_at(self, address: str, port: int) -> list[Target] | None:
        """Targets that a portal offers; None when nothing answers there."""
        with self._lock:
            found = [t for t in self._targets.values() if (address, port) in map(split_portal, t.portals)]
            return found if found or self.open else None

    def knows_name(self, address: str) -> bool:
        """Is there a portal of that name or address?"""
        portals = [split_portal(p)[0] for t in self._targets.values() for p in t.portals]
        return self.open or address in portals

    def lun(self, scsi_id: str, luns: Iterable[Lun]) -> Place | None:
        for lun in luns:
            if lun.scsi_id == scsi_id:
                return Place(f"lun:{scsi_id}", lun.size, known=not self.open)
        return self._unknown(f"lun:{scsi_id}") if self.open else None

    def fabric(self) -> list[Disk]:
        """LUNs of the Fibre Channel fabric."""
        return [disk for (host, _), disk in self._disks.items() if not host]

    def disk(self, host: str, device: str) -> Place | None:
        found = self._disks.get((host, device))
        if found is not None:
            return Place(f"disk:{host}:{device}", found.size, known=not self.open)
        return self._unknown(f"disk:{host}:{device}") if self.open else None

    def _unknown(self, key: str) -> Place:
        return Place(key, _UNKNOWN_SIZE, known=False)

    # What lies there

    def srs(self, place: Place) -> list[str]:
        """uuids of the SRs there."""
        with self._lock:
            return list(self._srs.get(place.key, ()))

    def holds(self, place: Place, uuid: str) -> bool:
        return not place.known or uuid in self._srs.get(place.key, ())

    def put(self, place: Place, uuid: str, *, formats: bool) -> None:
        """A new SR; `formats` ends what was there."""
        with self._lock:
            there = self._srs.setdefault(place.key, {})
            if formats:
                there.clear()
            there[uuid] = []

    def erase(self, uuid: str) -> None:
        with self._lock:
            for there in self._srs.values():
                there.pop(uuid, None)

    def keep(self, uuid: str, disks: Iterable[Row]) -> None:
        """Disks stay though their records go."""
        with self._lock:
            for there in self._srs.values():
                if uuid in there:
                    there[uuid] = [*there[uuid], *(dict(disk) for disk in disks)]

    def waiting(self, uuid: str) -> int:
        """Bytes that an SR's disks without a record take."""
        with self._lock:
            kept = (disk for there in self._srs.values() for disk in there.get(uuid, ()))
            return sum(int(disk["physical_utilisation"]) for disk in kept)

    def found(self, uuid: str) -> list[Row]:
        """Disks of an SR that have no record, each told once."""
        with self._lock:
            disks: list[Row] = []
            for there in self._srs.values():
                if there.get(uuid):
                    disks, there[uuid] = there[uuid], []
            return disks

    def take(self, uuid: str, location: str) -> Row | None:
        """The disk of an SR with that location, if it has no record yet."""
        with self._lock:
            disks = self.found(uuid)
            chosen = next((disk for disk in disks if disk["location"] == location), None)
            self.keep(uuid, [disk for disk in disks if disk is not chosen])
            return chosen

    def declared(self, dbs: Iterable[Database]) -> Storage | None:
        """As a world holds it; None when it is open. What a pool of `dbs` has is not listed as kept."""
        if self.open:
            return None
        known = {row["uuid"] for db in dbs for row in db.rows("SR").values()}
        with self._lock:
            kept = tuple(
                Kept(place, uuid, tuple(disks))
                for place, there in self._srs.items()
                for uuid, disks in there.items()
                if disks or uuid not in known
            )
            servers, targets = tuple(self._servers.values()), tuple(self._targets.values())
            return Storage(servers, targets, tuple(self._disks.values()), kept)
