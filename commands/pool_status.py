"""`pool status`: what a person wants to see at 3 a.m., readable in five seconds, the pool's name first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.audits import compatibility
from bot.errors import UserError
from bot.findings import worst
from bot.inventory import VM, Host, Inventory, Task
from bot.model import Cell, Facts, Level, Line, Lines, Part, Report, Risk, Suggestion, Table
from bot.ports import Context, PoolView
from bot.registry import Scope, command
from bot.rules import alerts, placement, storage, versions
from bot.rules.hosts import state
from bot.text import joined, part_of, plural, quoted

MOST_HOSTS = 20
"""Rows of the hosts' table; the troubled ones come first, so that none of them is cut off."""


@dataclass(frozen=True)
class Arguments:
    all: bool = False


@command(
    "pool status [all]",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="How a pool is: hosts, HA, storage, tasks, alerts, pending approvals.",
    details=(
        "What wants attention comes first, each with what to do about it.",
        "With “all”, every pool that may be seen here.",
    ),
    examples=("pool status", "pool status in lab", "pool status all"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    if not arguments.all and len(context.pools) == 1:
        return _one(context.pools[0], context.pools[0].inventory(), context)
    if not arguments.all:
        chosen = _chosen(context)
        if chosen is not None:
            return _one(chosen, chosen.inventory(), context)
    return _all(context)


def _chosen(context: Context) -> PoolView | None:
    try:
        return context.pool
    except RuntimeError:
        return None


def _one(pool: PoolView, inventory: Inventory, context: Context) -> Report:
    connection = pool.connection()
    found = compatibility.urgent(inventory)
    weak = tuple(Line(text=weakness, level=Level.WARN) for weakness in connection.weaknesses)
    waiting = context.history.open_requests(pool.name)
    parts: list[Part] = []
    if found or weak:
        lines = tuple(Line(text=each.text, level=each.level, remedy=each.remedy) for each in found)
        parts.append(Lines(heading="Needs attention", lines=(*lines, *weak)))
    parts.append(_hosts(inventory))
    parts.append(
        Facts(pairs=tuple(_facts(inventory, len(waiting), connection.address, connection.tls, connection.trust)))
    )
    count = len(found) + len(weak)
    verdict = (
        "everything is well" if not count else f"{plural(count, 'thing')} need{'s' if count == 1 else ''} attention"
    )
    return Report(
        title=f"{pool.name}: {verdict}",
        level=worst((*(each.level for each in found), Level.WARN if weak else Level.OK)),
        summary=_summary(inventory),
        parts=tuple(parts),
        suggestions=(
            Suggestion("VMs", f"vm list in {quoted(pool.name)}"),
            Suggestion("Hosts", f"host list in {quoted(pool.name)}"),
            *((Suggestion("Pending", "pending"),) if waiting else ()),
        ),
    )


def _summary(inventory: Inventory) -> str:
    coordinator = inventory.pool.coordinator
    product = versions.product(coordinator.software_version) if coordinator else "no coordinator"
    running = plural(len(_running(inventory)), "running VM")
    ha = "HA on" if inventory.pool.ha_enabled else "HA off"
    return f"{plural(len(inventory.hosts), 'host')}, {running} · {product} · {ha}"


def _hosts(inventory: Inventory) -> Table:
    ordered = sorted(inventory.hosts, key=lambda host: (host.live and host.enabled, not host.is_coordinator))
    rows = tuple(_host_row(host) for host in ordered[:MOST_HOSTS])
    return Table(
        heading="Hosts",
        columns=("Host", "State", "Memory", "VMs", "Version"),
        rows=rows,
        more=len(ordered) - len(rows),
    )


def _host_row(host: Host) -> tuple[Cell, ...]:
    used, total = placement.attached_memory(host)
    memory = Cell(part_of(used, total), bar=used / total) if total else Cell("unknown")
    role = " (coordinator)" if host.is_coordinator else ""
    return (
        Cell(host.name + role),
        state(host),
        memory,
        Cell(str(len(host.resident_vms))),
        Cell(versions.product(host.software_version)),
    )


def _facts(inventory: Inventory, waiting: int, address: str, tls: str, trust: str) -> Iterator[tuple[str, Cell]]:
    coordinator = inventory.pool.coordinator
    if coordinator is None:
        yield "Coordinator", Cell("none: the database names no host", Level.BAD)
    else:
        yield "Coordinator", Cell(f"{coordinator.name} ({coordinator.address})")
    yield "High availability", _availability(inventory)
    shared = inventory.shared_srs
    broken = {sr.ref for sr, _ in (*storage.unplugged(inventory), *storage.without_path(inventory))}
    if not shared:
        yield "Shared storage", Cell("none", Level.WARN if len(inventory.hosts) > 1 else Level.NONE)
    else:
        told = joined(sr.name for sr in shared)
        plugged = "plugged on every host" if not broken else f"{len(broken)} not plugged everywhere"
        yield "Shared storage", Cell(f"{told} – {plugged}", Level.BAD if broken else Level.OK)
    running = [task for task in inventory.all(Task) if task.status in ("pending", "cancelling")]
    yield "Running tasks", Cell(_tasks(running))
    counted = len(alerts.open_alerts(inventory))
    yield "Open alerts", Cell(str(counted) if counted else "none", Level.WARN if counted else Level.NONE)
    yield "Pending approvals", Cell(str(waiting) if waiting else "none", Level.INFO if waiting else Level.NONE)
    secured = {"fingerprint": "certificate pinned", "ca": "certificate verified"}.get(trust, "not verified")
    yield "Connection", Cell(f"{address}, {f'{tls}, {secured}' if tls else 'plain HTTP'}")


def _availability(inventory: Inventory) -> Cell:
    pool = inventory.pool
    if not pool.ha_enabled:
        return Cell("off")
    covered = pool.number("ha_plan_exists_for")
    level = Level.BAD if pool.flag("ha_overcommitted") else Level.OK if covered else Level.WARN
    tolerated = pool.number("ha_host_failures_to_tolerate")
    return Cell(f"on, the plan covers {plural(covered, 'host failure')} ({tolerated} to tolerate)", level)


def _tasks(running: list[Task]) -> str:
    if not running:
        return "none"
    shown = [f"{task.name} {round(task.progress * 100)} %" for task in running[:5]]
    more = f" and {len(running) - 5} more" if len(running) > 5 else ""
    return ", ".join(shown) + more


def _all(context: Context) -> Report:
    rows: list[tuple[Cell, ...]] = []
    lines: list[Line] = []
    levels: list[Level] = []
    for pool, inventory in context.each_pool(context.pools):
        if isinstance(inventory, Exception):
            lines.append(_unread(pool, inventory))
            rows.append((Cell(pool.name), Cell("not answering", Level.BAD), Cell(""), Cell(""), Cell("")))
            levels.append(Level.BAD)
            continue
        found = compatibility.urgent(inventory)
        level = worst(each.level for each in found)
        levels.append(level)
        lines += [Line(text=f"{pool.name}: {each.text}", level=each.level, remedy=each.remedy) for each in found]
        verdict = Cell("well", Level.OK) if not found else Cell(plural(len(found), "finding"), level)
        coordinator = inventory.pool.coordinator
        rows.append(
            (
                Cell(pool.name),
                verdict,
                Cell(str(len(inventory.hosts))),
                Cell(str(len(_running(inventory)))),
                Cell(versions.product(coordinator.software_version) if coordinator else "no coordinator"),
            )
        )
    parts: list[Part] = [Lines(heading="Needs attention", lines=tuple(lines))] if lines else []
    parts.append(Table(heading="Pools", columns=("Pool", "State", "Hosts", "Running VMs", "Version"), rows=tuple(rows)))
    return Report(title=f"{plural(len(rows), 'pool')}", level=worst(levels), parts=tuple(parts))


def _running(inventory: Inventory) -> list[VM]:
    return [vm for vm in inventory.guests if vm.power_state == "Running"]


def _unread(pool: PoolView, error: Exception) -> Line:
    remedy = error.remedy if isinstance(error, UserError) else ""
    return Line(text=f"{pool.name}: {error}", level=Level.BAD, remedy=remedy)
