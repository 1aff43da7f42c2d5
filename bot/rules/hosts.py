"""Whether a host is there, and its state in a word or two, as every table shows it."""

from __future__ import annotations

from bot.inventory import Host, Inventory
from bot.model import Cell, Level
from bot.rules.check import Check
from bot.text import joined, quoted

MAINTENANCE_KEY = "MAINTENANCE_MODE"
"""XenCenter's mark in other_config: a disabled host with it is in maintenance, not merely disabled."""


def in_maintenance(host: Host) -> bool:
    return not host.enabled and host.other_config.get(MAINTENANCE_KEY) == "true"


def state(host: Host) -> Cell:
    if host.metrics is not None and not host.live:
        return Cell("not answering", Level.BAD)
    if not host.enabled:
        return Cell("maintenance" if in_maintenance(host) else "disabled", Level.WARN)
    return Cell("enabled", Level.OK) if host.metrics is not None else Cell("unknown", Level.WARN)


def alive(host: Host, remedy: str, *, code: str = "HOST_OFFLINE") -> Check:
    return Check(
        "host.live",
        code,
        host.live,
        f"{quoted(host.name)} is alive",
        "" if host.live else "the coordinator has not heard from it",
        remedy,
    )


def all_alive(inventory: Inventory, title: str) -> Check:
    dead = [host.name for host in inventory.hosts if not host.live]
    return Check(
        "hosts.live",
        "HOST_OFFLINE",
        not dead,
        title,
        f"the coordinator has not heard from {joined(dead)}" if dead else "",
        "Bring them back first, or remove them from the pool.",
    )
