"""`request settle REQUEST done|failed because REASON`: say what became of a request whose outcome is unknown."""

from __future__ import annotations

from dataclasses import dataclass

from bot import actions
from bot.errors import Refused
from bot.model import Plan, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    request: str
    reason: str
    done: bool = False
    failed: bool = False


@command(
    "request settle REQUEST [done] [failed] because REASON",
    scope=Scope.BOT,
    risk=Risk.ROUTINE,
    summary="Say what became of a request whose outcome is unknown, with the evidence.",
    details=(
        "Look at the pool first. Until it is settled, nothing else can touch the same objects.",
        "An approver does it, other than the person who asked. It is kept in the record.",
    ),
    examples=(
        "request settle X-7 done because web-1 runs on xs2 and no task is left",
        "request settle X-7 failed because xs1 was rebooted and web-1 is still there",
    ),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    request = actions.request_of(context, arguments.request)
    if arguments.done is arguments.failed:
        raise Refused(
            "Say either done or failed.",
            remedy=f"For example: request settle {request.id} done because web-1 is on xs2",
        )
    outcome = "done" if arguments.done else "failed"
    title = f"settle request {request.id} as {outcome}"
    return actions.plan("request settle", actions.SETTLE, request, title, outcome, arguments.reason.strip())
