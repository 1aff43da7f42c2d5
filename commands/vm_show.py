"""`vm show VM`: everything about one VM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.inventory import VM
from bot.model import Cell, Facts, Level, Part, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import command
from bot.text import joined, quoted, size


@dataclass(frozen=True)
class Arguments:
    vm: VM


@command(
    "vm show VM",
    risk=Risk.READ,
    summary="One VM: where it runs, its memory, disks, networks, tools and HA protection.",
    examples=("vm show web-1", "vm show web-1 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    vm = arguments.vm
    parts: list[Part] = [
        Facts(pairs=tuple(_facts(vm))),
        Table(heading="Disks", columns=("Position", "Disk", "Size", "Storage"), rows=tuple(_disks(vm))),
        Table(heading="Networks", columns=("NIC", "Network", "MAC"), rows=tuple(_networks(vm))),
    ]
    migrate = Suggestion("Move it", f"vm migrate {vm.uuid} in {quoted(context.pool.name)}")
    return Report(
        title=f"{context.pool.name}: VM {quoted(vm.name)}",
        parts=tuple(part for part in parts if not isinstance(part, Table) or part.rows),
        suggestions=(migrate,) if vm.power_state == "Running" else (),
    )


def _facts(vm: VM) -> Iterator[tuple[str, Cell]]:
    host = vm.resident_on
    running = vm.power_state == "Running"
    where = f" on {quoted(host.name)}" if host else ""
    yield "State", Cell(vm.power_state.lower() + where, Level.OK if running else Level.NONE)
    if vm.under_way:
        yield "Now", Cell(joined(vm.under_way), Level.INFO)
    least, most = vm.number("memory_dynamic_min"), vm.number("memory_dynamic_max")
    yield "Memory", Cell(size(most) if least == most else f"{size(least)} to {size(most)}")
    yield "vCPUs", Cell(f"{vm.text('VCPUs_at_startup')} of {vm.text('VCPUs_max')}")
    yield "Guest tools", _tools(vm)
    yield "HA", Cell({"restart": "restarted after a failure", "best-effort": "restarted if possible"}.get(
        vm.text("ha_restart_priority"), "not protected"
    ))  # fmt: skip
    if vm.snapshots:
        yield "Snapshots", Cell(f"{len(vm.snapshots)}, the newest {quoted(vm.snapshots[-1].name)}")
    if vm.affinity:
        yield "Home server", Cell(vm.affinity.name)
    if vm.tags:
        yield "Tags", Cell(joined(vm.tags))
    if vm.text("name_description"):
        yield "Description", Cell(vm.text("name_description"))
    yield "UUID", Cell(vm.uuid)


def _tools(vm: VM) -> Cell:
    metrics = vm.guest_metrics
    version = metrics.mapping("PV_drivers_version") if metrics else {}
    if not version:
        return Cell("none seen", Level.WARN if vm.power_state == "Running" else Level.NONE)
    told = ".".join(version.get(part, "?") for part in ("major", "minor", "micro"))
    assert metrics is not None
    current = metrics.flag("PV_drivers_up_to_date", True)
    return Cell(told if current else f"{told}, out of date", Level.OK if current else Level.WARN)


def _disks(vm: VM) -> Iterator[tuple[Cell, ...]]:
    for vbd in sorted(vm.vbds, key=lambda vbd: vbd.number("userdevice")):
        position = Cell(f"{vbd.text('userdevice')}{' (CD)' if vbd.is_cd else ''}")
        vdi = vbd.vdi
        if vbd.empty or vdi is None:
            yield position, Cell("empty"), Cell("–"), Cell("–")
            continue
        sr = vdi.sr
        where = Cell(f"{sr.name}, {'shared' if sr.shared else 'local'}") if sr else Cell("gone", Level.BAD)
        yield position, Cell(vdi.name), Cell(size(vdi.virtual_size)), where


def _networks(vm: VM) -> Iterator[tuple[Cell, ...]]:
    for vif in sorted(vm.vifs, key=lambda vif: vif.number("device")):
        network = vif.network
        yield Cell(vif.text("device")), Cell(network.name if network else "gone"), Cell(vif.text("MAC"))
