"""`pending`: requests that are not at an end."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Cell, Level, Report, Request, Risk, State, Suggestion, Table
from bot.ports import Context
from bot.registry import Scope, command
from bot.schedules import EVERY_POOL
from bot.text import duration, plural


@dataclass(frozen=True)
class Arguments:
    pass


_LEVELS = {State.WAITING: Level.INFO, State.UNKNOWN: Level.BAD}


@command(
    "pending",
    scope=Scope.BOT,
    risk=Risk.READ,
    summary="Requests that wait for a decision, for their turn, or run right now.",
    examples=("pending",),
)
def plan(_arguments: Arguments, context: Context) -> Report:
    seen = {EVERY_POOL, *(pool.name for pool in context.pools)}
    open_requests = [each for each in context.history.open_requests() if each.plan.pool.name in seen]
    if not open_requests:
        return Report(title="Nothing is pending", level=Level.OK)
    rows = tuple(_row(request, context) for request in open_requests)
    columns = ("Request", "Pool", "What", "Asked by", "State", "Still needed")
    return Report(
        title=f"{plural(len(rows), 'request')} pending",
        level=Level.INFO,
        parts=(Table(columns=columns, rows=rows),),
        suggestions=tuple(Suggestion(each.id, f"request show {each.id}") for each in open_requests[:5]),
    )


def _row(request: Request, context: Context) -> tuple[Cell, ...]:
    return (
        Cell(request.id),
        Cell(request.plan.pool.name),
        Cell(request.plan.title),
        Cell(request.actor.name),
        Cell(str(request.state), _LEVELS.get(request.state, Level.NONE)),
        Cell(_needed(request, context)),
    )


def _needed(request: Request, context: Context) -> str:
    if request.state is State.UNKNOWN:
        return "an approver to look at the pool and settle it"
    if request.state is State.QUEUED and request.progress:
        return request.progress.text
    if request.state is not State.WAITING:
        return "–"
    left = (request.expires_at - context.clock.now()).total_seconds()
    return f"{plural(request.missing, 'approval')} within {duration(max(left, 0))}"
