"""`log`: what was asked, decided and done, from the ledger."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import Refused
from bot.model import Cell, Line, Lines, Part, Report, Risk, Table
from bot.ports import Context, LedgerRow
from bot.registry import Scope, command
from bot.text import plural, quoted

DEFAULT_ROWS = 20
SEARCHED = 5000
"""Rows that a search looks through, newest first; the whole record is in the export."""

_AGO = re.compile(r"(\d{1,4})\s*(min|m|h|d)[a-z]*")
_UNITS = {"min": "minutes", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Arguments:
    number: int | None = None
    who: str | None = None
    text: str | None = None
    when: str | None = None


@command(
    "log [last NUMBER] [by WHO] [about TEXT] [since WHEN]",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="What was asked, decided and done lately, newest first (times in UTC).",
    details=(
        "WHO is a name or an id; TEXT is looked for in everything that a row holds (a request, an object, a call).",
        "WHEN is today, yesterday, a date, a date and time, or how long ago: 30 min, 2 h, 3 d.",
        "With “in POOL” only what is about that pool; where every pool may be seen, also what is about the bot itself.",
        "The whole record is in the ledger: “xenia ledger export” on the bot's host.",
    ),
    examples=(
        "log",
        "log last 50",
        "log by olga since yesterday",
        "log about X-7",
        "log in lab",
        "log about web-1 since 2 d",
    ),
)
def plan(arguments: Arguments, context: Context) -> Report:
    pools = (*(pool.name for pool in context.pools), *(("",) if context.sees_all else ()))
    since = None if arguments.when is None else moment(arguments.when, context.clock.now())
    searching = bool(arguments.who or arguments.text or since)
    wanted = arguments.number or DEFAULT_ROWS
    looked_at = context.history.ledger(pools=pools, last=SEARCHED if searching else wanted)
    rows = [row for row in looked_at if _fits(row, arguments.who, arguments.text, since)]
    cut = searching and len(looked_at) == SEARCHED and (since is None or looked_at[-1].at >= since)
    hint = f"Only the newest {SEARCHED} rows were searched; “xenia ledger export” has all." if cut else ""
    if not rows:
        title = "Nothing in the ledger fits" if searching else "Nothing is in the ledger here"
        return Report(title=title, summary=hint)
    columns = ("No.", "When (UTC)", "Who", "What", "Request", "Pool")
    table = Table(columns=columns, rows=tuple(map(_row, rows[:wanted])), more=max(len(rows) - wanted, 0))
    parts: tuple[Part, ...] = (table, Lines(lines=(Line(text=hint),))) if hint else (table,)
    kind = "entry", "entries"
    if searching:
        return Report(title=f"{plural(len(rows), *kind)} of the ledger found", parts=parts)
    return Report(title=f"The last {plural(len(rows), *kind)} of the ledger", parts=parts)


def moment(text: str, now: datetime) -> datetime:
    """What `since WHEN` means, in UTC. :raises Refused: it is none of the forms that the help shows."""
    typed = text.strip().casefold().removesuffix(" ago").removesuffix(" utc")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if typed in ("today", "yesterday"):
        return today - timedelta(days=typed == "yesterday")
    if ago := _AGO.fullmatch(typed):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        raise Refused(
            f"{quoted(text)} is no time that I know.",
            remedy="For example: since yesterday, since 2 h, since 2026-03-01, since 2026-03-01 14:00 (UTC).",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _fits(row: LedgerRow, who: str | None, text: str | None, since: datetime | None) -> bool:
    if since is not None and row.at < since:
        return False
    if who is not None and who.strip("<@>").casefold() not in (
        row.actor.name.casefold(),
        row.actor.id.casefold(),
        row.actor.id.rpartition("/")[2].casefold(),
    ):
        return False
    if text is None:
        return True
    wanted = text.casefold()
    if row.request_id.casefold() == wanted:
        return True
    return wanted in f"{row.kind} {json.dumps(row.body, ensure_ascii=False)}".casefold()


def _row(row: LedgerRow) -> tuple[Cell, ...]:
    about = next((row.body[key] for key in ("title", "text", "call", "summary", "reason") if row.body.get(key)), "")
    told = f"{row.kind}: {about}" if about else row.kind
    return (
        Cell(str(row.seq)),
        Cell(row.at.strftime("%m-%d %H:%M:%S")),
        Cell(row.actor.name),
        Cell(told),
        Cell(row.request_id or "–"),
        Cell(row.pool or "–"),
    )
