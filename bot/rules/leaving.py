"""A host that leaves its pool for good: what stands against it, and what is destroyed by it.

`pool.eject` reboots the host into a pool of its own and makes its local storage anew; the pool's records of storage
that only this host was connected to are forgotten. VMs whose disks were there stay in the pool's database without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.inventory import SR, VBD, VDI, VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Finding, Verdict
from bot.rules import cpu_features, cpu_levels, ha, heartbeat
from bot.rules.check import Check
from bot.rules.hosts import alive
from bot.text import joined, plural, quoted

HA = "leave.ha"
"""The check that high availability is off."""
_REMOVABLE = frozenset({"udev", "tmpfs"})
"""Drives and ports: what is in them is not the host's."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes with the host: a storage, and what is on it. `vms` lose disks; `others` are disks of no VM."""

    sr: SR
    vms: tuple[tuple[VM, tuple[VDI, ...]], ...]
    others: tuple[VDI, ...]


def checks(host: Host, inventory: Inventory) -> Iterator[Check]:
    """What `pool.eject` asks, in its order: the call is passed on to the host, so it has to answer at all."""
    name = quoted(host.name)
    yield heartbeat.rotated(inventory)
    yield alive(host, f"Start it; if it is dead for good: “host forget {spelling(host, inventory)}”.")
    members = [each for each in inventory.hosts if each != host]
    yield Check(
        "leave.coordinator",
        "INTERNAL_ERROR",
        not host.is_coordinator,
        f"{name} is a member, not the coordinator",
        "it is the coordinator" if host.is_coordinator else "",
        f"Hand the role over first: “pool coordinator {spelling(members[0], inventory)}”."
        if members
        else "It is alone in its pool: there is nothing to leave.",
    )
    yield Check(
        HA,
        "HA_IS_ENABLED",
        not inventory.pool.ha_enabled,
        "high availability is off",
        "it is on; while it is, no host leaves" if inventory.pool.ha_enabled else "",
        "“ha disable” first.",
    )
    updating = "apply_updates" in inventory.pool.under_way
    yield Check(
        "leave.updating",
        "NOT_SUPPORTED_DURING_UPGRADE",
        not updating,
        "no updates are being applied",
        "updates are being applied in the pool" if updating else "",
        "Wait until they are.",
    )
    here = host.resident_vms
    yield Check(
        "leave.resident",
        "OPERATION_NOT_ALLOWED",
        not here,
        f"no VM runs on {name}",
        f"{plural(len(here), 'VM')} there: {joined((vm.name for vm in here), limit=8)}" if here else "",
        f"“host maintenance {spelling(host, inventory)} on” moves them away.",
    )


def tolerable(host: Host, inventory: Inventory) -> Check:
    """With high availability on again afterwards: can the hosts that stay tolerate as many failures? The toolstack
    would take the number all the same, and be overcommitted.
    """
    wanted, most = inventory.pool.number("ha_host_failures_to_tolerate"), ha.most_without(host, inventory)
    reason = ha.why_no_plan(ha.situation(inventory, ha.Change(disabled=frozenset({host}))), wanted, inventory)
    return Check(
        "leave.tolerates",
        "",
        wanted <= most,
        f"{plural(wanted, 'host failure')} can be tolerated without {quoted(host.name)}",
        f"at most {most}{f': {reason}' if reason else ''}" if wanted > most else "",
        f"“ha tolerate {most}” first, or free memory on the other hosts.",
    )


def lost_storage(host: Host) -> tuple[SR, ...]:
    """Storage that only this host is connected to."""
    found = {pbd.sr for pbd in host.pbds if pbd.sr is not None}
    only = (sr for sr in found if all(pbd.host == host for pbd in sr.pbds))
    kept = (sr for sr in only if not sr.is_tools and sr.type not in _REMOVABLE)
    return tuple(sorted(kept, key=lambda sr: (sr.name.casefold(), sr.uuid)))


def losses(host: Host, inventory: Inventory) -> tuple[Loss, ...]:
    """Everything that is destroyed, by storage."""
    gone = lost_storage(host)
    drives: dict[str, list[VM]] = {}
    for vbd in inventory.all(VBD):
        if vbd.vdi is not None and vbd.vm is not None and not vbd.is_cd:
            drives.setdefault(vbd.vdi.ref, []).append(vbd.vm)
    for vm in inventory.all(VM):
        if (memory := inventory.get(VDI, vm.text("suspend_VDI"))) is not None:
            drives.setdefault(memory.ref, []).append(vm)
    found: dict[str, tuple[dict[VM, list[VDI]], list[VDI]]] = {sr.ref: ({}, []) for sr in gone}
    for vdi in sorted(inventory.all(VDI), key=lambda vdi: (vdi.name.casefold(), vdi.uuid)):
        if vdi.sr is None or vdi.sr.ref not in found:
            continue
        of_vms, others = found[vdi.sr.ref]
        owners = drives.get(vdi.ref, [])
        for vm in owners:
            of_vms.setdefault(vm, []).append(vdi)
        if not owners:
            others.append(vdi)
    return tuple(
        Loss(
            sr,
            tuple((vm, tuple(of_vms[vm])) for vm in sorted(of_vms, key=lambda vm: (vm.name.casefold(), vm.uuid))),
            tuple(others),
        )
        for sr in gone
        for of_vms, others in (found[sr.ref],)
    )


def defaults(id: str, host: Host, inventory: Inventory) -> Iterator[Finding]:
    """What the pool uses by default, and loses with the host. `id` is the finding's."""
    gone = {sr.ref: sr for sr in lost_storage(host)}
    uses = (("default_SR", "new disks"), ("suspend_image_SR", "suspended memory"), ("crash_dump_SR", "crash dumps"))
    refs = [(inventory.pool.text(field), use) for field, use in uses]
    if found := [f"{quoted(gone[ref].name)} for {use}" for ref, use in refs if ref in gone]:
        yield Finding(
            id=id,
            verdict=Verdict.WARN,
            subject=inventory.pool.id,
            title="the pool loses a storage that it uses by default",
            evidence="; ".join(found),
            remedy=f"Choose another: xe pool-param-set uuid={inventory.pool.uuid} default-SR=… suspend-image-SR=…"
            " crash-dump-SR=…",
        )


def gained_features(host: Host, inventory: Inventory) -> tuple[str, ...]:
    """CPU features by name that the pool's level gets back when this host is gone (7.0 and later)."""
    rest = [each for each in inventory.hosts if each != host]
    now, then = (cpu_levels.level_of(hosts, "hvm") for hosts in (inventory.hosts, rest))
    return cpu_features.lacking(then, now) if now and then else ()
