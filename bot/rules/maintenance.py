"""Maintenance as XenCenter notes it in a host's other_config: the mark, and three lists of the VMs that left.

Both tools read and write the same keys, so that a host emptied by one can be taken back by the other.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from bot.inventory import VM, Host, Inventory
from bot.rules import memory, operations, placement, versions
from bot.rules.check import Check

MIGRATED_KEY = "MAINTENANCE_MODE_EVACUATED_VMS_MIGRATED"
SUSPENDED_KEY = "MAINTENANCE_MODE_EVACUATED_VMS_SUSPENDED"
HALTED_KEY = "MAINTENANCE_MODE_EVACUATED_VMS_HALTED"
_BACK = {
    MIGRATED_KEY: ("Running", "pool_migrate"),
    SUSPENDED_KEY: ("Suspended", "resume_on"),
    HALTED_KEY: ("Halted", "start_on"),
}
"""XenCenter's list (uuids with commas) → the power state in which a VM of it is brought back, and how. One in another
state has been dealt with by somebody meanwhile.
"""
LISTS = tuple(_BACK)
_FOR_GOOD = (25, 31)
"""Since this version of the toolstack a host can be disabled so that it stays so also when it starts anew."""
_EITHER_WAY = frozenset({"HOST_DISABLED", "HOST_NOT_LIVE"})
"""The host is alive and enabled by the time a VM comes back."""
_MEMORY = "HOST_NOT_ENOUGH_FREE_MEMORY"


@dataclass(frozen=True, slots=True)
class Return:
    """A VM that left and could come back by `operation`; `against` says why it cannot. `home` is where it runs now."""

    vm: VM
    operation: str
    home: Host | None
    against: tuple[Check, ...] = ()


def can_last(host: Host, inventory: Inventory) -> bool:
    """Can it be disabled for good? Else it takes VMs again by itself after a reboot, or a restart of its toolstack. The
    coordinator, which passes the call on, has to know it, too. Whether it is disabled so, no record tells.
    """
    sides = (host, inventory.pool.coordinator)
    return all(each is not None and versions.toolstack(each) >= _FOR_GOOD for each in sides)


def listed(host: Host, key: str) -> tuple[str, ...]:
    """The uuids of one of :data:`LISTS`."""
    return tuple(dict.fromkeys(uuid for each in host.other_config.get(key, "").split(",") if (uuid := each.strip())))


def remembers(host: Host) -> bool:
    """Does any list name a VM?"""
    return any(listed(host, key) for key in LISTS)


def moved(host: Host, inventory: Inventory) -> tuple[VM, ...]:
    """Who was moved away, and runs elsewhere."""
    found = (inventory.by_uuid(VM, uuid) for uuid in listed(host, MIGRATED_KEY))
    return tuple(vm for vm in found if vm is not None and _is_elsewhere(vm, host))


def noted(host: Host, leaving: Iterable[VM], inventory: Inventory) -> str:
    """The list of VMs that were moved away, once these have left too. Those that an earlier, unfinished run has moved
    stay on it; those that are gone do not.
    """
    before = [uuid for uuid in listed(host, MIGRATED_KEY) if _is_elsewhere(inventory.by_uuid(VM, uuid), host)]
    return ",".join(dict.fromkeys([*before, *(vm.uuid for vm in leaving)]))


def returns(host: Host, inventory: Inventory, allowed: Container[VM]) -> tuple[Return, ...]:
    """Who comes back to the host, one after the other: room that one takes is not there for the next. `allowed`: whom
    the toolstack would move although a check of :data:`operations.BETTER_KNOWN` speaks against it.
    """
    room, found = memory.free(host, inventory), []
    for key, (state, operation) in _BACK.items():
        for uuid in listed(host, key):
            vm = inventory.by_uuid(VM, uuid)
            if vm is None or not vm.is_guest or vm.power_state != state or vm.resident_on == host:
                continue
            known = operations.BETTER_KNOWN if vm in allowed else frozenset()
            failed = [check for check in operations.checks(vm, operation, inventory) if not check.ok]
            why = [check for check in failed if check.id not in known]
            for check in placement.checks(vm, host, inventory):
                if check.code == _MEMORY:
                    why += [check] if room < memory.needed(vm) else []
                elif not check.ok and check.code not in _EITHER_WAY:
                    why.append(check)
            if not why:
                room -= memory.needed(vm)
            found.append(Return(vm, operation, vm.resident_on, tuple(why)))
    return tuple(found)


def _is_elsewhere(vm: VM | None, host: Host) -> bool:
    return vm is not None and vm.power_state == "Running" and vm.resident_on not in (None, host)
