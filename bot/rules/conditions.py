"""Named conditions that a step can wait for: pure, over a pool's inventory, each with its evidence in words.

A plan names them (:class:`bot.model.Expect`, `rule`), so that what is waited for is data and part of what is approved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.inventory import SR, VM, Host, Inventory
from bot.model import ObjectId
from bot.rules import aftermath, arrivals, disks
from bot.text import joined, quoted

Holds = tuple[bool, str]
"""Is it so, and what was seen."""

KNOWN = "host.known"
"""The pool knows the host."""
GONE = "host.gone"
"""The pool does not know the host (any more)."""
LIVE = "host.live"
"""The pool hears from it. Without HA that can be ten minutes behind."""
AWAY = "host.away"
"""The pool does not hear from it."""
LEAVING = "host.leaving"
"""It was told to go down and is about to, is not heard from any more, or has started anew since (`before`: its
other_config's boot_time).
"""
LEFT = "host.left"
"""LEAVING, of the last host of a pool: also when nobody answers for the pool any more."""
SERVES = "host.serves"
"""Known, live and enabled: VMs can run there."""
STORES = "host.stores"
"""Every shared SR is plugged there."""
CONNECTED = "host.connected"
"""It has a connection (PBD) to one SR, plugged or not; `before` is the SR's uuid."""
PLUGGED = "host.plugged"
"""One SR is plugged there; `before` is the SR's uuid."""
READY = "host.ready"
"""SERVES and STORES."""
COORDINATES = "host.coordinates"
"""It is the pool's coordinator."""
FAILED = "drill.failed"
"""High availability declared the host failed since the alert `before` (its uuid)."""
TAKEN_OVER = "drill.taken-over"
"""Another host is the coordinator."""
SETTLED = "drill.settled"
"""Of a VM: it runs again elsewhere, or has had time enough to; `before` is the failed host's uuid, the alert's, and the
seconds that it has, with strokes.
"""
SILENT = "pool.silent"
"""No host answers as the pool's coordinator any more: what can be read of the pool makes it untrue."""
TRUE_OF_SILENCE = frozenset({LEFT, SILENT})
"""Those that hold when nobody is there to be asked: when the coordinator's address is dead, not when the bot is refused
there.
"""

FOLLOWS = "host.follows"
"""It says itself, asked alone, that its coordinator is at the address that the expectation has as its value. No
database knows that: whoever acts on the host itself evaluates it.
"""


MUTE = "host.mute"
"""Asked alone, at its own address, it does not answer: also a host that the pool no longer hears from may still be on
its way down. Whoever acts on the host itself evaluates it.
"""


def holds(rule: str, about: ObjectId, inventory: Inventory, before: str = "") -> Holds:
    """Is the condition true of the object? One that is not there (yet) makes every condition but GONE untrue.

    :raises LookupError: there is no such condition (a bug).
    """
    if rule == SILENT:
        return False, f"{quoted(inventory.pool.name)} still answers"
    if rule == SETTLED:
        return _settled(about, before, inventory)
    for rules in (disks.RULES, arrivals.RULES):
        if rule in rules:
            return rules[rule](about, before, inventory)
    if rule not in _NOW and rule not in _SINCE:
        raise LookupError(rule)
    host = inventory.by_uuid(Host, about.uuid)
    if host is None:
        return rule == GONE, f"{quoted(about.name or about.uuid)} is not among the pool's hosts"
    return _SINCE[rule](host, before, inventory) if rule in _SINCE else _NOW[rule](host, inventory)


def _settled(about: ObjectId, before: str, inventory: Inventory) -> Holds:
    host_uuid, message, seconds = before.split("/")
    vm, host = inventory.by_uuid(VM, about.uuid), inventory.by_uuid(Host, host_uuid)
    if vm is None or host is None:
        return True, f"{quoted(about.name or about.uuid)} is gone" if vm is None else "its host is gone"
    return aftermath.settled(vm, host, message, timedelta(seconds=int(seconds)), inventory)


def unplugged(host: Host, inventory: Inventory) -> tuple[SR, ...]:
    """The shared SRs that are not plugged on the host, by name: that have no PBD for it, or one that is not
    attached.
    """
    plugged = {pbd.text("SR") for pbd in host.pbds if pbd.attached}
    return tuple(sr for sr in inventory.shared_srs if sr.ref not in plugged)


def _known(host: Host, _: Inventory) -> Holds:
    return True, f"{quoted(host.name)} is among the pool's hosts"


def _gone(host: Host, _: Inventory) -> Holds:
    return False, f"{quoted(host.name)} is still among the pool's hosts"


def _live(host: Host, _: Inventory) -> Holds:
    return host.live, f"{quoted(host.name)} is {'alive' if host.live else 'not heard from'}"


def _away(host: Host, _: Inventory) -> Holds:
    return not host.live, f"{quoted(host.name)} is {'still alive' if host.live else 'not heard from'}"


def _leaving(host: Host, before: str, inventory: Inventory) -> Holds:
    if before and host.other_config.get("boot_time", before) != before:
        return True, f"{quoted(host.name)} has started anew"
    # Also a reboot shows as a shutdown (xapi, as recorded).
    if {"shutdown", "reboot"} & set(host.under_way):
        return True, f"{quoted(host.name)} is going down"
    return _away(host, inventory)


def _serves(host: Host, inventory: Inventory) -> Holds:
    live, told = _live(host, inventory)
    if not live:
        return False, told
    return host.enabled, f"{told} and {'enabled' if host.enabled else 'not enabled'}"


def _stores(host: Host, inventory: Inventory) -> Holds:
    missing = unplugged(host, inventory)
    if missing:
        return False, f"{joined(sr.name for sr in missing)} not plugged on {quoted(host.name)}"
    return True, f"all shared storage is plugged on {quoted(host.name)}"


def _connected(host: Host, sr_uuid: str, inventory: Inventory) -> Holds:
    sr = inventory.by_uuid(SR, sr_uuid)
    if sr is None:
        return False, "the storage is gone"
    so = any(pbd.sr == sr for pbd in host.pbds)
    return so, f"{quoted(host.name)} has {'a' if so else 'no'} connection to {quoted(sr.name)}"


def _plugged(host: Host, sr_uuid: str, inventory: Inventory) -> Holds:
    sr = inventory.by_uuid(SR, sr_uuid)
    if sr is None:
        return False, "the storage is gone"
    so = any(pbd.attached and pbd.sr == sr for pbd in host.pbds)
    return so, f"{quoted(sr.name)} is {'' if so else 'not '}plugged on {quoted(host.name)}"


def _ready(host: Host, inventory: Inventory) -> Holds:
    serves, told = _serves(host, inventory)
    if not serves:
        return False, told
    stores, more = _stores(host, inventory)
    return stores, f"{told}; {more}" if stores else more


def _coordinates(host: Host, inventory: Inventory) -> Holds:
    if host.is_coordinator:
        return True, f"{quoted(host.name)} is the coordinator"
    now = inventory.pool.coordinator
    return False, f"the coordinator is {quoted(now.name) if now else 'not known'}, not {quoted(host.name)}"


_NOW: Mapping[str, Callable[[Host, Inventory], Holds]] = {
    KNOWN: _known,
    GONE: _gone,
    LIVE: _live,
    AWAY: _away,
    SERVES: _serves,
    STORES: _stores,
    READY: _ready,
    COORDINATES: _coordinates,
}
_SINCE: Mapping[str, Callable[[Host, str, Inventory], Holds]] = {
    LEAVING: _leaving,
    LEFT: _leaving,
    CONNECTED: _connected,
    PLUGGED: _plugged,
    FAILED: aftermath.failed,
    TAKEN_OVER: aftermath.taken_over,
}
"""Those that need to know more than the host: what was before, which storage."""
