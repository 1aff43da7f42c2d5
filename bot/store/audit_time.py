"""What audits of clocks measured: the tables `audit_offsets` and `audit_time_answers`. Every function runs inside the
caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlite_utils import Database

from bot.findings import Offset, TimeAnswer
from bot.model import ObjectId
from bot.store.encoding import moment, stamp

_OPTIONAL = ("true_low", "true_high", "ppm_low", "ppm_high")
_OFFSET = (
    "SELECT host_uuid, host_name, at, low, high, readings, round_trip, true_low, true_high, ppm_low, ppm_high"
    " FROM audit_offsets"
)


def extend(db: Database) -> None:
    """The tables, as migration 0005 changes them. Like it, this is never edited."""
    for column in ("true_low", "true_high", "ppm_low", "ppm_high"):
        db.table("audit_offsets").add_column(column, float)
    db.table("audit_time_answers").create(
        {
            "run": int,
            "number": int,
            "server": str,
            "at": str,
            "low": float,
            "high": float,
            "stratum": int,
            "failure": str,
        },
        pk=("run", "number"),
        not_null=("server", "at", "low", "high", "stratum", "failure"),
        strict=db.supports_strict,
    )


def insert(db: Database, run: int, pool: str, offsets: Iterable[Offset], answers: Iterable[TimeAnswer]) -> None:
    for offset in offsets:
        db.table("audit_offsets").insert(
            {
                "run": run,
                "pool": pool,
                "host_uuid": offset.host.uuid,
                "host_name": offset.host.name,
                "at": stamp(offset.at),
                "low": offset.low,
                "high": offset.high,
                "readings": offset.readings,
                "round_trip": offset.round_trip,
                **{name: getattr(offset, name) for name in _OPTIONAL},
            }
        )
    for number, answer in enumerate(answers):
        db.table("audit_time_answers").insert(
            {
                "run": run,
                "number": number,
                "server": answer.server,
                "at": stamp(answer.at),
                "low": answer.low,
                "high": answer.high,
                "stratum": answer.stratum,
                "failure": answer.failure,
            }
        )


def offsets(db: Database, where: str, values: Sequence[Any]) -> tuple[Offset, ...]:
    rows = db.execute(f"{_OFFSET} WHERE {where}", list(values)).fetchall()
    return tuple(
        Offset(
            host=ObjectId("host", row[0], row[1]),
            at=moment(row[2]),
            low=row[3],
            high=row[4],
            readings=row[5],
            round_trip=row[6],
            **dict(zip(_OPTIONAL, row[7:], strict=True)),
        )
        for row in rows
    )


def answers(db: Database, run: int) -> tuple[TimeAnswer, ...]:
    """In the order of the configuration then."""
    rows = db.execute(
        "SELECT server, at, low, high, stratum, failure FROM audit_time_answers WHERE run = ? ORDER BY number", [run]
    ).fetchall()
    return tuple(
        TimeAnswer(server=row[0], at=moment(row[1]), low=row[2], high=row[3], stratum=row[4], failure=row[5])
        for row in rows
    )
