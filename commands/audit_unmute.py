"""`audit unmute FINDING`: hear of it again."""

from __future__ import annotations

from dataclasses import dataclass

from bot import actions
from bot.audits.timetable import one_finding
from bot.errors import Refused
from bot.model import ObjectId, Plan, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    finding: str


@command(
    "audit unmute FINDING",
    scope=Scope.NAMED,
    risk=Risk.ROUTINE,
    summary="Hear of a muted finding again.",
    examples=("audit unmute F-12",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    found = one_finding(arguments.finding, context)
    mute = found.story.mute
    if mute is None:
        raise Refused(f"Finding {found.story.id} is not muted.", remedy="“audit findings” tells which are.")
    title = f"unmute {found.story.id}: {found.story.drift.text}"
    return Plan(
        command="audit unmute",
        arguments=(("finding", found.story.id),),
        pool=ObjectId("pool", "", found.pool),
        risk=Risk.ROUTINE,
        title=title,
        steps=(
            actions.change(
                actions.UNMUTE,
                f"Unmute {found.story.id}",
                actions.muted_until(found.pool, found.story, ""),
                *(found.pool, found.story.drift.key),
            ),
        ),
        facts=(("it is muted until", mute.until.isoformat()),),
        reasons=(f"It was muted because: {mute.reason}",),
        go_back=f"“audit mute {found.story.id} until DATE because REASON” mutes it again.",
    )
