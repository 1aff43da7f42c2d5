"""`ha plan`: for every host, what becomes of its VMs if it fails now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import Refused
from bot.inventory import Host
from bot.model import Cell, Level, Line, Lines, Part, Report, Risk, Table
from bot.ports import Context
from bot.registry import command
from bot.rules import ha
from bot.text import plural, quoted

MOST_ROWS = 20
"""Per host; the VMs without a place come first."""
UNPROTECTED = 2
"""The rank of VMs that high availability leaves alone."""


@dataclass(frozen=True)
class Arguments:
    host: Host | None = None


@command(
    "ha plan [for HOST]",
    risk=Risk.READ,
    summary="If a host fails now: which of its VMs is restarted where, and which is not.",
    details=(
        "The planner reckons with memory, as the toolstack's does, and besides with storage and networks.",
        "With high availability off it says what would happen if it were on.",
    ),
    examples=("ha plan", "ha plan for xs1"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    inventory = context.pool.inventory()
    hosts = (arguments.host,) if arguments.host else tuple(host for host in inventory.hosts if ha.counts(host))
    if not hosts:
        raise Refused("No host of the pool is enabled and alive, so there is nothing to plan with.")
    outcomes = {host: ha.if_fails(host, inventory) for host in hosts}
    lost = [
        restart
        for restarts in outcomes.values()
        for restart in restarts
        if restart.vm.text("ha_restart_priority") == ha.RESTART and restart.host is None
    ]
    off = "" if inventory.pool.ha_enabled else "High availability is off: nothing of this happens by itself. "
    protected = any(_rank(restart) < UNPROTECTED for restarts in outcomes.values() for restart in restarts)
    verdict = (
        f"{plural(len(lost), 'protected VM')} would stay down"
        if lost
        else "every protected VM has a place"
        if protected
        else "its VMs stay down: none is protected"
    )
    return Report(
        title=f"{context.pool.name}: if one host fails, {verdict}",
        level=Level.BAD if lost else Level.OK if inventory.pool.ha_enabled else Level.WARN,
        summary=f"{off}Each host by itself; “ha status” says how many may fail together.",
        parts=tuple(_part(host, restarts) for host, restarts in outcomes.items()),
    )


def _part(host: Host, restarts: tuple[ha.Restart, ...]) -> Part:
    ordered = sorted(
        restarts, key=lambda each: (each.host is not None, _rank(each), each.vm.number("order"), each.vm.name)
    )
    every = tuple(_rows(ordered[:MOST_ROWS]))
    names = ("VM", "Order", "Restarts on", "Why not")
    told = [
        place for place in range(len(names)) if place == 0 or any(row[place].text not in ("", "–") for row in every)
    ]
    rows, columns = tuple(tuple(row[place] for place in told) for row in every), tuple(names[place] for place in told)
    role = ", the coordinator: another host takes its place, minutes without API" if host.is_coordinator else ""
    heading = f"If {quoted(host.name)} fails ({plural(len(restarts), 'VM')}{role})"
    if not rows:
        return Lines(heading=heading, lines=(Line(text="Nothing has to start anew."),))
    return Table(heading=heading, columns=columns, rows=rows, more=len(ordered) - len(rows))


def _rank(restart: ha.Restart) -> int:
    return {ha.RESTART: 0, ha.BEST_EFFORT: 1}.get(restart.vm.text("ha_restart_priority"), UNPROTECTED)


def _rows(restarts: list[ha.Restart]) -> Iterator[tuple[Cell, ...]]:
    for restart in restarts:
        certain = restart.vm.text("ha_restart_priority") == ha.RESTART
        order = str(restart.vm.number("order")) if certain else ""
        where = Cell(restart.host.name, Level.OK) if restart.host else Cell("–", Level.BAD if certain else Level.NONE)
        yield Cell(restart.vm.name), Cell(order), where, Cell(restart.reason)
