"""`audit pause SCHEDULE`: no further run until it is resumed."""

from __future__ import annotations

from dataclasses import dataclass

from bot import actions
from bot.audits.timetable import one_schedule
from bot.errors import Refused
from bot.model import Plan, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    schedule: str


@command(
    "audit pause SCHEDULE",
    scope=Scope.NAMED,
    risk=Risk.ROUTINE,
    summary="Let a schedule rest: no further audit until it is resumed.",
    examples=("audit pause S-1",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    schedule = one_schedule(arguments.schedule, context)
    if schedule.paused:
        raise Refused(f"Schedule {schedule.id} is paused already.", remedy=f"“audit resume {schedule.id}” resumes it.")
    go_back = f"audit resume {schedule.id}"
    return actions.of_schedule("audit pause", actions.PAUSE_SCHEDULE, schedule, "paused", context, go_back=go_back)
