"""`ha status`: is the pool protected, against how many failures, and who is not and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import ToolstackRefusal
from bot.inventory import Inventory
from bot.model import Cell, Facts, Level, Line, Lines, Part, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import command
from bot.rules import agility, ha, heartbeat
from bot.text import joined, plural, quoted

MOST_VMS = 30


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "ha status",
    risk=Risk.READ,
    summary="High availability: state, heartbeat storage, failures to tolerate, protected VMs, and who is not agile.",
    details=(
        "The maximum is the toolstack's own figure; the reason why it is no higher is the bot's.",
        "An account that may only read cannot ask the toolstack for it (that takes the role pool-operator); then the"
        " bot's own figure stands there, and says so.",
    ),
    examples=("ha status", "ha status in lab"),
)
def plan(_arguments: Arguments, context: Context) -> Report:
    inventory = context.pool.inventory()
    pool, meant = inventory.pool, ha.meant(inventory)
    most, by_pool = _most(context, inventory)
    wanted = pool.number("ha_host_failures_to_tolerate")
    rigid = [(vm, agility.against(vm, inventory)) for vm in meant]
    rigid = [(vm, why) for vm, why in rigid if why]
    parts: list[Part] = [Facts(pairs=tuple(_facts(inventory, most, by_pool=by_pool)))]
    if rigid:
        told = tuple(
            Line(text=f"{quoted(vm.name)}: {check.against}", level=Level.BAD, remedy=check.remedy)
            for vm, why in rigid
            for check in why
        )
        parts.append(Lines(heading="Protected but not agile", lines=told))
    if meant:
        rows = tuple(
            (
                Cell(vm.name),
                Cell(vm.power_state.lower(), Level.OK if vm.power_state == "Running" else Level.NONE),
                Cell(str(vm.number("order"))),
                Cell(f"{vm.number('start_delay')} s"),
            )
            for vm in meant[:MOST_VMS]
        )
        more = len(meant) - len(rows)
        parts.append(Table(heading="Protected", columns=("VM", "State", "Order", "Delay"), rows=rows, more=more))
    return Report(
        title=f"{context.pool.name}: {_verdict(inventory, most, wanted)}",
        level=_level(inventory, most, wanted),
        summary=_why_no_more(inventory, most),
        parts=tuple(parts),
        suggestions=(
            Suggestion("If a host fails", planning.line("ha plan", context)),
            *(() if pool.ha_enabled else (Suggestion("Turn it on", planning.line("ha enable", context)),)),
        ),
    )


def _most(context: Context, inventory: Inventory) -> tuple[int, bool]:
    """How many hosts may fail at most, and whether it is the toolstack that says so."""
    try:
        return planning.most_failures(context.pool, inventory), True
    except ToolstackRefusal as refusal:
        if refusal.code != "RBAC_PERMISSION_DENIED":
            raise
        return ha.most_failures(inventory, only=ha.reckoned(inventory)), False


def _verdict(inventory: Inventory, most: int, wanted: int) -> str:
    if not inventory.pool.ha_enabled:
        return "high availability is off"
    if wanted > most or inventory.pool.flag("ha_overcommitted"):
        return f"high availability is overcommitted: {wanted} to tolerate, {most} possible"
    return f"high availability is on and tolerates {plural(wanted, 'host failure')}"


def _level(inventory: Inventory, most: int, wanted: int) -> Level:
    if not inventory.pool.ha_enabled:
        return Level.WARN
    if wanted > most or inventory.pool.flag("ha_overcommitted"):
        return Level.BAD
    return Level.OK if wanted else Level.WARN


def _why_no_more(inventory: Inventory, most: int) -> str:
    if most >= len(inventory.hosts):
        return "No VM is protected: nothing is restarted for certain, however few hosts fail."
    reason = ha.why_no_plan(ha.situation(inventory, only=ha.reckoned(inventory)), most + 1, inventory)
    return f"Not more than {plural(most, 'failure')}: {reason}." if reason else ""


def _facts(inventory: Inventory, most: int, *, by_pool: bool) -> Iterator[tuple[str, Cell]]:
    pool = inventory.pool
    yield "State", Cell("on", Level.OK) if pool.ha_enabled else Cell("off", Level.WARN)
    if pool.ha_enabled:
        srs = heartbeat.in_use(inventory)
        yield "Heartbeat storage", Cell(joined(sr.name for sr in srs) if srs else "not known", Level.NONE)
        covered = pool.number("ha_plan_exists_for")
        yield "Covered now", Cell(plural(covered, "host failure"), Level.OK if covered else Level.WARN)
    yield "To tolerate", Cell(plural(pool.number("ha_host_failures_to_tolerate"), "host failure"))
    own = "" if by_pool else " by the bot's reckoning: its account may not ask the pool"
    yield "Possible at most", Cell(f"{plural(most, 'host failure')}{own}")
    running = [vm for vm in inventory.guests if vm.power_state == "Running"]
    by = {priority: [vm for vm in running if vm.text("ha_restart_priority") == priority] for priority in ha.PRIORITIES}
    yield "Restarted for certain", Cell(plural(len(by[ha.RESTART]), "running VM"))
    yield "If there is room", Cell(plural(len(by[ha.BEST_EFFORT]), "running VM"))
    left = [vm.name for vm in running if vm.text("ha_restart_priority") not in (ha.RESTART, ha.BEST_EFFORT)]
    yield "Not protected", Cell(joined(left, limit=5) if left else "none", Level.WARN if left else Level.OK)
    away = [host for host in inventory.hosts if not ha.counts(host)]
    if away:
        names = joined(host.name for host in away)
        yield "Hosts that do not count", Cell(f"{names} (disabled or not alive)", Level.WARN)
