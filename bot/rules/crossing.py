"""A VM on its way to another pool: the toolstack's checks, all of them, forecast from what was read of both.

The order and the codes are those of `VM.migrate_send` to another pool and of the metadata's dry run there (xapi's
source, August 2026). The toolstack stops at the first reason. What it would not notice in time has no code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.inventory import SR, VIF, VM, Host, Inventory, Network
from bot.lookup import spelling
from bot.rules import agility, ha, hosts, motion, placement, versions
from bot.rules.check import Check
from bot.rules.drivers import Drivers
from bot.rules.motion import Journey
from bot.text import joined, plural, quoted


@dataclass(frozen=True, slots=True)
class Crossing:
    """A journey to another pool, called `to` in the configuration. `networks`: where each virtual NIC is connected
    there, the snapshots' included; None: nobody has said, and no network's name does.
    """

    journey: Journey
    networks: Mapping[VIF, Network | None]
    to: str

    @property
    def vm(self) -> VM:
        return self.journey.vm

    @property
    def host(self) -> Host:
        return self.journey.host

    @property
    def there(self) -> Inventory:
        return self.journey.arrives_in


def all_vifs(vm: VM) -> tuple[VIF, ...]:
    """Its virtual NICs, and those of its snapshots, which come along."""
    return tuple(vif for each in (vm, *vm.snapshots) for vif in each.vifs)


def namesake(network: Network | None, there: Inventory) -> Network | None:
    """The one network of that name in the other pool."""
    found = [each for each in there.all(Network) if network is not None and each.name == network.name]
    return found[0] if len(found) == 1 else None


def checks(crossing: Crossing, sends: Drivers, receives: Drivers) -> Iterator[Check]:
    """Everything that speaks for or against it besides the operation on the VM itself, and the address there."""
    journey, vm, host = crossing.journey, crossing.vm, crossing.host
    yield motion.licensed(journey.inventory)
    yield _version(crossing)
    yield from motion.able_ends(journey, sends, receives)
    yield from _host(crossing, "vm.hardware", "host.enabled", "host.cpus")
    yield _mapped(crossing)
    look = f"Look at the host itself; “pool status in {quoted(crossing.to)}” says what is known."
    yield hosts.alive(host, look, code="CANNOT_CONTACT_HOST")
    yield from _who_is_there(crossing)
    if vm.power_state != "Halted":
        yield from _host(crossing, "host.memory" if vm.power_state == "Running" else "", "vm.cpu")
    yield from (replace(check, code="") for check in _host(crossing, "host.hvm"))  # nobody looks before it starts
    if vm.power_state == "Halted" and vm.refs("VGPUs"):
        yield _graphics(vm)
    for vdi in journey.moves:
        yield from motion.itself(vdi)
        yield from _of_others(crossing, vdi.name, [vbd.vm for vbd in vdi.vbds if vbd.vm is not None])
    yield from motion.orphans(journey)
    yield from _suspended(crossing)
    sender = vm.resident_on or journey.inventory.pool.coordinator
    if sender is not None:
        yield from motion.slots(vm, sender, journey.inventory)
    yield _plugged(crossing)
    yield from motion.room(journey)
    yield from _connected(crossing)
    yield from _failover(crossing)


def _version(crossing: Crossing) -> Check:
    """Of the VM's host, or of the pool's coordinator where it does not run."""
    vm, host = crossing.vm, crossing.host
    source = vm.resident_on or crossing.journey.inventory.pool.coordinator
    behind = versions.behind(host, source) if source is not None else ""
    return Check(
        "host.version",
        "VM_HOST_INCOMPATIBLE_VERSION_MIGRATE",
        not behind,
        f"{quoted(host.name)} is not older than {quoted(source.name) if source else 'its own pool'}",
        behind,
        "Update the other pool first.",
    )


def _host(crossing: Crossing, *ids: str) -> Iterator[Check]:
    """Those of the checks for a start on a host that the other pool makes, in this order."""
    found = {check.id: check for check in placement.checks(crossing.vm, crossing.host, crossing.there)}
    for each in ids:
        check = found.get(each)
        if check is not None and check.id == "host.enabled":
            line = f"host maintenance {spelling(crossing.host, crossing.there)} off in {quoted(crossing.to)}"
            yield replace(check, remedy=f"When it is ready: “{line}”")
        elif check is not None:
            yield check


def _graphics(vm: VM) -> Check:
    """A running VM with one is refused anyway."""
    return Check(
        "vm.vgpu",
        "",
        False,
        "it has no virtual GPU",
        f"it has {plural(len(vm.refs('VGPUs')), 'virtual GPU')}, and which cards the other pool has is not looked at",
        f"Take it away, and give {quoted(vm.name)} another one there.",
    )


def _mapped(crossing: Crossing) -> Check:
    lost = [vif.network for vif, network in crossing.networks.items() if network is None]
    names = joined(dict.fromkeys(network.name if network else "no network" for network in lost))
    offered = joined(sorted(each.name for each in crossing.there.all(Network) if each.pifs)) or "none"
    return Check(
        "vm.networks",
        "VIF_NOT_IN_MAP",
        not lost,
        "each of its networks has a counterpart there",
        f"{names} has no single namesake; the networks of {quoted(crossing.to)}: {offered}" if lost else "",
        "Say which one stands in for it: “… network NETWORK”.",
    )


def _who_is_there(crossing: Crossing) -> Iterator[Check]:
    """It keeps its uuid and the seed of its MAC addresses, and so do its snapshots: nothing of that may be there."""
    family, there = (crossing.vm, *crossing.vm.snapshots), crossing.there
    uuids = {vm.uuid for vm in family}
    seeds = {vm.other_config["mac_seed"] for vm in family if "mac_seed" in vm.other_config}
    twins = [vm for vm in there.all(VM) if vm.other_config.get("mac_seed") in seeds and vm.uuid not in uuids]
    yield Check(
        "vm.seed",
        "DUPLICATE_MAC_SEED",
        not twins,
        "no VM there makes its MAC addresses from the same seed",
        f"{joined(vm.name for vm in twins)} does: one is a copy of the other" if twins else "",
        f"Give it another seed there: xe vm-param-set uuid={twins[0].uuid} other-config:mac_seed=$(uuidgen)"
        if twins
        else "",
    )
    same = [(vm, known) for vm in family if (known := there.by_uuid(VM, vm.uuid)) is not None]
    yield Check(
        "vm.uuid",
        _refusal(*same[0]) if same else "",
        not same,
        f"{quoted(crossing.to)} does not know it yet",
        f"{joined(vm.name for vm, _ in same)} is there already, with the same uuid" if same else "",
        "Look which of the two is meant. The other has to go, with its disks: xe vm-uninstall uuid=…",
    )


def _refusal(vm: VM, known: VM) -> str:
    """How the toolstack refuses a VM that is there already; one that is older it would replace, without a word."""
    if known.power_state != "Halted":
        return "VM_BAD_POWER_STATE"
    return "VM_TO_IMPORT_IS_NOT_NEWER_VERSION" if known.number("version") >= vm.number("version") else ""


def _of_others(crossing: Crossing, disk: str, users: list[VM]) -> Iterator[Check]:
    others = [vm.name for vm in users if vm != crossing.vm and not vm.is_snapshot]
    if others:
        yield Check(
            "disk.shared",
            "",
            False,
            f"{quoted(disk)} is its own alone",
            f"{joined(others)} has it too, and would lose it",
            "Take the disk away from one of them first.",
        )


def _suspended(crossing: Crossing) -> Iterator[Check]:
    """Suspended memory is a disk that goes to the other pool's own place for such."""
    if all(vm.power_state != "Suspended" for vm in (crossing.vm, *crossing.vm.snapshots)):
        return
    pool = crossing.there.pool
    place = crossing.there.get(SR, pool.text("suspend_image_SR")) or pool.default_sr
    yield Check(
        "pool.suspend",
        "VDI_NOT_IN_MAP",
        place is not None,
        f"{quoted(crossing.to)} has a place for suspended memory",
        "" if place else "it names no storage for it, and no default storage",
        f"xe pool-param-set uuid={pool.uuid} suspend-image-SR=…",
    )


def _plugged(crossing: Crossing) -> Check:
    check = motion.plugged(crossing.journey)
    if check.ok or "“sr repair" not in check.remedy:
        return check
    return replace(check, remedy=f"{check.remedy.rstrip('”')} in {quoted(crossing.to)}”")


def _connected(crossing: Crossing) -> Iterator[Check]:
    """The toolstack connects the networks when the disks are copied, and fails only then."""
    used = dict.fromkeys(network for network in crossing.networks.values() if network is not None)
    missing = [network for network in used if not placement.reaches(network, crossing.host, crossing.there)]
    if used:
        yield Check(
            "host.networks",
            "",
            not missing,
            f"{quoted(crossing.host.name)} has the networks",
            f"not there: {joined(network.name for network in missing)}" if missing else "",
            "Give that host a NIC or VLAN on the network, or choose another host or network.",
        )


def _failover(crossing: Crossing) -> Iterator[Check]:
    """With high availability on there. The toolstack does not look at that when a VM comes from another pool."""
    vm, there = crossing.vm, crossing.there
    if not there.pool.ha_enabled:
        return
    guard = ha.guard(there, ha.Change(arriving=(vm, crossing.host))) if vm.power_state == "Running" else None
    if guard is not None:
        yield replace(guard, code="", remedy=f"Free memory there, or “ha tolerate N in {quoted(crossing.to)}”.")
    if not ha.is_protected(vm):
        return
    tied = [sr.name for sr in dict.fromkeys(crossing.journey.moves.values()) if not _everywhere(sr, there)]
    networks = dict.fromkeys(network for network in crossing.networks.values() if network is not None)
    tied += [network.name for network in networks if agility.hosts_without_network(network, there)]
    yield Check(
        "ha.agile",
        "",
        not tied,
        "it can be restarted on every host there",
        f"it is protected, and not every host there has {joined(tied)}" if tied else "",
        f"Choose what every host has, or “ha protect {spelling(vm, crossing.journey.inventory)} off” first.",
    )


def _everywhere(sr: SR, inventory: Inventory) -> bool:
    return sr.shared and not agility.hosts_without_sr(sr, inventory)
