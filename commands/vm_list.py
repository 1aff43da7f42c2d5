"""`vm list [on HOST] [matching TEXT]`: the VMs of a pool."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bot.inventory import VM, Host
from bot.model import Cell, Level, Report, Risk, Table
from bot.ports import Context
from bot.registry import command
from bot.text import plural, quoted, size

MOST_ROWS = 60
"""A message holds no more that is still read; the count of the rest is shown."""


@dataclass(frozen=True)
class Arguments:
    host: Host | None = None
    text: str | None = None


@command(
    "vm list [on HOST] [matching TEXT]",
    risk=Risk.READ,
    summary="The VMs of a pool, running ones first.",
    details=("“matching” looks for the text in names, descriptions and tags, in any case.",),
    examples=("vm list", "vm list on xs1", "vm list matching web in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    everything = context.pool.inventory().guests
    called = Counter(vm.name for vm in everything)
    guests = [
        vm
        for vm in everything
        if (arguments.host is None or vm.resident_on == arguments.host)
        and (arguments.text is None or _matches(vm, arguments.text.casefold()))
    ]
    guests.sort(key=lambda vm: vm.power_state != "Running")
    title = f"{context.pool.name}: {plural(len(guests), 'VM')}"
    title += f" on {quoted(arguments.host.name)}" if arguments.host else ""
    title += f" matching {quoted(arguments.text)}" if arguments.text else ""
    rows = tuple(_row(vm, alone=called[vm.name] == 1) for vm in guests[:MOST_ROWS])
    if not rows:
        return Report(title=title)
    table = Table(columns=("VM", "State", "Host", "Memory", "vCPUs"), rows=rows, more=len(guests) - len(rows))
    return Report(title=title, parts=(table,))


def _matches(vm: VM, text: str) -> bool:
    return any(text in field.casefold() for field in (vm.name, vm.text("name_description"), *vm.tags))


def _row(vm: VM, *, alone: bool) -> tuple[Cell, ...]:
    """Not `alone`: others have its name, too."""
    host = vm.resident_on
    return (
        Cell(vm.name if alone else f"{vm.name} ({vm.uuid[:8]})"),
        Cell(vm.power_state.lower(), Level.OK if vm.power_state == "Running" else Level.NONE),
        Cell(host.name if host else "–"),
        Cell(size(vm.number("memory_static_max"))),
        Cell(vm.text("VCPUs_at_startup")),
    )
