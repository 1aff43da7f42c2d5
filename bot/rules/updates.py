"""Which updates a host has, in each generation's own terms.

Up to 7.0 they are pool_patch objects applied through host_patch; from 7.1 to 8.2 pool_update objects in host.updates;
after that a host names the state of the repository that it was updated to (host.last_update_hash). XCP-ng updates by
yum, which XenAPI does not see: there the versions of the parts have to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.inventory import Host, Inventory, PoolUpdate
from bot.rules import versions
from bot.rules.times import moment

PARTS = ("build_number", "xapi_build", "xen", "linux")
"""Keys of software_version that tell builds of one version apart. `hostname` and `date` are the build machine's."""

REBOOT_GUIDANCE = frozenset({"restartHost", "reboot_host"})


@dataclass(frozen=True, slots=True)
class Difference:
    """What one host lacks of what others have, in words."""

    host: Host
    missing: tuple[str, ...]


def brand(host: Host) -> str:
    return host.software_version.get("product_brand", "")


def builds(inventory: Inventory) -> Mapping[str, Mapping[str, str]]:
    """Parts of which the hosts have different builds: key → {host's name: build}. Only among hosts of one version.

    7.1 and later do not compare build numbers when a host joins, but hosts of one pool should not differ all the same.
    """
    if versions.mixed(inventory):
        return {}
    found = {}
    for part in PARTS:
        told = {host.name: host.software_version[part] for host in inventory.hosts if host.software_version.get(part)}
        if len(set(told.values())) > 1:
            found[part] = told
    return found


def applied_patches(host: Host) -> Mapping[str, str]:
    """Up to 7.0: uuid → name of the updates that are applied."""
    return {entry.patch.uuid: entry.name for entry in host.patches if entry.flag("applied") and entry.patch is not None}


def applied_updates(host: Host, inventory: Inventory) -> Mapping[str, str]:
    """7.1 to 8.2: uuid → name of those that all hosts must have (enforce_homogeneity)."""
    found = (inventory.get(PoolUpdate, ref) for ref in host.refs("updates"))
    return {update.uuid: update.name for update in found if update is not None and update.flag("enforce_homogeneity")}


def differences(inventory: Inventory) -> tuple[Difference, ...]:
    """Hosts that lack updates which another host of the pool has."""
    if versions.mixed(inventory):
        return ()
    hashes = {host.ref: host.text("last_update_hash") for host in inventory.hosts}
    if any(hashes.values()):
        return _by_hash(inventory, hashes)
    if any(host.text("latest_synced_updates_applied") in ("yes", "no") for host in inventory.hosts):
        return _by_state(inventory)
    have = {host.ref: {**applied_patches(host), **applied_updates(host, inventory)} for host in inventory.hosts}
    known = {uuid: name for updates in have.values() for uuid, name in updates.items()}
    found = []
    for host in inventory.hosts:
        missing = tuple(sorted(name for uuid, name in known.items() if uuid not in have[host.ref]))
        if missing:
            found.append(Difference(host, missing))
    return tuple(found)


def _by_hash(inventory: Inventory, hashes: Mapping[str, str]) -> tuple[Difference, ...]:
    """The coordinator is updated first, so its hash is what the others are to have."""
    coordinator = inventory.pool.coordinator
    wanted = hashes.get(coordinator.ref, "") if coordinator else ""
    wanted = wanted or next(value for value in hashes.values() if value)
    return tuple(
        Difference(host, (f"update level {wanted[:8]}… (it has {_level(hashes[host.ref])})",))
        for host in inventory.hosts
        if hashes[host.ref] != wanted
    )


def _by_state(inventory: Inventory) -> tuple[Difference, ...]:
    states = {host.ref: host.text("latest_synced_updates_applied") for host in inventory.hosts}
    if len(set(states.values())) < 2:
        return ()
    return tuple(Difference(host, ("the latest updates",)) for host in inventory.hosts if states[host.ref] == "no")


def _level(value: str) -> str:
    return f"{value[:8]}…" if value else "none that it could name"


def guidance(host: Host, inventory: Inventory) -> tuple[str, ...]:
    """What must still be done on a host for its updates to count, in XenAPI's words; empty when nothing."""
    found = [*host.refs("pending_guidances")]
    for ref in host.refs("updates_requiring_reboot"):
        update = inventory.get(PoolUpdate, ref)
        found.append(f"reboot_host for {update.name}" if update is not None else "reboot_host")
    found += [f"restartHost for {name}" for name in _unbooted(host)]
    return tuple(dict.fromkeys(found))


def _unbooted(host: Host) -> tuple[str, ...]:
    """Up to 7.0: updates that want a reboot and were applied after the host booted."""
    try:
        booted = float(host.other_config.get("boot_time", ""))
    except ValueError:
        return ()
    late = []
    for entry in host.patches:
        when = moment(entry.text("timestamp_applied"))
        wants = entry.patch is not None and REBOOT_GUIDANCE.intersection(entry.patch.refs("after_apply_guidance"))
        if entry.flag("applied") and wants and when is not None and when.timestamp() > booted:
            late.append(entry.name)
    return tuple(sorted(late))
