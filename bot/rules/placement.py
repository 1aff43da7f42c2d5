"""Where a VM can run: the toolstack's checks for one VM on one host, all of them, forecast from what was read.

The order and the codes are those of `VM.assert_can_boot_here` (xapi, as recorded). The toolstack stops at the first
reason; people get all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.inventory import SR, VM, Host, Inventory, Network
from bot.model import Finding, ObjectId, Verdict
from bot.rules import cpu, versions
from bot.text import joined, quoted, size


@dataclass(frozen=True, slots=True)
class Check:
    """One check: the code that the toolstack would answer, whether it passes, and what was looked at."""

    id: str
    code: str
    ok: bool
    title: str
    evidence: str = ""
    remedy: str = ""

    def finding(self, subject: ObjectId) -> Finding:
        return Finding(
            id=self.id,
            verdict=Verdict.PASS if self.ok else Verdict.BLOCK,
            subject=subject,
            title=self.title,
            evidence=self.evidence,
            remedy="" if self.ok else self.remedy,
        )


def needed_memory(vm: VM) -> int:
    """Bytes a running VM takes at least on a host: its dynamic minimum and the hypervisor's overhead for it."""
    return vm.number("memory_dynamic_min") + vm.number("memory_overhead")


def free_memory(host: Host, inventory: Inventory) -> int:
    """Bytes that could be freed on a host for one more VM, with every guest squeezed to its dynamic minimum.

    Total less the host's own overhead less every domain on it (xapi:
    Memory_check.host_compute_free_memory_with_policy).
    """
    taken = sum(needed_memory(vm) for vm in host.resident_vms)
    control = sum(
        vm.number("memory_target") or vm.number("memory_static_max")
        for vm in inventory.all(VM)
        if vm.is_control_domain and vm.text("resident_on") == host.ref
    )
    return host.memory_total - host.number("memory_overhead") - control - taken


def attached_memory(host: Host) -> tuple[int, int]:
    """(used, total) bytes as the host's metrics say."""
    return host.memory_total - host.memory_free, host.memory_total


def checks(vm: VM, host: Host, inventory: Inventory) -> Iterator[Check]:
    """Could this VM run on this host, and if not, why: every reason, in the toolstack's order."""
    name = quoted(host.name)
    yield Check(
        "host.live",
        "HOST_NOT_LIVE",
        host.live,
        f"{name} is alive",
        "" if host.live else "the coordinator has not heard from it",
        "Look at the host itself; “pool status” says since when.",
    )
    yield Check(
        "host.enabled",
        "HOST_DISABLED",
        host.enabled,
        f"{name} takes VMs",
        "" if host.enabled else "it is disabled (in maintenance, or still starting)",
        f"On a host of the pool: xe host-enable uuid={host.uuid}",
    )
    source = vm.resident_on
    if source is not None and versions.platform_version(host) and versions.platform_version(source):
        older = versions.platform_version(host) < versions.platform_version(source)
        yield Check(
            "host.version",
            "VM_HOST_INCOMPATIBLE_VERSION",
            not older,
            f"{name} is not older than {quoted(source.name)}",
            f"it runs {versions.product(host.software_version)}" if older else "",
            "Update the host first.",
        )
    why_not = cpu.runs_on(vm, host) if vm.power_state != "Halted" else ""
    yield Check(
        "vm.cpu",
        "VM_INCOMPATIBLE_WITH_THIS_HOST",
        not why_not,
        f"the CPU of {name} suits it",
        why_not,
        "Shut the VM down and start it there: a fresh start takes the features of the pool as it is now.",
    )
    unseen = [sr for sr in needed_srs(vm) if not plugged(sr, host)]
    yield Check(
        "vm.storage",
        "VM_REQUIRES_SR",
        not unseen,
        f"{name} sees all its disks",
        f"not plugged there: {joined(map(_with_use, [(vm, sr) for sr in unseen]))}" if unseen else "",
        _storage_remedy(vm, unseen),
    )
    missing = [network for network in needed_networks(vm) if not reaches(network, host)]
    yield Check(
        "vm.network",
        "VM_REQUIRES_NETWORK",
        not missing,
        f"{name} has all its networks",
        f"not there: {joined(network.name for network in missing)}" if missing else "",
        "Give that host a NIC or VLAN on the network.",
    )
    need, free = needed_memory(vm), free_memory(host, inventory)
    yield Check(
        "host.memory",
        "HOST_NOT_ENOUGH_FREE_MEMORY",
        need <= free,
        f"{name} has the memory",
        f"{size(need)} needed, {size(max(free, 0))} can be freed",
        "Move or stop another VM there, or lower this one's dynamic minimum.",
    )


def needed_srs(vm: VM) -> tuple[SR, ...]:
    """The SRs of everything in its drives, ISOs included."""
    srs = (vbd.vdi.sr for vbd in vm.vbds if not vbd.empty and vbd.vdi is not None)
    return tuple(dict.fromkeys(sr for sr in srs if sr is not None))


def needed_networks(vm: VM) -> tuple[Network, ...]:
    return tuple(dict.fromkeys(vif.network for vif in vm.vifs if vif.network is not None))


def plugged(sr: SR, host: Host) -> bool:
    return any(pbd.attached and pbd.text("host") == host.ref for pbd in sr.pbds)


def reaches(network: Network, host: Host) -> bool:
    """A network without any NIC is internal and exists wherever it is needed."""
    return not network.pifs or any(pif.text("host") == host.ref for pif in network.pifs)


def _with_use(pair: tuple[VM, SR]) -> str:
    vm, sr = pair
    for vbd in vm.vbds:
        if vbd.is_cd and vbd.vdi is not None and vbd.vdi.sr == sr:
            return f"{sr.name} (the ISO {vbd.vdi.name} in its drive)"
    return sr.name


def _storage_remedy(vm: VM, unseen: list[SR]) -> str:
    if unseen and all(any(vbd.is_cd and vbd.vdi is not None and vbd.vdi.sr == sr for vbd in vm.vbds) for sr in unseen):
        return f"Take the ISO out of its drive: xe vm-cd-eject uuid={vm.uuid}"
    if any(sr.shared for sr in unseen):
        return "Plug the shared storage on that host (xe pbd-plug uuid=…); “pool status” lists unplugged paths."
    return "Its disk is on one host's local storage: move the disk to shared storage first."
