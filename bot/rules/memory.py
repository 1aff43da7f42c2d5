"""Memory as the toolstack reckons it: what a VM takes, and what a host has left.

Two ways of counting: a start or a move may squeeze every guest to its dynamic minimum (ballooning); HA's planner sets
aside each one's static maximum. Source: xapi's memory checks, as recorded.
"""

from __future__ import annotations

from bot.inventory import VM, Host, Inventory

_MIB = 1 << 20


def needed(vm: VM) -> int:
    """Bytes that a VM takes at least on a host: its dynamic minimum and the hypervisor's overhead for it."""
    return vm.number("memory_dynamic_min") + vm.number("memory_overhead")


def at_most(vm: VM) -> int:
    """Bytes that HA sets aside for a VM: its static maximum, in whole MiB, and the overhead."""
    return -(-vm.number("memory_static_max") // _MIB) * _MIB + vm.number("memory_overhead")


def free(host: Host, inventory: Inventory) -> int:
    """Bytes that could be freed on a host for one more VM, with every guest squeezed to its dynamic minimum."""
    return _for_guests(host, inventory) - sum(map(needed, _occupants(host, inventory)))


def free_for_ha(host: Host, inventory: Inventory) -> int:
    """Bytes that are left when every VM on the host takes its static maximum; not below 0."""
    taken = sum(vm.number("memory_static_max") + vm.number("memory_overhead") for vm in _occupants(host, inventory))
    return max(0, _for_guests(host, inventory) - taken)


def _for_guests(host: Host, inventory: Inventory) -> int:
    """Total less the hypervisor's own part and the control domains."""
    control = sum(
        (vm.number("memory_target") or vm.number("memory_static_max")) + vm.number("memory_overhead")
        for vm in inventory.control_domains_by_host.get(host.ref, ())
    )
    return host.memory_total - host.number("memory_overhead") - control


def _occupants(host: Host, inventory: Inventory) -> tuple[VM, ...]:
    """The guests that are on the host or on their way to it."""
    return tuple(dict.fromkeys((*host.resident_vms, *inventory.vms_coming_to_host.get(host.ref, ()))))
