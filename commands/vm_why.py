"""`vm why VM`: for every host of the pool, why the VM can or cannot run there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import ToolstackRefusal
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Cell, Level, Line, Lines, Object, Part, Report, Risk, Suggestion, Table
from bot.ports import Context, PoolView
from bot.registry import command
from bot.rules import agility, ha, memory, operations, placement
from bot.rules.check import Check
from bot.text import plural, quoted, size

_ARRIVES_BY = {"Halted": "start_on", "Suspended": "resume_on", "Running": "pool_migrate"}


@dataclass(frozen=True)
class Arguments:
    vm: VM


@command(
    "vm why VM",
    risk=Risk.READ,
    summary="For every host, why a VM can or cannot run there, and what would have to change.",
    details=("Every reason is listed, not only the first; the toolstack's own word is asked for besides.",),
    examples=("vm why build-1", "vm why files-1 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    vm, inventory = arguments.vm, context.pool.inventory()
    operation = _ARRIVES_BY.get(vm.power_state, "pool_migrate")
    home = vm.resident_on
    reasons = {host: _against(vm, host, context.pool, inventory) for host in inventory.hosts}
    able = [host for host, against in reasons.items() if not against]
    of_itself = tuple(check for check in operations.checks(vm, operation, inventory) if not check.ok)
    parts: list[Part] = [
        Table(
            heading="Hosts",
            columns=("Host", "Verdict", "Room", "Why not"),
            rows=tuple(_row(vm, host, against, inventory) for host, against in reasons.items()),
        )
    ]
    lines = tuple(_lines(reasons))
    if lines:
        parts.append(Lines(heading="What would have to change", lines=lines))
    if of_itself:
        told = tuple(Line(text=check.against, level=Level.BAD, remedy=check.remedy) for check in of_itself)
        parts.append(Lines(heading="And wherever it would go", lines=told))
    rigid = agility.against(vm, inventory)
    if rigid:
        told = tuple(Line(text=check.against, level=Level.WARN, remedy=check.remedy) for check in rigid)
        parts.append(Lines(heading="High availability could not restart it on every host", lines=told))
    others = [host for host in able if host != home]
    return Report(
        title=f"{context.pool.name}: where {quoted(vm.name)} can run",
        level=Level.OK if others and not of_itself else Level.WARN if able else Level.BAD,
        summary=_summary(vm, home, others),
        parts=tuple(parts),
        suggestions=_suggestions(vm, others, context, inventory) if not of_itself else (),
    )


def _against(vm: VM, host: Host, pool: PoolView, inventory: Inventory) -> tuple[Check, ...]:
    """Our reasons, HA's guard, and the toolstack's word where it is another reason."""
    found = placement.against(vm, host, inventory)
    if vm.resident_on == host:
        return found
    guard = ha.arrival(vm, host, inventory)
    if guard is not None and not guard.ok:
        found = (*found, guard)
    try:
        pool.ask("VM.assert_can_boot_here", Object(vm.id), Object(host.id))
    except ToolstackRefusal as refusal:
        if not any(check.code == refusal.code for check in found):
            said = Check("toolstack", refusal.code, False, "the toolstack agrees", refusal.message, refusal.remedy)
            found = (*found, said)
    return found


def _row(vm: VM, host: Host, against: tuple[Check, ...], inventory: Inventory) -> tuple[Cell, ...]:
    here = vm.resident_on == host
    verdict = Cell("no", Level.BAD) if against else Cell("yes", Level.OK)
    if here:
        verdict = Cell("runs here", Level.WARN if against else Level.OK)
    room = memory.free(host, inventory)
    return Cell(host.name), verdict, Cell(size(max(room, 0))), Cell("; ".join(check.against for check in against))


def _lines(reasons: dict[Host, tuple[Check, ...]]) -> Iterator[Line]:
    """Each remedy once, with the hosts that it would open."""
    opened: dict[str, list[Host]] = {}
    for host, against in reasons.items():
        for check in against:
            if check.remedy:
                opened.setdefault(check.remedy, []).append(host)
    for remedy, hosts in opened.items():
        yield Line(text=f"For {', '.join(quoted(host.name) for host in dict.fromkeys(hosts))}: {remedy}")


def _summary(vm: VM, home: Host | None, others: list[Host]) -> str:
    now = f"it runs on {quoted(home.name)}" if home else f"it is {vm.power_state.lower()}"
    host = "other host" if home else "host"
    counted = plural(len(others), host) if others else f"no {host}"
    return f"{now[:1].upper()}{now[1:]}; {counted} could take it."


def _suggestions(vm: VM, others: list[Host], context: Context, inventory: Inventory) -> tuple[Suggestion, ...]:
    if not others:
        return ()
    name = spelling(vm, inventory)
    verb, preposition = {"Halted": ("start", "on"), "Suspended": ("resume", "on")}.get(
        vm.power_state, ("migrate", "to")
    )
    target = spelling(placement.best(vm, others, inventory)[0], inventory)
    label = f"{verb.capitalize()} {preposition} {target}"
    return (Suggestion(label, planning.line(f"vm {verb} {name} {preposition} {target}", context)),)
