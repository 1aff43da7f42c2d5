"""`pending`: requests that are not at an end."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Cell, Level, Report, Request, Risk, State, Suggestion, Table
from bot.ports import Context
from bot.registry import Scope, command
from bot.schedules import EVERY_POOL
from bot.text import plural


@dataclass(frozen=True)
class Arguments:
    pass


_LEVELS = {State.WAITING: Level.INFO, State.UNKNOWN: Level.BAD}
_ENDING = (State.WAITING, State.QUEUED)
"""These expire."""


@command(
    "pending",
    scope=Scope.BOT,
    risk=Risk.READ,
    summary="Requests that wait for a decision, for their turn, or run right now.",
    examples=("pending",),
)
def plan(_arguments: Arguments, context: Context) -> Report:
    seen = {EVERY_POOL, *(pool.name for pool in context.pools)}
    open_requests = [each for each in context.history.open_requests() if seen & {pool.name for pool in each.plan.pools}]
    if not open_requests:
        return Report(title="Nothing is pending", level=Level.OK)
    rows = tuple(_row(request) for request in open_requests)
    columns = ("Request", "Pool", "What", "By", "State", "Until (UTC)")
    return Report(
        title=f"{plural(len(rows), 'request')} pending",
        level=Level.INFO,
        parts=(Table(columns=columns, rows=rows),),
        suggestions=tuple(Suggestion(each.id, f"request show {each.id}") for each in open_requests[:5]),
    )


def _row(request: Request) -> tuple[Cell, ...]:
    return (
        Cell(request.id),
        Cell(", ".join(pool.name for pool in request.plan.pools)),
        Cell(request.plan.title),
        Cell(request.actor.name),
        Cell(_needed(request), _LEVELS.get(request.state, Level.NONE)),
        Cell(f"{request.expires_at:%d %b %H:%M}" if request.state in _ENDING else "–"),
    )


def _needed(request: Request) -> str:
    if request.state is State.UNKNOWN:
        return "unknown: an approver has to settle it"
    if request.state is State.QUEUED and request.progress:
        return request.progress.text
    if request.state is not State.WAITING:
        return request.state.said
    return f"needs {plural(request.missing, 'approval')}"
