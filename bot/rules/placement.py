"""Where a VM can run: the toolstack's checks for one VM on one host, all of them, forecast from what was read.

The order and the codes are those of `VM.assert_can_boot_here` (xapi, as recorded). The toolstack stops at the first
reason; people get all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.errors import Refused
from bot.inventory import SR, VDI, VM, Host, Inventory, Network
from bot.lookup import place_of, spelling
from bot.rules import cpu, memory, versions
from bot.rules.check import Check
from bot.rules.hosts import alive
from bot.text import joined, quoted, size


def attached_memory(host: Host) -> tuple[int, int]:
    """(used, total) bytes as the host's metrics say."""
    return host.memory_total - host.memory_free, host.memory_total


def checks(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    """Could this VM run on this host, and if not, why: every reason, in the toolstack's order."""
    yield from _in_service(vm, host, inventory)
    yield from _suited(vm, host, inventory)
    yield from _storage(vm, host, inventory)
    yield from _networks(vm, host, inventory)
    yield from _room(vm, host, inventory)


def _in_service(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    yield alive(host, "Look at the host itself; “pool status” says since when.", code="HOST_NOT_LIVE")
    at_home = vm.power_state == "Running" and vm.resident_on == host
    yield Check(
        "host.enabled",
        "HOST_DISABLED",
        host.enabled or at_home,
        f"{quoted(host.name)} takes VMs",
        "" if host.enabled or at_home else "it is disabled (in maintenance, or still starting)",
        f"When it is ready: “host maintenance {spelling(host, inventory)} off”",
    )


def _suited(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    """What is the host's make and release: virtual hardware, version, CPU."""
    name = quoted(host.name)
    if vm.has("hardware_platform_version") and host.has("virtual_hardware_platform_versions"):
        wanted, offered = vm.text("hardware_platform_version"), host.refs("virtual_hardware_platform_versions")
        yield Check(
            "vm.hardware",
            "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION",
            wanted in map(str, offered),
            f"{name} offers its virtual hardware",
            "" if wanted in map(str, offered) else f"it has version {wanted}, offered: {joined(map(str, offered))}",
            "Update the host first.",
        )
    yield from _version(vm, host, inventory)
    why_not = cpu.runs_on(vm, host) if vm.power_state != "Halted" else ""
    yield Check(
        "vm.cpu",
        "VM_INCOMPATIBLE_WITH_THIS_HOST",
        not why_not,
        f"the CPU of {name} suits it",
        why_not,
        "Shut the VM down and start it there: a fresh start takes the features of the pool as it is now.",
    )


def _storage(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    unseen = [sr for sr in needed_srs(vm, inventory) if not plugged(sr, host)]
    yield Check(
        "vm.storage",
        "VM_REQUIRES_SR",
        not unseen,
        f"{quoted(host.name)} sees all its disks",
        f"not plugged there: {', '.join(_with_use(vm, sr) for sr in unseen)}" if unseen else "",
        _storage_remedy(vm, unseen, inventory),
    )


def _networks(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    name = quoted(host.name)
    missing = [network for network in needed_networks(vm) if not reaches(network, host, inventory)]
    yield Check(
        "vm.network",
        "VM_REQUIRES_NETWORK",
        not missing,
        f"{name} has all its networks",
        f"not there: {joined(network.name for network in missing)}" if missing else "",
        "Give that host a NIC or VLAN on the network.",
    )
    enslaved = [network for network in needed_networks(vm) if _on_bond_member(network, host)]
    yield Check(
        "host.network",
        "HOST_CANNOT_ATTACH_NETWORK",
        not enslaved,
        f"{name} can connect its networks",
        f"its NIC there belongs to a bond: {joined(network.name for network in enslaved)}" if enslaved else "",
        "Connect the VM to the bond's network instead.",
    )


def _room(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    """What the host has for it: hardware virtualisation, memory, CPUs."""
    name = quoted(host.name)
    hvm = any("hvm" in capability for capability in host.refs("capabilities")) or not host.refs("capabilities")
    yield Check(
        "host.hvm",
        "VM_HVM_REQUIRED",
        hvm or not cpu.is_hvm(vm),
        f"{name} offers hardware virtualisation, where the VM needs it",
        "" if hvm or not cpu.is_hvm(vm) else "the host lacks it, or its firmware has switched it off",
        "Switch it on in the host's firmware.",
    )
    # What the VM holds already where it runs is not needed again.
    there = memory.needed(vm) if vm.power_state != "Halted" and vm.resident_on == host else 0
    need, free = memory.needed(vm), memory.free(host, inventory) + there
    yield Check(
        "host.memory",
        "HOST_NOT_ENOUGH_FREE_MEMORY",
        need <= free,
        f"{name} has the memory",
        f"{size(need)} needed, {size(max(free, 0))} can be freed",
        "Move or stop another VM there, or lower this one's dynamic minimum.",
    )
    most, cpus = vm.number("VCPUs_max"), _number(host.cpu_info.get("cpu_count", ""))
    unrestricted = vm.mapping("platform").get("vcpu-unrestricted", "").lower() in ("1", "true")
    yield Check(
        "host.cpus",
        "HOST_NOT_ENOUGH_PCPUS",
        cpus is None or most <= cpus or unrestricted,
        f"{name} has the CPUs",
        f"{most} virtual CPUs, {cpus} real ones",
        "Lower the VM's number of virtual CPUs.",
    )


def _version(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    """A VM moves only forward; and in a rolling upgrade it starts only where that is done. The toolstack asks this
    besides its boot-here checks, when it moves or starts the VM.
    """
    name, source = quoted(host.name), vm.resident_on
    if source is not None:
        behind, older = (
            versions.behind(host, source),
            versions.platform_version(host) < versions.platform_version(source),
        )
        yield Check(
            "host.version",
            # Of a build that is older it only keeps its own evacuation back.
            "NOT_SUPPORTED_DURING_UPGRADE" if older else "",
            not behind,
            f"{name} is not older than {quoted(source.name)}",
            behind,
            "Update the host first; or shut the VM down, and start it there.",
        )
    elif versions.upgrading(inventory):
        newest = versions.is_newest(host, inventory)
        yield Check(
            "host.version",
            "NOT_SUPPORTED_DURING_UPGRADE",
            newest,
            f"{name} has the pool's newest version, since an upgrade is under way",
            "" if newest else f"it runs {versions.product(host.software_version)}, and an upgrade is under way",
            "Start it on a host that is upgraded already, or upgrade this one first.",
        )


def against(vm: VM, host: Host, inventory: Inventory) -> tuple[Check, ...]:
    """The checks that fail."""
    return tuple(check for check in checks(vm, host, inventory) if not check.ok)


def best(vm: VM, among: Iterable[Host], inventory: Inventory) -> tuple[Host, tuple[str, ...]]:
    """The host to propose for a VM, and why that one: its home server, else the one with the most memory left.

    :raises Refused: no host can take it; the evidence says why for each.
    """
    hosts = tuple(among)
    reasons = {host: against(vm, host, inventory) for host in hosts}
    able = [host for host in hosts if not reasons[host]]
    unable = tuple(
        f"{quoted(host.name)} cannot: {'; '.join(check.against for check in why)}"
        for host, why in reasons.items()
        if why
    )
    if not able:
        source = vm.resident_on
        alone = (f"{quoted(source.name)} is the only host of the pool",) if source else ()
        raise Refused(
            f"No{' other' if source else ''} host of the pool can take {quoted(vm.name)}.",
            evidence=unable or alone,
            remedy=f"The reasons say what would have to change; “vm why {spelling(vm, inventory)}” with what to do.",
        )
    if vm.affinity in able:
        return vm.affinity, (f"{quoted(vm.affinity.name)} is its home server", *unable)
    free = {host: memory.free(host, inventory) for host in able}
    able.sort(key=lambda host: (-free[host], len(host.resident_vms), host.name, host.uuid))
    chosen, rest = able[0], able[1:]
    if not rest:
        return chosen, (f"{quoted(chosen.name)} is the only host that can take it", *unable)
    compared = ", ".join(f"{quoted(host.name)}: {size(free[host])}" for host in rest[:4])
    return chosen, (f"{quoted(chosen.name)} has the most memory left, {size(free[chosen])} ({compared})", *unable)


def needed_srs(vm: VM, inventory: Inventory) -> tuple[SR, ...]:
    """The SRs of everything in its drives, ISOs included, and of its suspended memory."""
    srs = [vbd.vdi.sr for vbd in vm.vbds if not vbd.empty and vbd.vdi is not None]
    image = inventory.get(VDI, vm.text("suspend_VDI")) if vm.power_state == "Suspended" else None
    srs += [image.sr] if image is not None else []
    return tuple(dict.fromkeys(sr for sr in srs if sr is not None))


def needed_networks(vm: VM) -> tuple[Network, ...]:
    return tuple(dict.fromkeys(vif.network for vif in vm.vifs if vif.network is not None))


def plugged(sr: SR, host: Host) -> bool:
    return any(pbd.attached and pbd.text("host") == host.ref for pbd in sr.pbds)


def reaches(network: Network, host: Host, inventory: Inventory) -> bool:
    """A network without any NIC is internal: it is where the running VMs on it are, or else wherever it is needed."""
    if network.pifs:
        return any(pif.text("host") == host.ref for pif in network.pifs)
    if network.other_config.get("assume_network_is_shared") == "true" or not network.flag("managed", True):
        return True
    homes = inventory.hosts_by_internal_network.get(network.ref, frozenset())
    return not homes or host.ref in homes


def _on_bond_member(network: Network, host: Host) -> bool:
    return any(pif.text("host") == host.ref and pif.bond is not None for pif in network.pifs)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _with_use(vm: VM, sr: SR) -> str:
    for vbd in vm.vbds:
        if vbd.is_cd and vbd.vdi is not None and vbd.vdi.sr == sr:
            return f"{quoted(sr.name)} (the ISO {quoted(vbd.vdi.name)} in its drive)"
    return quoted(sr.name)


def _storage_remedy(vm: VM, unseen: list[SR], inventory: Inventory) -> str:
    if unseen and all(any(vbd.is_cd and vbd.vdi is not None and vbd.vdi.sr == sr for vbd in vm.vbds) for sr in unseen):
        return f"Take the ISO out of its drive: “vm eject {spelling(vm, inventory)}”"
    shared = [sr for sr in unseen if sr.shared]
    if shared:
        return f"Plug the shared storage on that host: “sr repair {spelling(shared[0], inventory)}”"
    return to_shared_storage(vm, unseen, inventory)


def to_shared_storage(vm: VM, local: Iterable[SR], inventory: Inventory) -> str:
    """What to do about a disk that one host alone can reach: the command, with the emptiest storage that suits."""
    held = [vbd.vdi for vbd in vm.vbds if not vbd.is_cd and vbd.vdi is not None and vbd.vdi.sr in tuple(local)]
    home = vm.resident_on
    suited = [sr for sr in inventory.shared_srs if sr.content_type != "iso" and (home is None or plugged(sr, home))]
    room = {sr: sr.physical_size - sr.physical_utilisation for sr in suited}
    if not held or not room or max(room.values()) < held[0].virtual_size:
        return "Its disk is on one host's own storage, and no shared storage has room for it."
    best = max(room, key=lambda sr: (room[sr], sr.uuid))
    where = f"vm disk move {place_of(held[0], vm, inventory)} to {spelling(best, inventory)}"
    return f"Move its disk to storage that every host has: “{where}”"
