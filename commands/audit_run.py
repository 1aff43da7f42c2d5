"""`audit run`: look for drift now, and say what is new, still open and resolved since last time."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audits import report
from bot.errors import Refused
from bot.findings import Kind
from bot.model import Report, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    compatibility: bool = False
    clock: bool = False
    candidates: bool = False
    all: bool = False


@command(
    "audit run [compatibility] [clock] [candidates] [all]",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="Look for drift in a pool now: what is new, still open and resolved since last time.",
    details=(
        "“compatibility”: hosts, updates, CPUs, networks, storage, HA, certificates, licences, alerts.",
        "“clock”: does NTP do its work? Every clock against the coordinator's, the bot's and true time.",
        "“candidates”: could the hosts that the configuration names beside its pools join this one today?",
        "Without any of these words: compatibility. With “all”, every pool that may be seen here.",
        "Only looks; what is found is remembered, so that the next audit can tell what has changed.",
    ),
    examples=("audit run", "audit run clock in lab", "audit run compatibility all"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    asked = {
        Kind.COMPATIBILITY: arguments.compatibility,
        Kind.CLOCK: arguments.clock,
        Kind.CANDIDATES: arguments.candidates,
    }
    kinds = [kind for kind, wanted in asked.items() if wanted] or [Kind.COMPATIBILITY]
    pools = [pool.name for pool in context.pools] if arguments.all else [_chosen(context)]
    runs = context.audits.run(kinds, pools, context.actor)
    return report.of_run(runs[0]) if len(runs) == 1 else report.of_runs(runs)


def _chosen(context: Context) -> str:
    """The pool that is meant; with several and no default, somebody has to say."""
    if len(context.pools) == 1:
        return context.pools[0].name
    try:
        return context.pool.name
    except RuntimeError:
        raise Refused(
            "Which pool is to be audited?", remedy="End the command with “in POOL”, or say “audit run all”."
        ) from None
