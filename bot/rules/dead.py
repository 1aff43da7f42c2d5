"""A host that is dead: how it is told that it is, and what stands against giving it up.

The toolstack asks the host itself (xapi, August 2026: `HOST_IS_LIVE` when it answers), and so does the bot. That nobody
answers proves no lack of power: a host that is only cut off goes on running its VMs.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.ports import HostAnswer, Standpoint
from bot.rules.check import Check
from bot.rules.versions import before
from bot.text import joined, plural, quoted

_RUNS = ("Running", "Paused")


def stranded(host: Host, inventory: Inventory) -> tuple[VM, ...]:
    """VMs that the database has as running on the host, by name; without its control domains."""
    vms = (vm for vm in inventory.all(VM) if vm.resident_on == host and vm.power_state in _RUNS)
    return tuple(sorted((vm for vm in vms if not vm.is_control_domain), key=lambda vm: (vm.name.casefold(), vm.uuid)))


def can_be_declared(inventory: Inventory) -> bool:
    """`host.declare_dead` came with XenServer 6.2; before, each VM's power state is reset."""
    coordinator = inventory.pool.coordinator
    return coordinator is not None and not before(coordinator, 6, 2)


def silence(host: Host, answer: HostAnswer, inventory: Inventory) -> Iterator[Check]:
    """Nobody answers there, and it is not the coordinator, which the toolstack takes for alive."""
    name = quoted(host.name)
    silent = answer.standpoint is Standpoint.SILENT
    yield Check(
        "dead.silent",
        "HOST_IS_LIVE",
        silent,
        f"{name} does not answer the bot at {host.address}",
        answer.words,
        f"It is not dead. “host maintenance {spelling(host, inventory)} on” empties it,"
        f" “host remove {spelling(host, inventory)}” takes it out of the pool."
        if answer.standpoint in (Standpoint.MEMBER, Standpoint.COORDINATOR)
        else f"Look at {name} itself, and switch it off if it has to be given up.",
    )
    others = [each for each in inventory.hosts if each != host]
    yield Check(
        "dead.member",
        "HOST_IS_LIVE",
        not host.is_coordinator,
        f"{name} is not the coordinator",
        "it leads the pool" if host.is_coordinator else "",
        f"“pool coordinator {spelling(others[0], inventory)}” hands the role over." if others else "It is alone.",
    )


def forgettable(host: Host, inventory: Inventory) -> Iterator[Check]:
    """What `host.destroy` asks besides, in its order."""
    pool, vms = inventory.pool, stranded(host, inventory)
    yield Check(
        "dead.ha",
        "HA_IS_ENABLED",
        not pool.ha_enabled,
        "high availability is off",
        "it is on; while it is, no host leaves" if pool.ha_enabled else "",
        "“ha disable” first.",
    )
    yield Check(
        "dead.resident",
        "HOST_HAS_RESIDENT_VMS",
        not vms,
        f"no VM is recorded as running on {quoted(host.name)}",
        f"{plural(len(vms), 'VM')}: {joined((vm.name for vm in vms), limit=8)}" if vms else "",
        f"“host dead {spelling(host, inventory)}” records them as halted first.",
    )
