"""The table `refusals`: who was refused how often within the hour. Functions run inside the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.model import Actor, Entry
from bot.store.encoding import moment, pack, stamp, storable, unpack


def create(db: Database) -> None:
    """The table, as migration 0011 makes it. Like it, this is never edited."""
    db.table("refusals").create(
        {"kind": str, "actor_key": str, "actor": str, "since": str, "rows": int, "more": int},
        pk=("kind", "actor_key"),
        not_null=("actor", "since", "rows", "more"),
        strict=db.supports_strict,
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """What one person was refused of one kind, from `since` on: `rows` with a row each, and `more`."""

    kind: str
    actor: Actor
    since: datetime
    rows: int
    more: int


def has_room(db: Database, entry: Entry, at: datetime, most: int) -> bool:
    """Whether this refusal is one of the first `most`, which have a row each; otherwise it is counted here."""
    key = _key(db, entry, at)
    first = db.execute(
        "UPDATE refusals SET rows = rows + 1 WHERE kind = :kind AND actor_key = :actor_key AND rows < :most",
        {**key, "most": most},
    )
    if first.rowcount:
        return True
    add(db, entry, at, 1)
    return False


def add(db: Database, entry: Entry, at: datetime, times: int) -> None:
    """So many more that have no row."""
    key = _key(db, entry, at)
    db.execute(
        "UPDATE refusals SET more = more + :times WHERE kind = :kind AND actor_key = :actor_key",
        {**key, "times": times},
    )


def are_over(db: Database, at: datetime, within: timedelta) -> bool:
    """Is there anything for :func:`take_over`?"""
    return any(db.table("refusals").rows_where(_OVER, _when(at, within), limit=1))


def take_over(db: Database, at: datetime, within: timedelta) -> tuple[Counted, ...]:
    """What was counted in times that are over; it is forgotten here."""
    rows = list(db.table("refusals").rows_where(_OVER, _when(at, within)))
    db.table("refusals").delete_where(_OVER, _when(at, within))
    return tuple(
        Counted(row["kind"], unpack(Actor, row["actor"]), moment(row["since"]), row["rows"], row["more"])
        for row in rows
    )


_OVER = "(since <= :begun OR since > :now)"
"""Over is also what begins later than now: the clock was set back."""


def _key(db: Database, entry: Entry, at: datetime) -> dict[str, str]:
    """Of the row for this kind and person, which is made where there is none yet."""
    key = {"kind": storable(entry.kind), "actor_key": storable(entry.actor.key)}
    db.execute(
        "INSERT INTO refusals (kind, actor_key, actor, since, rows, more)"
        " VALUES (:kind, :actor_key, :actor, :since, 0, 0) ON CONFLICT DO NOTHING",
        {**key, "actor": pack(Actor, entry.actor), "since": stamp(at)},
    )
    return key


def _when(at: datetime, within: timedelta) -> dict[str, str]:
    return {"begun": stamp(at - within), "now": stamp(at)}
