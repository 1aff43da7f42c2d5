"""What was read of a pool at one moment: records by class, with typed, read-only views for the rules and the commands.

An :class:`Inventory` is immutable and consistent: it shows the pool's database at one instant. Records are XenAPI's own
(ints as decimal strings on
XML-RPC, times as ISO text); a view's property converts what it reads and copes with fields that an older version does
not have. Objects that are missing
(dangling references exist in real databases) are None or left out, never an exception.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from bot.model import ObjectId

NULL_REF = "OpaqueRef:NULL"
Record = Mapping[str, Any]


class Entity:
    """An object of the inventory: its reference, its record, and the way to its neighbours."""

    cls = ""

    def __init__(self, ref: str, record: Record, inventory: Inventory) -> None:
        self.ref = ref
        self.record = record
        self._inventory = inventory

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and other.cls == self.cls and other.ref == self.ref

    def __hash__(self) -> int:
        return hash((self.cls, self.ref))

    def __repr__(self) -> str:
        return f"<{self.cls} {self.name!r}>"

    def has(self, name: str) -> bool:
        """Does this pool's version show the field at all?"""
        return name in self.record

    def text(self, name: str, default: str = "") -> str:
        value = self.record.get(name, default)
        return value if isinstance(value, str) else str(value)

    def number(self, name: str, default: int = 0) -> int:
        try:
            return int(self.record.get(name, default))
        except (TypeError, ValueError):
            return default

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.record.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() == "true"

    def mapping(self, name: str) -> Mapping[str, str]:
        value = self.record.get(name)
        return value if isinstance(value, Mapping) else {}

    def refs(self, name: str) -> tuple[str, ...]:
        value = self.record.get(name)
        return tuple(value) if isinstance(value, list | tuple) else ()

    @property
    def uuid(self) -> str:
        return self.text("uuid")

    @property
    def name(self) -> str:
        return self.text("name_label") or self.uuid

    @property
    def id(self) -> ObjectId:
        return ObjectId(self.cls, self.uuid, self.name)

    @property
    def other_config(self) -> Mapping[str, str]:
        return self.mapping("other_config")

    @property
    def tags(self) -> tuple[str, ...]:
        return self.refs("tags")


class Pool(Entity):
    cls = "pool"

    @property
    def name(self) -> str:
        """A pool of one host often has no name of its own: then the coordinator's."""
        coordinator = self.coordinator
        return self.text("name_label") or (coordinator.name if coordinator else "") or self.uuid

    @property
    def coordinator(self) -> Host | None:
        return self._inventory.get(Host, self.text("master"))

    @property
    def ha_enabled(self) -> bool:
        return self.flag("ha_enabled")

    @property
    def default_sr(self) -> SR | None:
        return self._inventory.get(SR, self.text("default_SR"))


class Host(Entity):
    cls = "host"

    @property
    def address(self) -> str:
        return self.text("address")

    @property
    def enabled(self) -> bool:
        return self.flag("enabled")

    @property
    def metrics(self) -> Entity | None:
        return self._inventory.get(HostMetrics, self.text("metrics"))

    @property
    def live(self) -> bool:
        """host_metrics.live: without HA it can be ten minutes behind (xapi's heartbeat limit). False when the host has
        no metrics: then `metrics` is None, and nothing is known.
        """
        metrics = self.metrics
        return metrics.flag("live") if metrics else False

    @property
    def memory_total(self) -> int:
        metrics = self.metrics
        return metrics.number("memory_total") if metrics else 0

    @property
    def memory_free(self) -> int:
        metrics = self.metrics
        return metrics.number("memory_free") if metrics else 0

    @property
    def is_coordinator(self) -> bool:
        return self._inventory.pool.text("master") == self.ref

    @cached_property
    def resident_vms(self) -> tuple[VM, ...]:
        """Guests whose domain is on this host, without the control domain."""
        return self._inventory.vms_by_host.get(self.ref, ())

    @property
    def pbds(self) -> tuple[PBD, ...]:
        return self._inventory.pbds_by_host.get(self.ref, ())

    @cached_property
    def pifs(self) -> tuple[PIF, ...]:
        """Its interfaces, by device."""
        return tuple(sorted(self._inventory.pifs_by_host.get(self.ref, ()), key=lambda pif: pif.device))

    @cached_property
    def patches(self) -> tuple[HostPatch, ...]:
        return self._inventory.patches_by_host.get(self.ref, ())

    @property
    def software_version(self) -> Mapping[str, str]:
        return self.mapping("software_version")

    @property
    def cpu_info(self) -> Mapping[str, str]:
        return self.mapping("cpu_info")


class HostMetrics(Entity):
    cls = "host_metrics"


class VM(Entity):
    cls = "VM"

    @property
    def power_state(self) -> str:
        """`Halted`, `Paused`, `Running` or `Suspended`."""
        return self.text("power_state")

    @property
    def is_template(self) -> bool:
        return self.flag("is_a_template")

    @property
    def is_snapshot(self) -> bool:
        return self.flag("is_a_snapshot")

    @property
    def is_control_domain(self) -> bool:
        return self.flag("is_control_domain")

    @property
    def is_guest(self) -> bool:
        """A virtual machine as people mean it: neither template, snapshot nor control domain."""
        return not (self.is_template or self.is_snapshot or self.is_control_domain)

    @property
    def resident_on(self) -> Host | None:
        return self._inventory.get(Host, self.text("resident_on"))

    @property
    def affinity(self) -> Host | None:
        return self._inventory.get(Host, self.text("affinity"))

    @property
    def current_operations(self) -> Mapping[str, str]:
        return self.mapping("current_operations")

    @property
    def guest_metrics(self) -> Entity | None:
        return self._inventory.get(GuestMetrics, self.text("guest_metrics"))

    @property
    def vbds(self) -> tuple[VBD, ...]:
        return self._inventory.vbds_by_vm.get(self.ref, ())

    @property
    def vifs(self) -> tuple[VIF, ...]:
        return self._inventory.vifs_by_vm.get(self.ref, ())


class GuestMetrics(Entity):
    cls = "VM_guest_metrics"


class SR(Entity):
    cls = "SR"

    @property
    def type(self) -> str:
        return self.text("type")

    @property
    def shared(self) -> bool:
        return self.flag("shared")

    @property
    def content_type(self) -> str:
        return self.text("content_type")

    @property
    def pbds(self) -> tuple[PBD, ...]:
        return self._inventory.pbds_by_sr.get(self.ref, ())

    @property
    def physical_size(self) -> int:
        return self.number("physical_size")

    @property
    def physical_utilisation(self) -> int:
        return self.number("physical_utilisation")

    @property
    def is_tools(self) -> bool:
        """The SR of the guest tools' ISO, which every host has by itself."""
        return self.flag("is_tools_sr") or self.other_config.get("xenserver_tools_sr") == "true"


class PBD(Entity):
    cls = "PBD"

    @property
    def host(self) -> Host | None:
        return self._inventory.get(Host, self.text("host"))

    @property
    def sr(self) -> SR | None:
        return self._inventory.get(SR, self.text("SR"))

    @property
    def attached(self) -> bool:
        return self.flag("currently_attached")


class VDI(Entity):
    cls = "VDI"

    @property
    def sr(self) -> SR | None:
        return self._inventory.get(SR, self.text("SR"))

    @property
    def virtual_size(self) -> int:
        return self.number("virtual_size")


class VBD(Entity):
    cls = "VBD"

    @property
    def vm(self) -> VM | None:
        return self._inventory.get(VM, self.text("VM"))

    @property
    def vdi(self) -> VDI | None:
        return self._inventory.get(VDI, self.text("VDI"))

    @property
    def empty(self) -> bool:
        return self.flag("empty")

    @property
    def is_cd(self) -> bool:
        return self.text("type") == "CD"


class VIF(Entity):
    cls = "VIF"

    @property
    def network(self) -> Network | None:
        return self._inventory.get(Network, self.text("network"))


class Network(Entity):
    cls = "network"

    @property
    def pifs(self) -> tuple[PIF, ...]:
        return self._inventory.pifs_by_network.get(self.ref, ())


class PIF(Entity):
    """A host's interface: a NIC, a bond (its master), a VLAN or a tunnel."""

    cls = "PIF"

    @property
    def host(self) -> Host | None:
        return self._inventory.get(Host, self.text("host"))

    @property
    def network(self) -> Network | None:
        return self._inventory.get(Network, self.text("network"))

    @property
    def metrics(self) -> PIFMetrics | None:
        return self._inventory.get(PIFMetrics, self.text("metrics"))

    @property
    def name(self) -> str:
        return self.text("device") or self.uuid

    @property
    def device(self) -> str:
        return self.text("device")

    @property
    def is_nic(self) -> bool:
        """A physical NIC that the toolstack manages (PIF.managed since 6.1)."""
        return self.flag("physical") and self.flag("managed", default=True)

    @property
    def is_management(self) -> bool:
        return self.flag("management")

    @property
    def bond(self) -> Bond | None:
        """The bond that this interface is a member of."""
        return self._inventory.get(Bond, self.text("bond_slave_of"))

    @property
    def bonding(self) -> Bond | None:
        """The bond that this interface is."""
        return self._inventory.bonds_by_master.get(self.ref)

    @property
    def has_link(self) -> bool | None:
        """PIF_metrics.carrier; None when the pool does not say."""
        metrics = self.metrics
        return metrics.flag("carrier") if metrics is not None and metrics.has("carrier") else None


class PIFMetrics(Entity):
    cls = "PIF_metrics"

    @property
    def speed(self) -> int:
        """Mbit/s; 0 without a link."""
        return self.number("speed")


class Bond(Entity):
    cls = "Bond"

    @property
    def name(self) -> str:
        interface = self.interface
        return interface.name if interface is not None else self.uuid

    @property
    def interface(self) -> PIF | None:
        return self._inventory.get(PIF, self.text("master"))

    @property
    def members(self) -> tuple[PIF, ...]:
        return self._inventory.pifs_by_bond.get(self.ref, ())

    @property
    def mode(self) -> str:
        return self.text("mode")


class PoolPatch(Entity):
    """An update up to 7.0."""

    cls = "pool_patch"


class HostPatch(Entity):
    """An update up to 7.0 as one host has it."""

    cls = "host_patch"

    @property
    def patch(self) -> PoolPatch | None:
        return self._inventory.get(PoolPatch, self.text("pool_patch"))


class PoolUpdate(Entity):
    """An update from 7.1 to 8.2; hosts name theirs in host.updates."""

    cls = "pool_update"


class Certificate(Entity):
    """Since 8.2."""

    cls = "Certificate"

    @property
    def host(self) -> Host | None:
        return self._inventory.get(Host, self.text("host"))


class Task(Entity):
    cls = "task"

    @property
    def status(self) -> str:
        return self.text("status")


class Message(Entity):
    cls = "message"

    @property
    def name(self) -> str:
        """An alert's own name, e.g. `HA_HOST_FAILED`."""
        return self.text("name")

    @property
    def priority(self) -> int:
        return self.number("priority", 5)

    @property
    def about_uuid(self) -> str:
        return self.text("obj_uuid")


E = TypeVar("E", bound=Entity)

#: The classes that an inventory holds; read in one go, so that a cold start costs the same number of calls for any
#: pool.
CLASSES: tuple[type[Entity], ...] = (
    Pool, Host, HostMetrics, VM, GuestMetrics, SR, PBD, VDI, VBD, VIF, Network, PIF, PIFMetrics, Bond,
    PoolPatch, HostPatch, PoolUpdate, Certificate, Task, Message,
)  # fmt: skip


@dataclass(frozen=True)
class Inventory:
    """A pool's database at one instant: `{class: {ref: record}}`, and the instant (seconds since the epoch, by the
    bot's clock).
    """

    records: Mapping[str, Mapping[str, Record]]
    read_at: float
    _views: dict[tuple[str, str], Entity] = field(default_factory=dict, compare=False, repr=False)

    def get(self, kind: type[E], ref: str) -> E | None:
        """The object behind a reference, or None when it is null or dangles."""
        record = self.records.get(kind.cls, {}).get(ref)
        if record is None:
            return None
        view = self._views.get((kind.cls, ref))
        if view is None:
            view = self._views.setdefault((kind.cls, ref), kind(ref, record, self))
        assert isinstance(view, kind)
        return view

    def all(self, kind: type[E]) -> Iterator[E]:
        """Every object of a class, in the database's order."""
        for ref in self.records.get(kind.cls, {}):
            view = self.get(kind, ref)
            if view is not None:
                yield view

    def by_uuid(self, kind: type[E], uuid: str) -> E | None:
        ref = self._refs_by_uuid.get((kind.cls, uuid))
        return self.get(kind, ref) if ref else None

    def any_by_uuid(self, uuid: str) -> Entity | None:
        """The object with this uuid, of whatever class: alerts name their object so."""
        for kind in CLASSES:
            found = self.by_uuid(kind, uuid)
            if found is not None:
                return found
        return None

    def any_by_ref(self, ref: str) -> Entity | None:
        """The object behind a reference of unknown class, as error arrays hold them."""
        for kind in CLASSES:
            found = self.get(kind, ref)
            if found is not None:
                return found
        return None

    @cached_property
    def pool(self) -> Pool:
        """The pool itself; every database has exactly one.

        :raises LookupError: the database holds none (it was read half-way, or is not XenAPI's).
        """
        for pool in self.all(Pool):
            return pool
        raise LookupError("the database holds no pool")

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        return tuple(sorted(self.all(Host), key=lambda h: (h.name.casefold(), h.uuid)))

    @cached_property
    def guests(self) -> tuple[VM, ...]:
        """Virtual machines as people mean them, by name."""
        return tuple(sorted((vm for vm in self.all(VM) if vm.is_guest), key=lambda vm: (vm.name.casefold(), vm.uuid)))

    @cached_property
    def shared_srs(self) -> tuple[SR, ...]:
        """Shared storage, without the tools' SR that every host brings along."""
        srs = (sr for sr in self.all(SR) if sr.shared and not sr.is_tools)
        return tuple(sorted(srs, key=lambda sr: (sr.name.casefold(), sr.uuid)))

    @cached_property
    def vms_by_host(self) -> Mapping[str, tuple[VM, ...]]:
        grouped: dict[str, list[VM]] = defaultdict(list)
        for vm in self.guests:
            if vm.power_state in ("Running", "Paused"):
                grouped[vm.text("resident_on")].append(vm)
        return {ref: tuple(vms) for ref, vms in grouped.items()}

    @cached_property
    def vms_coming_to_host(self) -> Mapping[str, tuple[VM, ...]]:
        """Guests that are about to be on a host: starting, resuming, or moving there."""
        grouped: dict[str, list[VM]] = defaultdict(list)
        for vm in self.guests:
            grouped[vm.text("scheduled_to_be_resident_on", NULL_REF)].append(vm)
        grouped.pop(NULL_REF, None)
        return {ref: tuple(vms) for ref, vms in grouped.items()}

    @cached_property
    def control_domains_by_host(self) -> Mapping[str, tuple[VM, ...]]:
        grouped: dict[str, list[VM]] = defaultdict(list)
        for vm in self.all(VM):
            if vm.is_control_domain:
                grouped[vm.text("resident_on")].append(vm)
        return {ref: tuple(vms) for ref, vms in grouped.items()}

    @cached_property
    def hosts_by_internal_network(self) -> Mapping[str, frozenset[str]]:
        """The references of the hosts on which VMs of a network without any NIC run, by the network's reference."""
        homes: dict[str, set[str]] = defaultdict(set)
        for vm in self.guests:
            if vm.power_state == "Running":
                for vif in vm.vifs:
                    if vif.network is not None and not vif.network.pifs:
                        homes[vif.network.ref].add(vm.text("resident_on"))
        return {ref: frozenset(hosts) for ref, hosts in homes.items()}

    @cached_property
    def pbds_by_host(self) -> Mapping[str, tuple[PBD, ...]]:
        return self._grouped(PBD, "host")

    @cached_property
    def pbds_by_sr(self) -> Mapping[str, tuple[PBD, ...]]:
        return self._grouped(PBD, "SR")

    @cached_property
    def vbds_by_vm(self) -> Mapping[str, tuple[VBD, ...]]:
        return self._grouped(VBD, "VM")

    @cached_property
    def vifs_by_vm(self) -> Mapping[str, tuple[VIF, ...]]:
        return self._grouped(VIF, "VM")

    @cached_property
    def pifs_by_network(self) -> Mapping[str, tuple[PIF, ...]]:
        return self._grouped(PIF, "network")

    @cached_property
    def pifs_by_host(self) -> Mapping[str, tuple[PIF, ...]]:
        return self._grouped(PIF, "host")

    @cached_property
    def pifs_by_bond(self) -> Mapping[str, tuple[PIF, ...]]:
        return self._grouped(PIF, "bond_slave_of")

    @cached_property
    def bonds_by_master(self) -> Mapping[str, Bond]:
        return {bond.text("master"): bond for bond in self.all(Bond)}

    @cached_property
    def patches_by_host(self) -> Mapping[str, tuple[HostPatch, ...]]:
        return self._grouped(HostPatch, "host")

    @cached_property
    def _refs_by_uuid(self) -> Mapping[tuple[str, str], str]:
        return {
            (kind.cls, str(record.get("uuid", ""))): ref
            for kind in CLASSES
            for ref, record in self.records.get(kind.cls, {}).items()
        }

    def _grouped(self, kind: type[E], by: str) -> Mapping[str, tuple[E, ...]]:
        refs: dict[str, list[str]] = defaultdict(list)
        for ref, record in self.records.get(kind.cls, {}).items():
            refs[str(record.get(by, ""))].append(ref)
        return _Groups(self, kind, refs)


class _Groups(Mapping[str, tuple[E, ...]]):
    """Objects by the reference that one of their fields holds. Views are made when a group is looked at: of the
    thousands of drives of a large pool an answer shows a few.
    """

    def __init__(self, inventory: Inventory, kind: type[E], refs: Mapping[str, list[str]]) -> None:
        self._inventory = inventory
        self._kind = kind
        self._refs = dict(refs)

    def __getitem__(self, key: str) -> tuple[E, ...]:
        views = (self._inventory.get(self._kind, ref) for ref in self._refs[key])
        return tuple(view for view in views if view is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)
