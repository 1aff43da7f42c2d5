"""`audit show`: everything that one audit found."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audits import report
from bot.audits.asked import one_run
from bot.model import Report, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    run: str | None = None


@command(
    "audit show [RUN]",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="Everything that an audit found, with evidence and what to do; without a number, the newest one.",
    examples=("audit show", "audit show 12", "audit show in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    return report.of_run(one_run(arguments.run, context), all_of_it=True)
