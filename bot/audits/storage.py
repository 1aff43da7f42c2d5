"""Rules about storage: reachable, over all paths, with room, and binding no VM to one host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.audits.rule import Found, limited, listed, rule
from bot.inventory import PBD, SR, VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Level
from bot.rules import storage, versions
from bot.rules.limits import Known
from bot.rules.placement import to_shared_storage
from bot.text import joined, quoted, size


@rule(
    "storage.plugged",
    Level.BAD,
    title="Shared storage is plugged on every host",
    why="VMs on it cannot run on a host without it: no migration there, no restart there, no HA.",
    source="XenAPI: PBD.currently_attached",
    urgent=True,
)
def plugged(inventory: Inventory) -> Iterator[Found]:
    for sr, pbds in storage.unplugged(inventory):
        hosts = [pbd.host.name if pbd.host else "a host that is gone" for pbd in pbds]
        yield Found(
            subject=sr.id,
            text=f"Storage {quoted(sr.name)} is not plugged on {joined(hosts)}",
            evidence=f"{len(pbds)} of {len(sr.pbds)} connections are not attached",
            remedy=f"“sr repair {spelling(sr, inventory)}”",
        )
    for sr, lacking in storage.without_path(inventory):
        yield Found(
            subject=sr.id,
            about="no connection",
            text=f"Storage {quoted(sr.name)} has no path from {joined(host.name for host in lacking)}",
            evidence="there is no PBD for it",
            remedy=f"Connect it there: xe pbd-create sr-uuid={sr.uuid} host-uuid={lacking[0].uuid}"
            f" device-config:KEY=VALUE (as on another host), then “sr repair {spelling(sr, inventory)}”.",
        )


@rule(
    "storage.multipath",
    Level.WARN,
    title="Multipathing is on for iSCSI and Fibre Channel, on all hosts alike",
    why="Without it one path carries all VMs of the host; hosts that differ behave differently when a path fails.",
    source="XenAPI: host.multipathing (7.5), other_config:multipathing before",
)
def multipath(inventory: Inventory) -> Iterator[Found]:
    srs = storage.block_srs(inventory)
    off = [host for host in inventory.hosts if not storage.multipathing(host)]
    if not srs or not off:
        return
    alike = len(off) == len(inventory.hosts)
    for host in off:
        yield Found(
            subject=host.id,
            text=f"Multipathing is off on {quoted(host.name)}" + ("" if alike else ", but on on other hosts"),
            evidence=f"it uses {joined(sr.name for sr in srs)}",
            remedy=f"“host maintenance {spelling(host, inventory)} on”; for each of its PBDs xe pbd-unplug uuid=PBD;"
            f" {_switch(host)}; for each xe pbd-plug uuid=PBD; “host maintenance {spelling(host, inventory)} off”.",
        )


def _switch(host: Host) -> str:
    if host.has("multipathing"):
        return f"xe host-param-set uuid={host.uuid} multipathing=true"
    return f"xe host-param-set uuid={host.uuid} other-config:multipathing=true other-config:multipathhandle=dmp"


@rule(
    "storage.paths",
    Level.WARN,
    title="All paths to a LUN are up",
    why="The LUN still answers over what is left; the next failure takes it away.",
    source="storage driver: PBD.other_config mpath-<SCSIid> = [up, total]; MULTIPATH_PERIODIC_ALERT",
)
def paths(inventory: Inventory) -> Iterator[Found]:
    for sr in storage.block_srs(inventory):
        for pbd in sr.pbds:
            host = pbd.host
            if host is None or not pbd.attached or not storage.multipathing(host):
                continue
            what = _path_trouble(pbd)
            if what:
                worst = min((each.up for each in storage.paths(pbd)), default=1)
                yield Found(
                    subject=sr.id,
                    about=host.uuid,
                    text=f"Storage {quoted(sr.name)} has lost paths from {quoted(host.name)}"
                    if any(each.up < each.total for each in storage.paths(pbd))
                    else f"Storage {quoted(sr.name)} has only one path from {quoted(host.name)}",
                    evidence=what,
                    remedy="On that host: multipath -ll shows the paths; check the storage network and the target.",
                    level=Level.BAD if worst == 0 else None,
                )


def _path_trouble(pbd: PBD) -> str:
    found = storage.paths(pbd)
    lost = [each for each in found if each.up < each.total]
    if lost:
        return listed(f"{each.scsi_id}: {each.up} of {each.total} up" for each in lost)
    if not found:
        return "multipathing is on, but the storage driver notes no paths"
    single = [each for each in found if each.total < 2]
    return listed(f"{each.scsi_id}: 1 path in all" for each in single)


@rule(
    "storage.default",
    Level.WARN,
    title="The default storage is set and shared",
    why="New disks, suspend images and crash dumps go there; on one host's disk they bind VMs to that host.",
    source="XenAPI: pool.default_SR",
    urgent=True,
)
def default(inventory: Inventory) -> Iterator[Found]:
    if len(inventory.hosts) < 2:
        return
    pool, found = inventory.pool, inventory.pool.default_sr
    remedy = f"xe pool-param-set uuid={pool.uuid} default-SR=SR (a shared one)"
    if found is None:
        dangling = pool.text("default_SR") not in ("", "OpaqueRef:NULL")
        yield Found(
            subject=pool.id,
            text="The pool has no default storage",
            evidence="pool.default_SR names storage that is gone" if dangling else "pool.default_SR is empty",
            remedy=remedy,
        )
    elif not found.shared:
        yield Found(
            subject=pool.id,
            text=f"The default storage {quoted(found.name)} is local to one host",
            evidence=f"type {found.type}, not shared",
            remedy=remedy,
        )


@limited(
    "storage.full",
    Level.WARN,
    title="Storage has room",
    why="VMs on thin storage pause when it is full; snapshots and coalescing need room before that.",
    source="XenAPI: SR.physical_utilisation; audits.storage_percent and audits.storage_grave_percent",
)
def full(inventory: Inventory, known: Known) -> Iterator[Found]:
    for sr in storage.disk_srs(inventory):
        used = storage.fullness(sr)
        if used >= known.limits.storage_warning:
            free = max(sr.physical_size - sr.physical_utilisation, 0)
            yield Found(
                subject=sr.id,
                text=f"Storage {quoted(sr.name)} is nearly full",
                evidence=f"{used:.0%} of {size(sr.physical_size)} used, {size(free)} free",
                remedy="Delete old snapshots and unused disks, or extend it.",
                level=Level.BAD if used >= known.limits.storage_grave else None,
            )


@rule(
    "vm.local-disk",
    Level.WARN,
    title="No VM has a disk on one host's own storage",
    why="It can run on that host only: no maintenance without stopping it, and no restart elsewhere.",
    source="XenAPI: VBD, VDI.SR, SR.shared",
)
def local_disk(inventory: Inventory) -> Iterator[Found]:
    if len(inventory.hosts) < 2:
        return
    for vm in inventory.guests:
        srs = storage.local_disks(vm)
        if srs:
            yield Found(
                subject=vm.id,
                text=f"{quoted(vm.name)} has a disk on local storage",
                evidence=listed(f"on {quoted(sr.name)} of {_owners(sr.pbds)}" for sr in srs),
                remedy=_moving(vm, srs, inventory),
            )


def _moving(vm: VM, srs: Sequence[SR], inventory: Inventory) -> str:
    coordinator = inventory.pool.coordinator
    if coordinator is not None and versions.before(coordinator, 6, 1):
        return "Shut it down, xe vdi-copy uuid=DISK sr-uuid=SR (a shared one), and attach the copy."
    return to_shared_storage(vm, srs, inventory)


@rule(
    "vm.local-iso",
    Level.WARN,
    title="No drive holds an image that only one host has",
    why="A forgotten image binds the VM to that host as a disk there would, and HA cannot protect it.",
    source="XenAPI: VM_REQUIRES_SR, HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED",
)
def local_iso(inventory: Inventory) -> Iterator[Found]:
    if len(inventory.hosts) < 2:
        return
    for vm in inventory.guests:
        isos = storage.local_isos(vm)
        if isos:
            yield Found(
                subject=vm.id,
                text=f"{quoted(vm.name)} has an image in its drive that only one host has",
                evidence=listed(f"{quoted(name)} in {quoted(sr.name)} of {_owners(sr.pbds)}" for name, sr in isos),
                remedy=f"“vm eject {spelling(vm, inventory)}”",
            )


def _owners(pbds: tuple[PBD, ...]) -> str:
    return joined(pbd.host.name for pbd in pbds if pbd.host) or "no host"
