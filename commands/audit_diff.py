"""`audit diff`: what has changed since an earlier audit."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audits import report
from bot.audits.asked import before_newest, one_run
from bot.model import Report, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    run: str | None = None


@command(
    "audit diff [since RUN]",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="What is open now and was not at an earlier audit, and what is resolved (default: the last but one).",
    details=("Tells what the audits on record found; “audit run” looks anew.",),
    examples=("audit diff", "audit diff since 12", "audit diff in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    since = one_run(arguments.run, context) if arguments.run else before_newest(context)
    opened, resolved = context.audits.book.audit_changes(since.run)
    return report.changes(since.run.pool, since, opened, resolved)
