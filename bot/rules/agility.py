"""Is a VM agile: could it run on every enabled host, so that HA may restart it anywhere? Every reason why not.

Source: xapi's Agility module and `VM.assert_agile`, as recorded: an ISO of local storage in the drive is a reason like
any other disk.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.inventory import SR, VM, Inventory, Network
from bot.lookup import spelling
from bot.rules import network as networks
from bot.rules.check import Check
from bot.rules.placement import needed_networks, to_shared_storage
from bot.text import joined, quoted


def against(vm: VM, inventory: Inventory) -> tuple[Check, ...]:
    """What keeps the VM from being agile, in the toolstack's order; empty when it is."""
    return tuple(check for check in checks(vm, inventory) if not check.ok)


def is_agile(vm: VM, inventory: Inventory) -> bool:
    return not against(vm, inventory)


def checks(vm: VM, inventory: Inventory) -> Iterator[Check]:
    name = spelling(vm, inventory)
    for finding_id, code, field, what in (
        ("agile.vgpu", "VM_HAS_VGPU", "VGPUs", "virtual GPU"),
        ("agile.usb", "VM_HAS_VUSBS", "VUSBs", "USB device"),
    ):
        if vm.has(field):
            count = len(vm.refs(field))
            yield Check(
                finding_id,
                code,
                not count,
                f"it has no {what}",
                f"it has {count}" if count else "",
                f"Take the {what} away from it.",
            )
    for sr, isos in _used_srs(vm):
        lacking = hosts_without_sr(sr, inventory)
        ok = sr.shared and not lacking
        use = f"the ISO {joined(isos)} in its drive is on" if isos else "it has a disk on"
        where = f"which {joined(lacking)} cannot reach" if sr.shared else "which is one host's own"
        if isos:
            remedy = f"Take the ISO out of its drive: “vm eject {name}”"
        elif sr.shared:
            remedy = f"Plug the storage everywhere: “sr repair {spelling(sr, inventory)}”"
        else:
            remedy = to_shared_storage(vm, (sr,), inventory)
        yield Check(
            f"agile.storage.{sr.uuid}",
            "HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED",
            ok,
            f"every host has {quoted(sr.name)}",
            "" if ok else f"{use} {quoted(sr.name)}, {where}",
            remedy,
        )
    for network in needed_networks(vm):
        without = hosts_without_network(network, inventory)
        yield Check(
            f"agile.network.{network.uuid}",
            "HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED",
            not without,
            f"every host has the network {quoted(network.name)}",
            f"it uses the network {quoted(network.name)}, which {joined(without)} cannot reach" if without else "",
            "Give those hosts a NIC or VLAN on the network, or take the VM off it.",
        )


def _used_srs(vm: VM) -> Iterator[tuple[SR, tuple[str, ...]]]:
    """The SRs of its disks and ISOs; with the ISOs' names where nothing but ISOs is used of it."""
    disks: dict[SR, None] = {}
    isos: dict[SR, list[str]] = {}
    for vbd in vm.vbds:
        vdi = None if vbd.empty else vbd.vdi
        if vdi is None or vdi.sr is None:
            continue
        if vbd.is_cd:
            isos.setdefault(vdi.sr, []).append(vdi.name)
        else:
            disks[vdi.sr] = None
    for sr in dict.fromkeys((*disks, *isos)):
        yield sr, () if sr in disks else tuple(isos[sr])


def hosts_without_sr(sr: SR, inventory: Inventory) -> list[str]:
    plugged = {pbd.text("host") for pbd in sr.pbds if pbd.attached}
    return [host.name for host in inventory.hosts if host.enabled and host.ref not in plugged]


def hosts_without_network(network: Network, inventory: Inventory) -> list[str]:
    """A network without any NIC counts as missing everywhere: the VM's peers on it would be elsewhere."""
    reached = {pif.text("host") for pif in networks.usable(network)}
    return [host.name for host in inventory.hosts if host.enabled and host.ref not in reached]
