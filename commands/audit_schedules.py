"""`audit schedules`: the audits that run by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audits.timetable import called, moment, seen
from bot.model import Level, Line, Lines, Report, Risk, Suggestion
from bot.ports import Context
from bot.registry import Scope, command
from bot.schedules import Schedule, Tell
from bot.text import quoted


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "audit schedules",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="The audits that run by themselves: when, of what, where it is told, and when next.",
    examples=("audit schedules", "audit schedules in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:  # noqa: ARG001 - it takes none
    found = [each for each in context.schedules.schedules() if seen(each, context)]
    if not found:
        return Report(
            title="No audit runs by itself",
            level=Level.INFO,
            suggestions=(Suggestion("Every morning", "audit schedule compatibility daily 07:00"),),
        )
    return Report(
        title=f"{len(found)} audits run by themselves" if len(found) > 1 else "One audit runs by itself",
        parts=(Lines(lines=tuple(_line(each, context) for each in found)),),
    )


def _line(schedule: Schedule, context: Context) -> Line:
    asked = schedule.asked
    zone = asked.zone or context.timezone
    following = "paused" if schedule.paused else f"next {moment(schedule.due_at, zone)}"
    last = f"last {moment(schedule.last_at, zone)}" if schedule.last_at else "has not run yet"
    channel = called(asked.channel, context)
    told = "each time" if asked.tell is Tell.ALWAYS else "when something changes"
    return Line(
        text=f"{schedule.id}: {asked.kind} of {asked.pool}, {asked.recurrence} ({zone})",
        level=Level.WARN if schedule.paused else Level.NONE,
        detail=f"{following}; {last}; told in {channel} {told}; asked for by {quoted(schedule.created_by.name)}",
    )
