"""`log`: what was asked, decided and done, from the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Cell, Report, Risk, Table
from bot.ports import Context, LedgerRow
from bot.registry import Scope, command
from bot.text import plural

DEFAULT_ROWS = 20


@dataclass(frozen=True)
class Arguments:
    number: int | None = None


@command(
    "log [last NUMBER]",
    scope=Scope.BOT,
    risk=Risk.READ,
    summary="What was asked, decided and done lately, newest first (times in UTC).",
    details=("The whole record is in the ledger: “xenia ledger export” on the bot's host.",),
    examples=("log", "log last 50"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    pools = tuple(pool.name for pool in context.pools)
    rows = context.history.ledger(pools=pools, last=arguments.number or DEFAULT_ROWS)
    if not rows:
        return Report(title="The ledger is empty")
    columns = ("No.", "When", "Who", "What", "Request", "Pool")
    table = Table(columns=columns, rows=tuple(map(_row, rows)))
    return Report(title=f"The last {plural(len(rows), 'entry', 'entries')} of the ledger", parts=(table,))


def _row(row: LedgerRow) -> tuple[Cell, ...]:
    about = row.body.get("title") or row.body.get("text") or row.body.get("call") or row.body.get("summary") or ""
    told = f"{row.kind}: {about}" if about else row.kind
    return (
        Cell(str(row.seq)),
        Cell(row.at.strftime("%m-%d %H:%M:%S")),
        Cell(row.actor.name),
        Cell(told),
        Cell(row.request_id or "–"),
        Cell(row.pool or "–"),
    )
