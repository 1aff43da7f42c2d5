"""`vm snapshots VM`: the snapshots of a VM."""

from __future__ import annotations

from dataclasses import dataclass

from bot.inventory import VM
from bot.lookup import spelling
from bot.model import Line, Lines, Report, Risk, Suggestion
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
        parts=(Lines(lines=tuple(map(_line, taken))),) if taken else (),
        suggestions=(Suggestion("Take one", again),),
    )


def _line(snapshot: VM) -> Line:
    """In words, not in a table's columns: half a command is none."""
    at = moment(snapshot.text("snapshot_time"))
    disks = snapshot.disks
    memory = " and memory" if snapshot.power_state == "Suspended" else ""
    when = f"taken {at:%Y-%m-%d %H:%M} UTC" if at else "taken nobody knows when"
    return Line(
        text=quoted(snapshot.name),
        detail=f"{when}, {plural(len(disks), 'disk')}, {size(sum(vdi.virtual_size for vdi in disks))}{memory}",
        remedy=f"To delete it: xe snapshot-uninstall uuid={snapshot.uuid}",
    )
