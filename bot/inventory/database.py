"""A pool's database at one instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from bot.inventory.entity import NULL_REF, Entity, Record
from bot.inventory.views import CLASSES, PBD, PIF, SR, VBD, VIF, VM, Bond, Host, HostPatch, Pool

E = TypeVar("E", bound=Entity)


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
    def vbds_by_vdi(self) -> Mapping[str, tuple[VBD, ...]]:
        return self._grouped(VBD, "VDI")

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
