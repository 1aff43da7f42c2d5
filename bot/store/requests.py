"""The tables `requests` and `votes`. Every function runs inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.approval import END_STATES
from bot.errors import Unavailable
from bot.model import Actor, Ballot, Place, Plan, Progress, Request, Requirement, Result, State, Vote
from bot.ports import NewRequest
from bot.store import elsewhere, facts
from bot.store.encoding import (
    moment,
    moment_optional,
    pack,
    pack_optional,
    stamp,
    stamp_optional,
    storable,
    unpack,
    unpack_optional,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a transition sets besides the state; None leaves as it is."""

    result: Result | None = None
    successor: str | None = None
    expires_at: datetime | None = None


def next_id(db: Database) -> tuple[str, int]:
    """The next request's id, `X-1`, `X-2`, …, and its number. Requests are never deleted, so none is given twice;
    after a restore numbers are left out, since the lost ones may stand in Slack.
    """
    number = db.execute("SELECT coalesce(max(number), 0) + 1 FROM requests").fetchone()[0]
    number = max(number, int(facts.get(db, facts.NUMBERS_AFTER) or 0) + 1)
    return f"X-{number}", number


def open_alike(db: Database, fingerprint: str) -> str | None:
    """The id of the open request that asks the same."""
    row = db.execute(
        "SELECT id FROM requests WHERE fingerprint = ? AND ended_at IS NULL", [storable(fingerprint)]
    ).fetchone()
    return row[0] if row else None


def shown(new: NewRequest) -> str:
    """A hash of what people are shown of the request to decide by, wording included, as it is stored."""
    return _hash(storable(new.text), pack(Plan, new.plan), pack(Requirement, new.requirement))


def shown_now(db: Database, request_id: str) -> str:
    """The same of what stands in the table now. A migration that rewrites one of these columns changes it."""
    row = db.execute("SELECT text, plan, requirement FROM requests WHERE id = ?", [request_id]).fetchone()
    return _hash(*row) if row else ""


def _hash(*texts: str) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def insert(db: Database, request_id: str, number: int, new: NewRequest, pool: str, ledger_seq: int) -> None:
    db.table("requests").insert(
        {
            "id": request_id,
            "number": number,
            "fingerprint": storable(new.fingerprint),
            "state": str(new.state),
            "pool": storable(pool),
            "text": storable(new.text),
            "actor": pack(Actor, new.actor),
            "place": pack(Place, new.place),
            "plan": pack(Plan, new.plan),
            "digest": new.digest,
            "requirement": pack(Requirement, new.requirement),
            "opened_at": stamp(new.opened_at),
            "expires_at": stamp(new.expires_at),
            "started_at": None,
            "ended_at": stamp(new.opened_at) if new.state in END_STATES else None,
            "progress": None,
            "result": None,
            "successor": "",
            "predecessor": new.predecessor,
            "ledger_seq": ledger_seq,
        }
    )
    elsewhere.note(db, request_id, (each.pool.name for each in new.plan.elsewhere))


def to_replace(db: Database, text: str, fingerprint: str, pool: str) -> str:
    """The newest request of the pool that went stale, asked in these words or for this thing, and has no successor yet;
    "" when there is none.
    """
    row = db.execute(
        "SELECT id FROM requests WHERE state = ? AND successor = '' AND pool = ? AND (text = ? OR fingerprint = ?)"
        " ORDER BY number DESC LIMIT 1",
        [str(State.STALE), storable(pool), storable(text), storable(fingerprint)],
    ).fetchone()
    return row[0] if row else ""


def link(db: Database, predecessor: str, successor: str) -> None:
    """The first successor stays."""
    db.execute("UPDATE requests SET successor = ? WHERE id = ? AND successor = ''", [successor, predecessor])


def state_of(db: Database, request_id: str) -> State | None:
    """None when there is no such request."""
    row = db.execute("SELECT state FROM requests WHERE id = ?", [request_id]).fetchone()
    return State(row[0]) if row else None


def pool_of(db: Database, request_id: str) -> str:
    """The configuration's name of the request's pool; "" when there is no such request."""
    row = db.execute("SELECT pool FROM requests WHERE id = ?", [request_id]).fetchone()
    return str(row[0]) if row else ""


def advance(
    db: Database, request_id: str, frm: State, to: State, at: datetime, change: Change, ledger_seq: int
) -> None:
    """Set the state of a request that is in `frm`. Does not read the plan: a request that cannot be read any more can
    still be brought to an end.
    """
    cursor = db.execute(
        "UPDATE requests SET state = :to, ledger_seq = :ledger_seq,"
        " result = coalesce(:result, result), successor = coalesce(:successor, successor),"
        " expires_at = coalesce(:expires_at, expires_at),"
        " started_at = coalesce(started_at, :started_at), ended_at = :ended_at"
        " WHERE id = :id AND state = :frm",
        {
            "id": request_id,
            "frm": str(frm),
            "to": str(to),
            "ledger_seq": ledger_seq,
            "result": pack_optional(Result, change.result),
            "successor": change.successor,
            "expires_at": stamp_optional(change.expires_at),
            "started_at": stamp(at) if to is State.RUNNING else None,
            "ended_at": stamp(at) if to in END_STATES else None,
        },
    )
    if cursor.rowcount != 1:
        raise RuntimeError(f"{request_id} is not {frm}; the caller must look first, in the same transaction")


def set_progress(db: Database, request_id: str, progress: Progress) -> bool:
    """False when nothing changed, or the request is at an end and its card must stay as it is."""
    cursor = db.execute(
        "UPDATE requests SET progress = :progress WHERE id = :id AND ended_at IS NULL AND progress IS NOT :progress",
        {"id": request_id, "progress": pack(Progress, progress)},
    )
    return cursor.rowcount == 1


def cast(db: Database, request_id: str, vote: Vote, ledger_seq: int) -> None:
    """One vote per person: a later one replaces."""
    db.table("votes").upsert(
        {
            "request_id": request_id,
            "actor_key": storable(vote.actor.key),
            "actor": pack(Actor, vote.actor),
            "ballot": str(vote.ballot),
            "digest": vote.digest,
            "reason": storable(vote.reason),
            "at": stamp(vote.at),
            "ledger_seq": ledger_seq,
        },
        pk=("request_id", "actor_key"),
    )


def take_away(db: Database, request_id: str, vote: Vote) -> None:
    """This very vote; one that replaced it stays."""
    db.execute(
        "DELETE FROM votes WHERE request_id = ? AND actor_key = ? AND at = ?",
        [request_id, storable(vote.actor.key), stamp(vote.at)],
    )


def votes_of(db: Database, request_id: str) -> tuple[Vote, ...]:
    """In the order in which they were cast (a changed one: last cast)."""
    rows = db.table("votes").rows_where("request_id = ?", [request_id], order_by="ledger_seq")
    return tuple(
        Vote(
            actor=unpack(Actor, row["actor"]),
            ballot=Ballot(row["ballot"]),
            digest=row["digest"],
            reason=row["reason"],
            at=moment(row["at"]),
        )
        for row in rows
    )


def get(db: Database, request_id: str) -> Request | None:
    """:raises Unavailable: it is there, but this version cannot read it."""
    row = next(db.table("requests").rows_where("id = ?", [request_id]), None)
    return _read(db, row) if row else None


def find(db: Database, where: str, values: Iterable[str]) -> tuple[tuple[Request, ...], tuple[str, ...]]:
    """Requests, oldest first, and the ids of those that cannot be read any more (logged as errors)."""
    readable, unreadable = [], []
    for row in list(db.table("requests").rows_where(where, list(values), order_by="number")):
        try:
            readable.append(_read(db, row))
        except Unavailable as error:
            log.error("%s %s", error.message, "; ".join(error.evidence))
            unreadable.append(row["id"])
    return tuple(readable), tuple(unreadable)


def _read(db: Database, row: Mapping[str, Any]) -> Request:
    try:
        return Request(
            id=row["id"],
            text=row["text"],
            actor=unpack(Actor, row["actor"]),
            place=unpack(Place, row["place"]),
            plan=unpack(Plan, row["plan"]),
            digest=row["digest"],
            requirement=unpack(Requirement, row["requirement"]),
            state=State(row["state"]),
            opened_at=moment(row["opened_at"]),
            expires_at=moment(row["expires_at"]),
            started_at=moment_optional(row["started_at"]),
            ended_at=moment_optional(row["ended_at"]),
            progress=unpack_optional(Progress, row["progress"]),
            result=unpack_optional(Result, row["result"]),
            successor=row["successor"],
            predecessor=row["predecessor"],
            votes=votes_of(db, row["id"]),
        )
    except ValueError as error:
        raise Unavailable(
            f"Request {row['id']} was stored in a form that this version cannot read.",
            remedy="Run the version that stored it, or ask for the same again.",
            evidence=(str(error).replace("\n", " ")[:300],),
        ) from error
