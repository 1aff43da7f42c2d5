"""`audit mute FINDING`: do not hear of a finding for a while."""

from __future__ import annotations

from dataclasses import dataclass

from bot import actions
from bot.audits.timetable import moment, one_finding, until
from bot.errors import Refused
from bot.model import Level, ObjectId, Plan, Risk
from bot.ports import Context
from bot.registry import Scope, command
from bot.text import quoted


@dataclass(frozen=True)
class Arguments:
    finding: str
    date: str
    reason: str


@command(
    "audit mute FINDING until DATE because REASON",
    scope=Scope.NAMED,
    risk=Risk.ROUTINE,
    summary="Do not hear of a finding for a while.",
    details=(
        "FINDING is its number, as every report shows it: F-12. DATE is a date, with or without a time, or a length:"
        " 2027-01-31, 2027-01-31 18:00, 3 days, 2 weeks. At most a year.",
        "It is listed as muted, with who muted it and why, and is told again as new when that time is over.",
        "It stays muted also when it is resolved and comes back meanwhile.",
    ),
    examples=("audit mute F-12 until 2 weeks because the new switch is ordered",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    found = one_finding(arguments.finding, context)
    reason = arguments.reason.strip().strip("\"'").strip()
    if not reason:
        raise Refused(
            "A mute needs a reason: whoever finds it later has to know why nobody was told.",
            remedy=f"audit mute {found.story.id} until {arguments.date} because …",
        )
    end = until(arguments.date, context.clock.now(), context.timezone)
    told, drift = moment(end, context.timezone), found.story.drift
    grave = ("It is grave: nobody will be told that it is still so.",) if drift.level is Level.BAD else ()
    return Plan(
        command="audit mute",
        # The end is pinned: “3 days” would be another time when it is approved.
        arguments=(("finding", found.story.id), ("date", _pinned(told)), ("reason", reason)),
        pool=ObjectId("pool", "", found.pool),
        risk=Risk.ROUTINE,
        title=f"mute {found.story.id}: {drift.text}",
        steps=(
            actions.change(
                actions.MUTE,
                f"Mute {quoted(drift.text)} until {told}",
                actions.muted_until(found.pool, found.story, end.isoformat()),
                *(found.pool, drift.key, end.isoformat(), reason),
            ),
        ),
        impact=grave,
        reasons=(f"It is asked because: {reason}",),
        go_back=f"audit unmute {found.story.id}",
    )


def _pinned(told: str) -> str:
    """`Mon 2027-01-31 18:00 Europe/Amsterdam` as the command reads it."""
    return " ".join(told.split()[1:3])
