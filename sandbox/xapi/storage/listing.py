"""The XML texts in which SM drivers list what is there: exports, IQNs, LUNs, and SRs found by a probe."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from sandbox.xapi.storage.array import ISCSI_PORT
from sandbox.xapi.storage.declared import Lun, NfsServer, Target


def _text(root: ET.Element) -> str:
    """As the drivers print it: a declaration, indented by tabs, a line break at the end."""
    ET.indent(root, "\t")
    return '<?xml version="1.0" ?>\n' + ET.tostring(root, encoding="unicode", short_empty_elements=True) + "\n"


def _entry(parent: ET.Element, name: str, **values: object) -> ET.Element:
    entry = ET.SubElement(parent, name)
    for tag, value in values.items():
        ET.SubElement(entry, tag).text = str(value)
    return entry


def exports(server: NfsServer) -> str:
    root = ET.Element("nfs-exports")
    for export in server.exports:
        access = ",".join(export.access) or "*"
        _entry(root, "Export", Target=server.address, Path=export.path, Accesslist=access)
    return _text(root)


def iqns(address: str, port: int, targets: Iterable[Target]) -> str:
    """Ends with the target `*`, which is all of them."""
    root = ET.Element("iscsi-target-iqns")
    shown = {} if port == ISCSI_PORT else {"Port": port}
    names = [*(target.iqn for target in targets), "*"]
    for index, name in enumerate(names):
        _entry(root, "TGT", Index=index, IPAddress=address, **shown, TargetIQN=name)
    return _text(root)


def luns(found: Iterable[Lun]) -> str:
    root = ET.Element("iscsi-target")
    for lun in found:
        serial = {"serial": lun.serial} if lun.serial else {}
        _entry(root, "LUN", vendor=lun.vendor, **serial, LUNid=lun.number, size=lun.size, SCSIid=lun.scsi_id)
    return _text(root)


def fabric(found: Iterable[Lun]) -> str:
    root = ET.Element("Devlist")
    for lun in found:
        path = f"/dev/disk/by-scsid/{lun.scsi_id}"
        _entry(root, "BlockDevice", path=path, vendor=lun.vendor, lun=lun.number, size=lun.size, SCSIid=lun.scsi_id)
    return _text(root)


def directories(uuids: Iterable[str], versions: Iterable[str]) -> str:
    """SRs on an export; `versions` are the NFS versions, when they were asked for."""
    root = ET.Element("SRlist")
    for uuid in uuids:
        _entry(root, "SR", UUID=uuid)
    known = list(versions)
    if known:
        supported = ET.SubElement(root, "SupportedVersions")
        for version in known:
            ET.SubElement(supported, "Version").text = version
    return _text(root)


def groups(uuids: Iterable[str], device: str, size: int) -> str:
    """SRs on a device."""
    root = ET.Element("SRlist")
    for uuid in uuids:
        _entry(root, "SR", UUID=uuid, Devlist=device, size=size)
    return _text(root)
