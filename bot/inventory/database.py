"""A pool's database at one instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from bot.inventory.details import HostPatch
from bot.inventory.entity import NULL_REF, Entity, Record
from bot.inventory.views import CLASSES, PBD, PIF, SR, VBD, VIF, VM, Bond, Host, Pool

E = TypeVar("E", bound=Entity)
T = TypeVar("T")


@dataclass(frozen=True)
class Inventory:
    """A pool's database at one instant: `{class: {ref: record}}`, and the instant (seconds since the epoch, by the
    bot's clock).
    """

    records: Mapping[str, Mapping[str, Record]]
    read_at: float
    _views: dict[tuple[str, str], Entity] = field(default_factory=dict, compare=False, repr=False)
    _found: dict[str, tuple[Any, Any]] = field(default_factory=dict, compare=False, repr=False)
    """What was found out about whole classes, in references, beside the records that it was found in. Handed on from
    one instant to the next: of a large pool little changes between two questions.
    """

    def later(self, records: Mapping[str, Mapping[str, Record]], read_at: float) -> Inventory:
        """The same pool at a later instant."""
        return Inventory(records, read_at, _found=self._found)

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
        ref = self._refs_by_uuid(kind).get(uuid)
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
        return self._by_name(Host, lambda _: True)

    @cached_property
    def guests(self) -> tuple[VM, ...]:
        """Virtual machines as people mean them, by name."""
        return self._by_name(VM, lambda vm: vm.is_guest)

    @cached_property
    def shared_srs(self) -> tuple[SR, ...]:
        """Shared storage, without the tools' SR that every host brings along."""
        return self._by_name(SR, lambda sr: sr.shared and not sr.is_tools)

    @cached_property
    def vms_by_host(self) -> Mapping[str, tuple[VM, ...]]:
        return self._grouped(
            VM, "resident_on", "on hosts", lambda: (vm for vm in self.guests if vm.power_state in ("Running", "Paused"))
        )

    @cached_property
    def vms_coming_to_host(self) -> Mapping[str, tuple[VM, ...]]:
        """Guests that are about to be on a host: starting, resuming, or moving there."""
        field = "scheduled_to_be_resident_on"
        return self._grouped(
            VM, field, "coming", lambda: (vm for vm in self.guests if vm.text(field, NULL_REF) != NULL_REF)
        )

    @cached_property
    def control_domains_by_host(self) -> Mapping[str, tuple[VM, ...]]:
        return self._grouped(
            VM, "resident_on", "control domains", lambda: (vm for vm in self.all(VM) if vm.is_control_domain)
        )

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

    def _by_name(self, kind: type[E], wanted: Callable[[E], bool]) -> tuple[E, ...]:
        """By each object's own record alone."""
        refs = self._once(
            kind,
            "by name",
            lambda: [
                view.ref
                for view in sorted(filter(wanted, self.all(kind)), key=lambda view: (view.name.casefold(), view.uuid))
            ],
        )
        return tuple(view for view in (self.get(kind, ref) for ref in refs) if view is not None)

    def _grouped(
        self, kind: type[E], by: str, of: str = "all", members: Callable[[], Iterable[E]] | None = None
    ) -> Mapping[str, tuple[E, ...]]:
        """Objects, or those of `members`, which are called `of`, by a field that holds a reference. Who is a member
        must follow from each object's own record alone.
        """

        def grouped() -> Mapping[str, list[str]]:
            refs: dict[str, list[str]] = defaultdict(list)
            if members is None:
                for ref, record in self.records.get(kind.cls, {}).items():
                    refs[str(record.get(by, ""))].append(ref)
            else:
                for view in members():
                    refs[view.text(by)].append(view.ref)
            return dict(refs)

        return _Groups(self, kind, self._once(kind, f"{of} by {by}", grouped))

    def _refs_by_uuid(self, kind: type[Entity]) -> Mapping[str, str]:
        return self._once(
            kind,
            "by uuid",
            lambda: {str(record.get("uuid", "")): ref for ref, record in self.records.get(kind.cls, {}).items()},
        )

    def _once(self, kind: type[Entity], what: str, work: Callable[[], T]) -> T:
        """What `work` finds in the records of one class and nowhere else: done again only when one of them changes."""
        table = self.records.get(kind.cls)
        name = f"{kind.cls} {what}"
        known = self._found.get(name)
        if known is None or known[0] is not table:
            known = self._found[name] = (table, work())
        found: T = known[1]
        return found


class _Groups(Mapping[str, tuple[E, ...]]):
    """Objects by the reference that one of their fields holds. Views are made when a group is looked at: of the
    thousands of drives of a large pool an answer shows a few.
    """

    def __init__(self, inventory: Inventory, kind: type[E], refs: Mapping[str, list[str]]) -> None:
        self._inventory = inventory
        self._kind = kind
        self._refs = refs

    def __getitem__(self, key: str) -> tuple[E, ...]:
        views = (self._inventory.get(self._kind, ref) for ref in self._refs[key])
        return tuple(view for view in views if view is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)
