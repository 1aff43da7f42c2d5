"""`audit resume SCHEDULE`: let it run again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot import actions
from bot.audits.timetable import one_schedule, reported_in
from bot.errors import Refused, Unavailable
from bot.model import Plan, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    schedule: str


@command(
    "audit resume SCHEDULE",
    scope=Scope.NAMED,
    risk=Risk.ROUTINE,
    summary="Let a paused schedule run again. What it left out meanwhile is not made up for.",
    examples=("audit resume S-1",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    schedule = one_schedule(arguments.schedule, context)
    if not schedule.paused:
        raise Refused(f"Schedule {schedule.id} is not paused.", remedy="“audit schedules” tells when it is due.")
    go_back = f"audit pause {schedule.id}"
    planned = actions.of_schedule("audit resume", actions.RESUME_SCHEDULE, schedule, "on", context, go_back=go_back)
    try:
        return replace(planned, findings=reported_in(schedule.asked, context))
    except Unavailable:  # what Slack does not tell now is told when it runs
        return planned
