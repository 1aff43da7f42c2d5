"""Rules about virtual machines: able to move, with tools, without old snapshots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.audits.rule import Found, limited, listed, rule
from bot.inventory import VM, GuestMetrics, Inventory
from bot.model import Level
from bot.rules import cpu
from bot.rules.limits import Known
from bot.rules.times import moment
from bot.text import joined, plural, quoted


@rule(
    "vm.cpu",
    Level.WARN,
    title="Every VM could go on running on every host",
    why="It was started with CPU features that some host lacks: it cannot move there until it is started anew.",
    source="xapi: VM.last_boot_CPU_flags against host.cpu_info; VM_INCOMPATIBLE_WITH_THIS_HOST",
)
def cpus(inventory: Inventory) -> Iterator[Found]:
    # Thousands of VMs were started at a handful of levels: each is compared with the hosts once.
    known: dict[tuple[str, str, bool], dict[str, str]] = {}
    for vm in inventory.guests:
        if vm.power_state == "Halted":
            continue
        booted = vm.mapping("last_boot_CPU_flags")
        level = (booted.get("vendor", ""), booted.get("features", ""), cpu.is_hvm(vm))
        if level not in known:
            known[level] = {host.name: why for host in inventory.hosts if (why := cpu.runs_on(vm, host))}
        barred = known[level]
        if barred:
            yield Found(
                subject=vm.id,
                text=f"{quoted(vm.name)} cannot move to {joined(barred)}",
                evidence=listed(dict.fromkeys(barred.values()), limit=2),
                remedy="Shut it down and start it again at a good time: a fresh start takes the pool's features.",
            )


@rule(
    "vm.tools",
    Level.WARN,
    title="Every running VM has guest tools",
    why="Without them it cannot be shut down cleanly, suspended or, before 7, moved; backups see no file systems.",
    source="XenAPI: VM_guest_metrics; VM_LACKS_FEATURE",
)
def tools(inventory: Inventory) -> Iterator[Found]:
    for vm in inventory.guests:
        if vm.power_state == "Running" and not _tools(vm):
            yield Found(
                subject=vm.id,
                text=f"{quoted(vm.name)} runs without guest tools",
                evidence="its guest agent reports nothing",
                remedy="Install the guest tools in it.",
            )


@rule(
    "vm.tools-old",
    Level.INFO,
    title="Guest tools match the hosts",
    why="Old tools go on working, but lack what newer hosts fixed in drivers.",
    source="XenAPI: VM_guest_metrics.PV_drivers_up_to_date",
)
def old_tools(inventory: Inventory) -> Iterator[Found]:
    for vm in inventory.guests:
        metrics = _tools(vm)
        if vm.power_state == "Running" and metrics is not None and not _up_to_date(metrics):
            version = metrics.mapping("PV_drivers_version")
            yield Found(
                subject=vm.id,
                text=f"{quoted(vm.name)} has old guest tools",
                evidence="version "
                + ".".join(version[part] for part in ("major", "minor", "micro") if part in version),
                remedy="Update the guest tools in it.",
            )


def _tools(vm: VM) -> GuestMetrics | None:
    metrics = vm.guest_metrics
    return metrics if isinstance(metrics, GuestMetrics) and metrics.mapping("PV_drivers_version") else None


def _up_to_date(metrics: GuestMetrics) -> bool:
    return metrics.flag("PV_drivers_up_to_date", default=True)


@limited(
    "vm.snapshots",
    Level.INFO,
    title="Snapshots are young",
    why="A snapshot keeps what was deleted since; long chains of them make disks slow and full.",
    source="XenAPI: VM.snapshot_time; audits.snapshot_days",
)
def snapshots(inventory: Inventory, known: Known) -> Iterator[Found]:
    limit = datetime.fromtimestamp(inventory.read_at, UTC) - known.limits.snapshot_age
    old: dict[str, list[tuple[datetime, VM]]] = defaultdict(list)
    for snapshot in inventory.all(VM):
        taken = moment(snapshot.text("snapshot_time")) if snapshot.is_snapshot else None
        if taken is not None and taken < limit:
            old[snapshot.text("snapshot_of")].append((taken, snapshot))
    for ref, found in old.items():
        vm = inventory.get(VM, ref)
        subject = vm or found[0][1]
        oldest = min(found, key=lambda each: (each[0], each[1].uuid))
        yield Found(
            subject=subject.id,
            text=f"{quoted(subject.name)} has {plural(len(found), 'old snapshot')}"
            if vm is not None
            else f"The snapshot {quoted(subject.name)} is old, and its VM is gone",
            evidence=f"the oldest, {quoted(oldest[1].name)}, is of {oldest[0]:%Y-%m-%d}",
            remedy=f"If nobody needs it: xe snapshot-uninstall uuid={oldest[1].uuid}",
        )
