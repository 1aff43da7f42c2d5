"""`audit history`: the audits so far."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audits import report
from bot.audits.asked import meant
from bot.model import Report, Risk
from bot.ports import Context
from bot.registry import Scope, command

DEFAULT_ROWS = 15


@dataclass(frozen=True)
class Arguments:
    number: int | None = None


@command(
    "audit history [last NUMBER]",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="The audits so far, newest first: how many findings each had, how many new and resolved (times in UTC).",
    examples=("audit history", "audit history last 50", "audit history in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    return report.history(
        context.audits.book.audit_runs(meant(context), kind=None, last=arguments.number or DEFAULT_ROWS)
    )
