"""`request cancel REQUEST`: ask the pool to stop what a request is doing."""

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
    "request cancel REQUEST",
    scope=Scope.BOT,
    risk=Risk.ROUTINE,
    summary="Ask the pool to stop what a request is doing.",
    details=("The pool may refuse. What was done before is undone where the plan says how.",),
    examples=("request cancel X-7",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    request = actions.request_of(context, arguments.request)
    return actions.plan("request cancel", actions.CANCEL, request, f"cancel request {request.id}")
