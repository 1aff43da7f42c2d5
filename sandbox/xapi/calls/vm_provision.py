"""VM.provision: a template becomes a VM with the disks that it asks for."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, internal_error
from sandbox.xapi.operations import host_operation, vm_operation
from sandbox.xapi.registry import READ, call
from sandbox.xapi.rules.placement import plugged_srs, possible_hosts
from sandbox.xapi.values import Row

_FIXED = 0.5
_TYPES = ("system", "user", "ephemeral", "suspend", "crashdump")


@dataclass(frozen=True)
class Disk:
    """One disk of `other_config["disks"]`: `sr` is an SR's uuid, `device` a position."""

    device: str
    size: int
    sr: str
    bootable: bool
    kind: str


def parse(text: str) -> list[Disk]:
    """Raises Failure INTERNAL_ERROR for anything but ``<provision><disk …/>…</provision>``."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - expat limits entity expansion and loads nothing external
        if root.tag != "provision" or root.attrib or any(x.tag != "disk" or len(x) for x in root):
            raise ValueError
        return [
            Disk(
                x.attrib["device"],
                int(x.attrib["size"]),
                x.attrib["sr"],
                x.attrib["bootable"] == "true",
                kind if (kind := x.get("type", "")) in _TYPES else "system",
            )
            for x in root
        ]
    except (ET.ParseError, KeyError, ValueError) as error:
        raise internal_error("Xapi_templates.Parse_failure") from error


@call("VM.provision", source=READ, only="without a script to run in the control domain (postinstall)")
def provision(context: Context, vm: str) -> None:
    """From here on the VM is none of the templates, also when there was nothing to make or making it failed."""
    with vm_operation(context, vm, "provision"):
        config = context.get("VM", vm)["other_config"]
        if "postinstall" in config:
            raise Failure("NOT_IMPLEMENTED", context.method)
        wanted = parse(config["disks"]) if "disks" in config else []
        with host_operation(context, _host(context, vm, wanted), "provision"):
            context.db.write("VM", vm, is_a_template=False)
            _install(context, vm, wanted)


def _host(context: Context, vm: str, wanted: list[Disk]) -> str:
    """Who does the work: a host that sees the SRs. Where none is named rightly, the coordinator tells the error."""
    known = context.db.tables["SR"].by_uuid
    srs = [known.get(disk.sr, "") for disk in wanted]
    if "" in srs:
        return context.pool.coordinator_ref
    for host in possible_hosts(context.db, vm):
        if set(srs) <= plugged_srs(context.db, host):
            return host
    raise Failure("NO_HOSTS_AVAILABLE")


def _install(context: Context, vm: str, wanted: list[Disk]) -> None:
    made: list[tuple[str, str]] = []
    try:
        for disk in wanted:
            made.append(_make(context, vm, disk))
    except Failure:
        for vbd, vdi in made:
            context.subcall("VBD.destroy", vbd)
            context.subcall("VDI.destroy", vdi)
        raise
    context.work(_FIXED)
    context.db.drop_key("VM", vm, "other_config", "disks")


def _make(context: Context, vm: str, disk: Disk) -> tuple[str, str]:
    sr = context.db.tables["SR"].by_uuid.get(disk.sr)
    if sr is None:
        raise Failure("UUID_INVALID", "sr", disk.sr)
    hint = {"vmhint": context.get("VM", vm)["uuid"]}
    vdi_record: Row = {
        "SR": sr,
        "name_label": "",
        "name_description": "Created by template provisioner",
        "virtual_size": disk.size,
        "type": disk.kind,
        "sharable": False,
        "read_only": False,
        "other_config": {},
        "sm_config": hint,
    }
    vdi = context.subcall("VDI.create", vdi_record)
    vbd_record: Row = {
        "VM": vm,
        "VDI": vdi,
        "userdevice": disk.device,
        "bootable": disk.bootable,
        "mode": "RW",
        "type": "Disk",
        "unpluggable": disk.kind != "system",
        "empty": False,
        "other_config": {"owner": ""},
    }
    try:
        vbd = context.subcall("VBD.create", vbd_record)
    except Failure:
        context.subcall("VDI.destroy", vdi)
        raise
    context.db.write("VDI", vdi, name_label=context.db.value("VBD", vbd, "userdevice"))
    return vbd, vdi
