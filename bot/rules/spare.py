"""Would the guests of a host fit on the others if it failed?"""

from __future__ import annotations

from bot.inventory import VM, Host, Inventory
from bot.rules import failover, ha, memory


def left_over(failing: Host, inventory: Inventory) -> tuple[VM, ...]:
    """Guests of `failing` that find no place on the other hosts, every guest squeezed to its dynamic minimum.

    Packed as HA's planner packs, but by what a start needs at least, and every running guest counts, protected or not.
    Memory only: storage, networks and CPUs have rules of their own.
    """
    room = {host.uuid: memory.free(host, inventory) for host in inventory.hosts if host != failing and ha.counts(host)}
    guests = {vm.uuid: vm for vm in failing.resident_vms}
    placed = failover.place(room, {uuid: memory.needed(vm) for uuid, vm in guests.items()}, guests)
    return tuple(vm for uuid, vm in guests.items() if placed[uuid] is None)
