"""`audit schedules`: the audits that run by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audits.timetable import moment, seen
from bot.model import Cell, Level, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import Scope, command
from bot.schedules import Schedule, Tell


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
    columns = ("Schedule", "Audit", "Pool", "When", "Told in", "Told", "Next", "Last (UTC)")
    return Report(
        title=f"{len(found)} audits run by themselves" if len(found) > 1 else "One audit runs by itself",
        parts=(Table(columns=columns, rows=tuple(_row(each, context.timezone) for each in found)),),
    )


def _row(schedule: Schedule, timezone: str) -> tuple[Cell, ...]:
    asked = schedule.asked
    zone = asked.zone or timezone
    following = Cell("paused", Level.WARN) if schedule.paused else Cell(moment(schedule.due_at, zone))
    return (
        Cell(schedule.id),
        Cell(str(asked.kind)),
        Cell(asked.pool),
        Cell(f"{asked.recurrence} {zone}"),
        Cell(asked.channel),
        Cell("always" if asked.tell is Tell.ALWAYS else "changes"),
        following,
        Cell(f"{schedule.last_at:%Y-%m-%d %H:%M}" if schedule.last_at else "never"),
    )
