"""`pool list`: which pools there are."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Cell, Level, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import Scope, command
from bot.rules import versions
from bot.text import plural, quoted


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "pool list",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="The pools that may be seen here, with their coordinator and version.",
    examples=("pool list",),
)
def plan(_arguments: Arguments, context: Context) -> Report:
    rows = []
    for pool, inventory in context.each_pool(context.pools):
        if isinstance(inventory, Exception):
            rows.append((Cell(pool.name), Cell(str(inventory), Level.BAD), Cell(""), Cell("")))
            continue
        coordinator = inventory.pool.coordinator
        product = versions.product(coordinator.software_version) if coordinator else "unknown"
        named = coordinator.name if coordinator else "none"
        rows.append((Cell(pool.name), Cell(named), Cell(str(len(inventory.hosts))), Cell(product)))
    return Report(
        title=plural(len(rows), "pool"),
        parts=(Table(columns=("Pool", "Coordinator", "Hosts", "Version"), rows=tuple(rows)),),
        suggestions=tuple(
            Suggestion(f"Status of {pool.name}", f"pool status in {quoted(pool.name)}") for pool in context.pools[:4]
        ),
    )
