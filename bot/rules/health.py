"""What is wrong with a pool right now, in the order in which a person at 3 a.m. wants to hear it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.inventory import PBD, SR, VM, Host, Inventory, Message
from bot.model import Level
from bot.rules import alerts, versions
from bot.rules.hosts import in_maintenance
from bot.text import joined, plural, quoted


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, how bad it is, and what to do."""

    level: Level
    text: str
    remedy: str = ""


def troubles(inventory: Inventory) -> tuple[Trouble, ...]:
    """BAD before WARN; within a level the more urgent first."""
    found = [
        *_hosts(inventory),
        *_availability(inventory),
        *_storage(inventory),
        *_versions(inventory),
        *_alerts(inventory),
    ]
    return tuple(sorted(found, key=lambda trouble: trouble.level is not Level.BAD))


def level(found: tuple[Trouble, ...]) -> Level:
    if any(trouble.level is Level.BAD for trouble in found):
        return Level.BAD
    return Level.WARN if found else Level.OK


def _hosts(inventory: Inventory) -> Iterator[Trouble]:
    unknown = [host.name for host in inventory.hosts if host.metrics is None]
    if unknown:
        yield Trouble(
            Level.WARN,
            f"The pool's database has no metrics of {joined(unknown)}: nobody can tell from it who is alive",
            "Look at the hosts themselves.",
        )
    for host in inventory.hosts:
        if host.metrics is not None and not host.live:
            stuck = len(host.resident_vms)
            vms = f"; {plural(stuck, 'VM')} of it still count as running" if stuck else ""
            yield Trouble(
                Level.BAD,
                f"{quoted(host.name)} does not answer{vms}",
                "Look at its console and power. Nothing of it may be started elsewhere before its power is surely off.",
            )
        elif not host.enabled:
            why = "is in maintenance" if in_maintenance(host) else "is disabled: no VM can start on it or move to it"
            yield Trouble(
                Level.WARN, f"{quoted(host.name)} {why}", f"When it is ready: xe host-enable uuid={host.uuid}"
            )


def _availability(inventory: Inventory) -> Iterator[Trouble]:
    pool = inventory.pool
    if not pool.ha_enabled:
        return
    if pool.flag("ha_overcommitted"):
        yield Trouble(
            Level.BAD,
            "HA is overcommitted: after a host's failure not every protected VM could be restarted",
            "Free memory, or protect fewer VMs.",
        )
    elif pool.number("ha_plan_exists_for") < 1:
        yield Trouble(
            Level.WARN, "HA is on, but the plan covers no host failure", "Raise the failures to tolerate to 1 or more."
        )
    unprotected = [
        vm.name
        for vm in inventory.guests
        if vm.power_state == "Running" and vm.text("ha_restart_priority") not in ("restart", "best-effort")
    ]
    if unprotected:
        yield Trouble(
            Level.WARN, f"HA would not restart {joined(unprotected, limit=4)}", "Give them a restart priority."
        )


def unplugged(inventory: Inventory) -> tuple[tuple[SR, tuple[PBD, ...]], ...]:
    """Shared storage that is not plugged on every host, with the paths that are not."""
    broken = ((sr, tuple(pbd for pbd in sr.pbds if not pbd.attached)) for sr in inventory.shared_srs)
    return tuple((sr, pbds) for sr, pbds in broken if pbds)


def without_path(inventory: Inventory) -> tuple[tuple[SR, tuple[Host, ...]], ...]:
    """Shared storage that some host has no path to at all."""
    found = []
    for sr in inventory.shared_srs:
        known = {pbd.text("host") for pbd in sr.pbds}
        lacking = tuple(host for host in inventory.hosts if host.ref not in known)
        if lacking:
            found.append((sr, lacking))
    return tuple(found)


def _storage(inventory: Inventory) -> Iterator[Trouble]:
    for sr, pbds in unplugged(inventory):
        hosts = [pbd.host.name if pbd.host else "a host that is gone" for pbd in pbds]
        yield Trouble(
            Level.BAD,
            f"Storage {quoted(sr.name)} is not plugged on {joined(hosts)}",
            f"On a host of the pool: xe pbd-plug uuid={pbds[0].uuid}",
        )
    for sr, lacking in without_path(inventory):
        yield Trouble(
            Level.BAD,
            f"Storage {quoted(sr.name)} has no path from {joined(host.name for host in lacking)}",
            "Create and plug a PBD for it there.",
        )
    default = inventory.pool.default_sr
    if default is not None and not default.shared and len(inventory.hosts) > 1:
        yield Trouble(
            Level.WARN,
            f"The default storage {quoted(default.name)} is local to one host",
            "Make a shared SR the default.",
        )


def _versions(inventory: Inventory) -> Iterator[Trouble]:
    if versions.mixed(inventory):
        told = joined(f"{host.name}: {versions.product(host.software_version)}" for host in inventory.hosts)
        yield Trouble(Level.WARN, f"The hosts run different versions ({told})", "Finish the update of the pool.")


def _alerts(inventory: Inventory) -> Iterator[Trouble]:
    """Alerts of one kind about one object are one trouble, with their number and the newest one's time."""
    counted: dict[tuple[Level, str, str], list[Message]] = defaultdict(list)
    for found, message in alerts.open_alerts(inventory):
        counted[found, message.name, message.about_uuid].append(message)
    for (found, name, about), messages in counted.items():
        subject = inventory.any_by_uuid(about)
        whom = f" about {quoted(subject.name)}" if subject is not None else ""
        times = f", {len(messages)} times" if len(messages) > 1 else ""
        since = max(message.text("timestamp") for message in messages)
        yield Trouble(
            found,
            f"Alert {name}{whom}{times} ({_when(since)})",
            f"Once dealt with: xe message-destroy uuid={messages[0].uuid}" if len(messages) == 1 else "",
        )


def _when(timestamp: str) -> str:
    """XenAPI's `20261123T03:00:00Z` as `2026-11-23 03:00 UTC`; what it is, if it is no time."""
    try:
        return datetime.strptime(timestamp, "%Y%m%dT%H:%M:%SZ").strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return timestamp


def running_guests(inventory: Inventory) -> tuple[VM, ...]:
    return tuple(vm for vm in inventory.guests if vm.power_state == "Running")
