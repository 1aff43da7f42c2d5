"""Is this database the one that was written last, or a copy of it? And what follows when it is a copy.

What happened after a copy was made is not in it: a request that waits there may have run since, an approval may have
been used. So nothing of it is carried on: every unfinished request becomes UNKNOWN, and a ledger row names the gap.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot import approval
from bot.model import BOT, Entry, Level, Report, Result, State
from bot.store import facts, ledger, outbox, requests
from bot.store.chain import GENESIS, Head
from bot.store.encoding import stamp
from bot.store.mark import Mark, Marked

log = logging.getLogger(__name__)

RESTORED = "database restored"
"""The kind of row that says that this is a copy, and what is lost."""
_NUMBERS_SKIPPED = 1000
_REMEDY = "Look at the pool, then settle it. What is still wanted must be asked for and approved anew."


@dataclass(frozen=True, slots=True)
class Restored:
    """A copy was found: why it is one, and which requests were closed as UNKNOWN."""

    why: str
    closed: tuple[str, ...]


def begin(db: Database, log_book: ledger.Ledger, mark: Mark, at: datetime, *, restored: str = "") -> Restored | None:
    """Once when the database is opened, before anything else is done with it; inside the caller's transaction.

    :param restored: why it is known to be a copy.
    """
    instance, marked = facts.get(db, facts.INSTANCE), mark.read()
    why = restored or _why_a_copy(db, instance, marked, mark)
    if why:
        return settle(db, log_book, mark, at, why=why, lost=marked.head if marked else None)
    if instance is None:
        _new_life(db, mark, at)
    return None


def noted(db: Database, log_book: ledger.Ledger, mark: Mark, at: datetime, heads: Iterable[Head]) -> Restored | None:
    """As :func:`begin`, by heads that were noted elsewhere during this life of the database."""
    strange = [head for head in heads if not ledger.holds(db, head)]
    if not strange:
        return None
    lost = max(strange)
    return settle(db, log_book, mark, at, why=f"Slack has seen row {lost.seq}, which is not in it", lost=lost)


def settle(db: Database, log_book: ledger.Ledger, mark: Mark, at: datetime, *, why: str, lost: Head | None) -> Restored:
    """Begin a new life of the database, in which nothing of the old one is carried on."""
    last = ledger.head(db)
    open_ones = db.execute(
        "SELECT id, state, number FROM requests WHERE ended_at IS NULL AND state <> ? ORDER BY number",
        [str(State.UNKNOWN)],
    ).fetchall()
    gap = f"rows {last.seq + 1} to {lost.seq}" if lost and lost.seq > last.seq else "not known"
    closed = tuple(str(request_id) for request_id, *_ in open_ones)
    body = {"why": why, "last_row": last.seq, "lost": gap, "closed": closed}
    log_book.append(db, Entry(kind=RESTORED, actor=BOT, body=body), at)
    for request_id, state, _ in open_ones:
        _close(db, log_book, at, request_id, State(state), why)
    highest = db.execute("SELECT coalesce(max(number), 0) FROM requests").fetchone()[0]
    if last != GENESIS:
        skipped = (highest // _NUMBERS_SKIPPED + 1) * _NUMBERS_SKIPPED
        facts.put(db, facts.NUMBERS_AFTER, str(skipped))
    # What the copy had not posted yet may stand in Slack all the same: it is looked for first.
    db.execute("UPDATE deliveries SET in_doubt = 1 WHERE ts = '' AND given_up = 0")
    _new_life(db, mark, at)
    log.error("This database is a copy: %s. Closed as unknown: %d requests.", why, len(open_ones))
    return Restored(why, closed)


def _why_a_copy(db: Database, instance: str | None, marked: Marked | None, mark: Mark) -> str:
    """Why this cannot be the database that was written last; "" when it can."""
    if marked is None:
        if mark.existed:
            return "the mark beside it says nothing"
        return "there is no mark beside it: it was copied or moved here without it" if instance else ""
    if marked.instance != instance:
        return "the mark beside it is another database's"
    if not ledger.holds(db, marked.head):
        return f"the mark beside it has seen row {marked.head.seq}, which is not in it"
    return ""


def _close(db: Database, log_book: ledger.Ledger, at: datetime, request_id: str, state: State, why: str) -> None:
    approval.check(state, State.UNKNOWN)
    summary = f"The bot's memory was restored from a copy ({why}). What became of this since is not known."
    entry = Entry(kind="unknown", actor=BOT, pool=requests.pool_of(db, request_id), request_id=request_id,
                  body={"summary": summary, "was": str(state)})  # fmt: skip
    seq = log_book.append(db, entry, at)
    change = requests.Change(result=Result(summary=summary, remedy=_REMEDY))
    requests.advance(db, request_id, state, State.UNKNOWN, at, change, seq)
    outbox.changed(db, request_id, at)
    title = f"{request_id}: not carried on"
    outbox.note(db, request_id, Report(title=title, level=Level.BAD, summary=f"{summary} {_REMEDY}"), at)


def _new_life(db: Database, mark: Mark, at: datetime) -> None:
    """The mark is written before the transaction ends: if that fails, the two differ, and the next start comes here
    again.
    """
    instance = uuid.uuid4().hex
    facts.put(db, facts.INSTANCE, instance)
    facts.put(db, facts.INSTANCE_AT, stamp(at))
    mark.begin(instance, ledger.head(db))
