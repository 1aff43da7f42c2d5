"""`request show REQUEST`: everything about one request."""

from __future__ import annotations

from dataclasses import dataclass

from bot.actions import request_of
from bot.model import Ballot, Cell, Facts, Level, Line, Lines, Part, Report, Request, Risk, State, Suggestion
from bot.ports import Context
from bot.registry import Scope, command
from bot.text import plural

_LEVELS = {
    State.SUCCEEDED: Level.OK,
    State.FAILED: Level.BAD,
    State.UNKNOWN: Level.BAD,
    State.STALE: Level.WARN,
    State.CANCELLED: Level.WARN,
}


@dataclass(frozen=True)
class Arguments:
    request: str


@command(
    "request show REQUEST",
    scope=Scope.BOT,
    risk=Risk.READ,
    summary="One request: what was asked, who decided, what came of it.",
    examples=("request show X-7",),
)
def plan(arguments: Arguments, context: Context) -> Report:
    request = request_of(context, arguments.request)
    level = _LEVELS.get(request.state, Level.INFO)
    parts: list[Part] = [Facts(pairs=_facts(request, level))]
    if request.votes:
        parts.append(Lines(heading="Votes", lines=_votes(request)))
    steps = tuple(Line(text=line) for line in request.plan.lines)
    parts.append(Lines(heading="What it does", lines=steps))
    serious = (*request.plan.blockers, *request.plan.warnings)
    if serious:
        lines = tuple(
            Line(text=each.title, level=Level.WARN, detail=each.evidence, remedy=each.remedy) for each in serious
        )
        parts.append(
            Lines(heading=f"Warnings, besides {plural(len(request.plan.passes), 'check')} passed", lines=lines)
        )
    if request.result is not None and request.result.lines:
        parts.append(Lines(heading="What came of it", lines=tuple(Line(text=line) for line in request.result.lines)))
    return Report(
        title=f"{request.id}: {request.plan.title}",
        level=level,
        summary=request.result.summary if request.result else "",
        parts=tuple(parts),
        suggestions=_next(request),
    )


def _facts(request: Request, level: Level) -> tuple[tuple[str, Cell], ...]:
    pairs = [
        ("State", Cell(request.state.said, level)),
        ("Pool", Cell(", ".join(pool.name for pool in request.plan.pools))),
        ("Asked by", Cell(request.actor.name)),
        ("In these words", Cell(request.text)),
        ("Asked", Cell(f"{request.opened_at:%Y-%m-%d %H:%M:%S} UTC")),
    ]
    if request.plan.window.not_before is not None:
        pairs.append(("Not before", Cell(f"{request.plan.window.not_before:%Y-%m-%d %H:%M} UTC")))
    if request.state in (State.WAITING, State.QUEUED):
        pairs.append(("Expires", Cell(f"{request.expires_at:%Y-%m-%d %H:%M:%S} UTC")))
    if request.state is State.WAITING:
        pairs.append(("Still missing", Cell(f"{plural(request.missing, 'approval')}, from {request.requirement.who}")))
    if request.progress is not None and request.ended_at is None and request.progress.text:
        pairs.append(("Now", Cell(request.progress.text)))
    for name, at in (("Begun", request.started_at), ("Ended", request.ended_at)):
        if at is not None:
            pairs.append((name, Cell(f"{at:%Y-%m-%d %H:%M:%S} UTC")))
    if request.predecessor:
        pairs.append(("Replaces", Cell(request.predecessor)))
    if request.successor:
        pairs.append(("Replaced by", Cell(request.successor)))
    pairs.append(("Plan", Cell(request.digest)))
    return tuple(pairs)


def _votes(request: Request) -> tuple[Line, ...]:
    return tuple(
        Line(
            text=f"{vote.actor.name}: {vote.ballot}, {vote.at:%Y-%m-%d %H:%M:%S} UTC",
            level=Level.OK if vote.ballot is Ballot.APPROVE else Level.BAD,
            detail=vote.reason,
        )
        for vote in request.votes
    )


def _next(request: Request) -> tuple[Suggestion, ...]:
    found = [Suggestion("Its record", f"log about {request.id}")]
    if request.state is State.UNKNOWN:
        found.insert(0, Suggestion("Settle it", f"request settle {request.id}"))
    return tuple(found)
