"""The table `audit_mutes`: which findings nobody wants to hear of, until when and why; and how often each has come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from bot.findings import Mute
from bot.model import Actor
from bot.store.encoding import moment, pack, stamp, storable, unpack

HOLDS = "m.at <= :at AND m.until > :at AND (m.ended_at IS NULL OR m.ended_at > :at)"
"""That the mute `m` holds at a time."""


def create(db: Database) -> None:
    """The tables, as migration 0004 makes them. Like it, this is never edited."""
    strict = db.supports_strict
    db.table("audit_mutes").create(
        {
            "number": int,
            "pool": str,
            "key": str,
            "until": str,
            "reason": str,
            "actor": str,
            "at": str,
            "ended_at": str,
        },
        pk="number",
        not_null=("pool", "key", "until", "reason", "actor", "at"),
        strict=strict,
    ).create_index(["pool", "key", "number"])
    # How often a finding has been opened, and when first: kept when its stories are forgotten.
    db.table("audit_tallies").create(
        {"pool": str, "kind": str, "key": str, "times": int, "first_at": str},
        pk=("pool", "kind", "key"),
        not_null=("times", "first_at"),
        strict=strict,
    )
    db.execute(
        "INSERT INTO audit_tallies (pool, kind, key, times, first_at)"
        " SELECT pool, kind, key, max(times), min(opened_at) FROM audit_findings GROUP BY pool, kind, key"
    )


def put(db: Database, pool: str, key: str, until: datetime, reason: str, actor: Actor, at: datetime) -> None:
    """Mute a finding; instead of a mute that it has already."""
    end(db, pool, key, at)
    db.table("audit_mutes").insert(
        {
            "pool": pool,
            "key": key,
            "until": stamp(until),
            "reason": storable(reason),
            "actor": pack(Actor, actor),
            "at": stamp(at),
        }
    )


def end(db: Database, pool: str, key: str, at: datetime) -> None:
    db.execute(
        "UPDATE audit_mutes AS m SET ended_at = :at WHERE m.pool = :pool AND m.key = :key AND m.ended_at IS NULL"
        " AND m.until > :at",
        {"pool": pool, "key": key, "at": stamp(at)},
    )


def of(db: Database, pools: Iterable[str], at: datetime) -> dict[tuple[str, str], Mute]:
    """By pool and key: the mutes that hold at that time."""
    names = list(pools)
    marks = ", ".join(f":pool{number}" for number in range(len(names)))
    rows = db.query(
        f"SELECT * FROM audit_mutes m WHERE m.pool IN ({marks}) AND {HOLDS} ORDER BY m.number",  # noqa: S608 - only our own texts
        {"at": stamp(at), **{f"pool{number}": name for number, name in enumerate(names)}},
    )
    return {
        (row["pool"], row["key"]): Mute(
            until=moment(row["until"]), reason=row["reason"], actor=unpack(Actor, row["actor"]), at=moment(row["at"])
        )
        for row in rows
    }


def opened(db: Database, pool: str, kind: str, key: str, at: str) -> int:
    """A finding is opened (again): how often by now."""
    db.execute(
        "INSERT INTO audit_tallies (pool, kind, key, times, first_at) VALUES (?, ?, ?, 1, ?)"
        " ON CONFLICT (pool, kind, key) DO UPDATE SET times = times + 1",
        [pool, kind, key, at],
    )
    return int(
        db.execute(
            "SELECT times FROM audit_tallies WHERE pool = ? AND kind = ? AND key = ?", [pool, kind, key]
        ).fetchone()[0]
    )
