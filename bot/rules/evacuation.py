"""Emptying a host: where each of its VMs would go, one after the other, and why some cannot.

Better informed than `host.evacuate`: that wants every other host to suit a VM, and with HA on refuses VMs that are not
protected; a VM that is moved by itself needs one host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.inventory import VM, Host, Inventory
from bot.rules import memory, operations, placement
from bot.rules.check import Check

_MEMORY = "HOST_NOT_ENOUGH_FREE_MEMORY"

Allowed = Mapping[VM, Mapping[Host, Check]]
"""VMs that the toolstack would move although a check of :data:`operations.BETTER_KNOWN` speaks against it, with the
hosts where it would not run them, each asked for by itself.
"""


@dataclass(frozen=True, slots=True)
class Move:
    """One VM's way. `target` None: it has none; `against` says why, by host ("" for the VM itself)."""

    vm: VM
    target: Host | None
    against: tuple[tuple[str, Check], ...] = ()


def moves(host: Host, inventory: Inventory, allowed: Allowed) -> tuple[Move, ...]:
    """Biggest first, each onto the host with the most room left among those that can take it."""
    room = {each: memory.free(each, inventory) for each in inventory.hosts if each != host}
    found = []
    for vm in sorted(host.resident_vms, key=lambda vm: (-memory.needed(vm), vm.uuid)):
        known = operations.BETTER_KNOWN if vm in allowed else frozenset()
        failed = [check for check in operations.checks(vm, "pool_migrate", inventory) if not check.ok]
        against = [("", check) for check in failed if check.id not in known]
        able = []
        for target in room:
            why = [check for check in placement.against(vm, target, inventory) if check.code != _MEMORY]
            full = [check for check in placement.checks(vm, target, inventory) if check.code == _MEMORY]
            why += full if room[target] < memory.needed(vm) else []
            refused = allowed.get(vm, {}).get(target)
            why += [refused] if refused is not None and all(check.code != refused.code for check in why) else []
            against += [(target.name, check) for check in why]
            if not why:
                able.append(target)
        blocked = any(where == "" for where, _ in against)
        if blocked or not able:
            found.append(Move(vm, None, tuple(against)))
            continue
        target = max(able, key=lambda each: (room[each], each.uuid))
        room[target] -= memory.needed(vm)
        found.append(Move(vm, target))
    return tuple(found)
