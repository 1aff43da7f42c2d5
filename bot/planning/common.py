"""The pool's id, a rule's checks as findings, and the toolstack's own opinion."""

from __future__ import annotations

from collections.abc import Iterable

from bot.errors import ToolstackRefusal
from bot.inventory import Inventory
from bot.model import Argument, Finding, ObjectId, Verdict
from bot.ports import Context, PoolView
from bot.rules.check import Check
from bot.text import quoted


def pool_id(context: Context, inventory: Inventory) -> ObjectId:
    """The pool of a plan, under the configuration's name."""
    return ObjectId("pool", inventory.pool.uuid, context.pool.name)


def line(command: str, context: Context) -> str:
    """A whole command line about this pool."""
    return f"{command} in {quoted(context.pool.name)}"


def copied_first(context: Context) -> str:
    """For a change of who is in the pool: how old the newest copy of its database is, and how to make another. Never a
    part of what is approved: a copy that is made meanwhile spoils no approval.
    """
    newest = next(iter(context.history.backups((context.pool.name,))), None)
    told = "There is no copy of the pool's database"
    if newest is not None:
        told = f"The last copy of the pool's database is of {newest.at:%Y-%m-%d %H:%M} UTC"
    return f"{told}; “{line('pool backup', context)}” makes one first."


def findings(checks: Iterable[Check], subject: ObjectId) -> tuple[Finding, ...]:
    return tuple(check.finding(subject) for check in checks)


def second_opinion(
    found: tuple[Finding, ...], pool: PoolView, subject: ObjectId, title: str, call: str, *arguments: Argument
) -> tuple[Finding, ...]:
    """The toolstack's dry run, which sees more than a forecast from the database can: one finding, or none when it only
    repeats a reason that was found already.
    """
    try:
        pool.ask(call, *arguments)
    except ToolstackRefusal as refusal:
        if any(finding.code == refusal.code for finding in found):
            return ()
        verdict, told, remedy, code = Verdict.BLOCK, refusal.message, refusal.remedy, refusal.code
    else:
        verdict, told, remedy, code = Verdict.PASS, "", "", ""
    return (
        Finding(
            id=f"toolstack.{call}",
            verdict=verdict,
            subject=subject,
            title=title,
            evidence=told,
            remedy=remedy,
            code=code,
        ),
    )
