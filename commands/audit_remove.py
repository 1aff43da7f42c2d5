"""`audit remove SCHEDULE`: no further run, ever."""

from __future__ import annotations

from dataclasses import dataclass

from bot import actions
from bot.audits.timetable import one_schedule
from bot.model import Plan, Risk
from bot.ports import Context
from bot.registry import Scope, command
from bot.schedules import EVERY_POOL


@dataclass(frozen=True)
class Arguments:
    schedule: str


@command(
    "audit remove SCHEDULE",
    scope=Scope.NAMED,
    risk=Risk.ROUTINE,
    summary="Remove a schedule. What its audits found stays on record.",
    examples=("audit remove S-1",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    schedule = one_schedule(arguments.schedule, context)
    asked = schedule.asked
    zoned = f"{asked.recurrence} {asked.zone}".strip()
    pool = "all" if asked.pool == EVERY_POOL else asked.pool
    go_back = f"To have it again: audit schedule {asked.kind} {zoned} on {pool}"
    return actions.of_schedule("audit remove", actions.REMOVE_SCHEDULE, schedule, "gone", context, go_back=go_back)
