"""Who may be the coordinator: what the toolstack asks before it hands the role over, and what else should hold.

Source: xapi's `pool.designate_new_master`, as recorded: a commit in two phases over all hosts, so all must answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.inventory import PBD, Host, Inventory
from bot.lookup import spelling
from bot.rules import heartbeat, hosts, memory, storage, versions
from bot.rules.check import Check
from bot.text import joined, quoted, size


def checks(inventory: Inventory) -> Iterator[Check]:
    """Can the role be handed over at all? In the toolstack's order."""
    yield from heartbeat.pool_checks(inventory, "designate_new_master")
    on = inventory.pool.ha_enabled
    yield Check(
        "pool.ha-off",
        "HA_IS_ENABLED",
        not on,
        "high availability is off",
        "it is on, and it alone decides who the coordinator is" if on else "",
        "“ha disable” first; “ha enable” afterwards.",
    )
    yield hosts.all_alive(inventory, "every host is alive: all of them must agree")


def suits(host: Host, inventory: Inventory) -> Iterator[Check]:
    """Should this host lead? The toolstack asks none of this."""
    coordinator = inventory.pool.coordinator
    same = coordinator is None or versions.platform_version(host) == versions.platform_version(coordinator)
    theirs = versions.product(coordinator.software_version) if coordinator else ""
    yield Check(
        "coordinator.version",
        "",
        same,
        f"{quoted(host.name)} runs the coordinator's version",
        "" if same else f"it runs {versions.product(host.software_version)}, the coordinator {theirs}",
        "While a pool is updated the role stays where it is: update all hosts first.",
    )


def doubts(host: Host, inventory: Inventory) -> Iterator[Check]:
    """What speaks against it, but does not forbid it."""
    name = spelling(host, inventory)
    yield Check(
        "coordinator.enabled",
        "",
        host.enabled,
        f"{quoted(host.name)} takes VMs",
        "" if host.enabled else "it is disabled: whoever works on it may take the coordinator down",
        f"“host maintenance {name} off” takes it back into service.",
    )
    lacking = [sr.name for sr, _ in storage.unplugged(inventory) if not _plugged(sr.pbds, host)]
    lacking += [sr.name for sr, hosts in storage.without_path(inventory) if host in hosts]
    yield Check(
        "coordinator.storage",
        "",
        not lacking,
        f"{quoted(host.name)} has all shared storage plugged",
        f"not plugged there: {joined(lacking)}; the coordinator is who looks after shared storage" if lacking else "",
        "“host show” and “sr repair” say more.",
    )


def proposed(inventory: Inventory, *, but: Host | None) -> tuple[Host, str] | None:
    """The member to lead in place of `but`, and why that one; None when no host could."""
    able = [
        host
        for host in inventory.hosts
        if host != but and host.live and all(check.ok for check in suits(host, inventory))
    ]
    if not able:
        return None
    ranked = sorted(able, key=lambda host: (*_rank(host, inventory), host.uuid))
    chosen, rest = ranked[0], ranked[1:]
    if not rest:
        return chosen, f"{quoted(chosen.name)} is the only other host that could be the coordinator"
    good = [check.title for check in doubts(chosen, inventory) if check.ok]
    told = "; ".join([*good, f"it is the least busy of those: {size(memory.free(chosen, inventory))} free"])
    return chosen, f"{quoted(chosen.name)} becomes the coordinator: {told}"


def _rank(host: Host, inventory: Inventory) -> tuple[int, int]:
    """Smaller is better: fewer doubts, then more memory left."""
    return sum(not check.ok for check in doubts(host, inventory)), -memory.free(host, inventory)


def _plugged(pbds: tuple[PBD, ...], host: Host) -> bool:
    return any(pbd.attached and pbd.text("host") == host.ref for pbd in pbds)
