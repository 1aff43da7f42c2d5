"""`pending`: requests that are not at an end."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Ballot, Cell, Level, Report, Request, Risk, State, Table
from bot.ports import Context
from bot.registry import Scope, command
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
    seen = {pool.name for pool in context.pools}
    open_requests = [each for each in context.history.open_requests() if each.plan.pool.name in seen]
    if not open_requests:
        return Report(title="Nothing is pending", level=Level.OK)
    rows = tuple(_row(request, context) for request in open_requests)
    columns = ("Request", "Pool", "What", "Asked by", "State", "Still needed")
    return Report(
        title=f"{plural(len(rows), 'request')} pending", level=Level.INFO, parts=(Table(columns=columns, rows=rows),)
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
        return "a person to look at the pool"
    if request.state is not State.WAITING:
        return "–"
    given = sum(vote.ballot is Ballot.APPROVE for vote in request.votes)
    left = (request.expires_at - context.clock.now()).total_seconds()
    return f"{plural(request.requirement.approvals - given, 'approval')} within {duration(max(left, 0))}"
