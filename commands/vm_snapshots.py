"""`vm snapshots VM`: the snapshots of a VM."""

from __future__ import annotations

from dataclasses import dataclass

from bot.inventory import VM
from bot.lookup import spelling
from bot.model import Cell, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import command
from bot.rules.times import moment
from bot.text import plural, quoted, size


@dataclass(frozen=True)
class Arguments:
    vm: VM


@command(
    "vm snapshots VM",
    risk=Risk.READ,
    summary="A VM's snapshots: when each was taken, what it holds, and how to delete it.",
    examples=("vm snapshots db-1",),
)
def plan(arguments: Arguments, context: Context) -> Report:
    vm, inventory = arguments.vm, context.pool.inventory()
    taken = tuple(reversed(vm.snapshots))
    again = f"vm snapshot {spelling(vm, inventory)} in {quoted(context.pool.name)}"
    return Report(
        title=f"{context.pool.name}: snapshots of {quoted(vm.name)}",
        summary=f"{plural(len(taken), 'snapshot')}." if taken else f"{quoted(vm.name)} has no snapshots.",
        parts=(Table(columns=("Snapshot", "Taken (UTC)", "Holds", "To delete it"), rows=tuple(map(_row, taken))),)
        if taken
        else (),
        suggestions=(Suggestion("Take one", again),),
    )


def _row(snapshot: VM) -> tuple[Cell, ...]:
    at = moment(snapshot.text("snapshot_time"))
    disks = snapshot.disks
    memory = " and memory" if snapshot.power_state == "Suspended" else ""
    return (
        Cell(snapshot.name),
        Cell(f"{at:%Y-%m-%d %H:%M}" if at else "not known"),
        Cell(f"{plural(len(disks), 'disk')}, {size(sum(vdi.virtual_size for vdi in disks))}{memory}"),
        Cell(f"xe snapshot-uninstall uuid={snapshot.uuid}"),
    )
