"""`request withdraw REQUEST`: take a request back, as long as nothing of it was sent."""

from __future__ import annotations

from dataclasses import dataclass

from bot import actions
from bot.model import Plan, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    request: str


@command(
    "request withdraw REQUEST",
    scope=Scope.BOT,
    risk=Risk.ROUTINE,
    summary="Take a request back, as long as nothing of it was sent.",
    details=("The person who asked, or an approver, can do that.",),
    examples=("request withdraw X-7",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    request = actions.request_of(context, arguments.request)
    return actions.plan("request withdraw", actions.WITHDRAW, request, f"take back request {request.id}")
