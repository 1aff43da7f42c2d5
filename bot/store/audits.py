"""The tables `audit_runs`, `audit_findings` and `audit_offsets`: audits, and what they found, followed over time.

A row of `audit_findings` is one story: opened by a run, seen by the runs after it, resolved by the first one that
looked and did not find it. What comes back later is a new row. So a finding was open at run R exactly when it was
opened by then and seen at R or later, and no list of every sighting is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.findings import Audited, Drift, Followed, Kind, Mute, NewRun, Offset, Run, Traced
from bot.model import Actor
from bot.ports import Clock
from bot.store import audit_time, mutes
from bot.store.connection import Connections
from bot.store.encoding import moment, moment_optional, pack, stamp, unpack

_RUN = "SELECT number, kind, pool, actor, started_at, ended_at, failure, first FROM audit_runs"
_STORY = (
    "SELECT drift, opened_at, opened_run, seen_at, seen_run, resolved_at, resolved_run, times, id, pool, key, kind"
    " FROM audit_findings"
)
_OLD = (
    "SELECT number FROM audit_runs WHERE ended_at < ?"
    " AND number NOT IN (SELECT max(number) FROM audit_runs GROUP BY pool, kind)"
)
"""Runs to forget: those that ended before a time, without each pool's newest of each kind."""


def create(db: Database) -> None:
    """The tables, as migration 0003 makes them. Like it, this is never edited."""
    strict = db.supports_strict
    db.table("audit_runs").create(
        {
            "number": int,
            "kind": str,
            "pool": str,
            "actor": str,
            "started_at": str,
            "ended_at": str,
            "failure": str,
            "first": int,
        },
        pk="number",
        not_null=("kind", "pool", "actor", "started_at", "ended_at", "failure", "first"),
        strict=strict,
    ).create_index(["pool", "kind", "number"])
    db.table("audit_findings").create(
        {
            "id": int,
            "pool": str,
            "kind": str,
            "key": str,
            "drift": str,
            "times": int,
            "opened_at": str,
            "opened_run": int,
            "seen_at": str,
            "seen_run": int,
            "resolved_at": str,
            "resolved_run": int,
        },
        pk="id",
        not_null=("pool", "kind", "key", "drift", "times", "opened_at", "opened_run", "seen_at", "seen_run"),
        strict=strict,
    ).create_index(["pool", "kind", "key"])
    # One open story of a finding at a time, also between processes.
    db.execute(
        "CREATE UNIQUE INDEX audit_findings_one_open ON audit_findings (pool, kind, key) WHERE resolved_run IS NULL"
    )
    db.table("audit_offsets").create(
        {
            "run": int,
            "pool": str,
            "host_uuid": str,
            "host_name": str,
            "at": str,
            "low": float,
            "high": float,
            "readings": int,
            "round_trip": float,
        },
        pk=("run", "host_uuid"),
        not_null=("pool", "host_name", "at", "low", "high", "readings", "round_trip"),
        strict=strict,
    ).create_index(["pool", "host_uuid", "run"])


class Memory:
    """:class:`bot.findings.AuditBook` in the store's database."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock

    def record_audit(self, new: NewRun) -> Audited:
        with self._connections.write() as db:
            where = (new.pool, str(new.kind))
            newest = db.execute(
                "SELECT number, max(started_at) FROM audit_runs WHERE pool = ? AND kind = ? AND failure = ''", where
            ).fetchone()
            overtaken = newest[1] is not None and not new.failure and stamp(new.started_at) < newest[1]
            if overtaken:
                new = replace(new, failure=f"Audit {newest[0]} began later and has been recorded already.", found=())
            first = not new.failure and newest[1] is None
            number = _insert_run(db, new, first)
            _follow(db, number, new)
            found = _audited(db, number, self._clock.now())
            assert found is not None
            return found

    def audit_run(self, number: int) -> Audited | None:
        with self._connections.read() as db:
            return _audited(db, number, self._clock.now())

    def audit_runs(self, pools: Iterable[str], *, kind: Kind | None, last: int) -> tuple[Audited, ...]:
        names = list(pools)
        of_kind, kinds = ("", []) if kind is None else (" AND kind = ?", [str(kind)])
        with self._connections.read() as db:
            rows = db.execute(
                f"SELECT number FROM audit_runs WHERE pool IN ({_marks(names)}){of_kind}"  # noqa: S608 - only our own texts
                " ORDER BY number DESC LIMIT ?",
                [*names, *kinds, last],
            ).fetchall()
            found = [_audited(db, row[0], self._clock.now()) for row in rows]
        return tuple(each for each in found if each is not None)

    def finding(self, number: int) -> Traced | None:
        with self._connections.read() as db:
            return next(iter(_traced(db, "id = ?", [number], self._clock.now())), None)

    def open_findings(self, pools: Iterable[str]) -> tuple[Traced, ...]:
        names = list(pools)
        with self._connections.read() as db:
            return _traced(db, f"resolved_run IS NULL AND pool IN ({_marks(names)})", names, self._clock.now())

    def muted(self, pool: str, at: datetime) -> frozenset[str]:
        with self._connections.read() as db:
            return frozenset(key for _, key in mutes.of(db, [pool], at))

    def muted_until(self, pool: str, key: str) -> datetime | None:
        with self._connections.read() as db:
            found = mutes.of(db, [pool], self._clock.now()).get((pool, key))
        return found.until if found else None

    def mute(self, pool: str, key: str, until: datetime, reason: str, actor: Actor) -> None:
        """Mute a finding in a pool; instead of a mute that it has already."""
        with self._connections.write() as db:
            mutes.put(db, pool, key, until, reason, actor, self._clock.now())

    def unmute(self, pool: str, key: str) -> None:
        with self._connections.write() as db:
            mutes.end(db, pool, key, self._clock.now())

    def audit_changes(self, since: Run) -> tuple[tuple[Followed, ...], tuple[Followed, ...]]:
        mine = [since.pool, str(since.kind), since.number]
        with self._connections.read() as db:
            held = mutes.of(db, [since.pool], self._clock.now())
            opened = _stories(db, "pool = ? AND kind = ? AND opened_run > ? AND resolved_run IS NULL", mine, held)
            resolved = _stories(
                db,
                "pool = ? AND kind = ? AND opened_run <= ? AND resolved_run > ? AND key NOT IN"
                " (SELECT key FROM audit_findings WHERE pool = ? AND kind = ? AND resolved_run IS NULL)",
                [*mine, since.number, *mine[:2]],
            )
            open_then = {story.drift.key for story in resolved}
            back = _stories(db, "pool = ? AND kind = ? AND opened_run <= ? AND resolved_run > ?", [*mine, since.number])
        # What was open then, went and came back is no change.
        were = {story.drift.key for story in back} - open_then
        return tuple(story for story in opened if story.drift.key not in were), resolved

    def offsets(self, pool: str, host_uuid: str, last: int) -> tuple[Offset, ...]:
        with self._connections.read() as db:
            return audit_time.offsets(
                db, "pool = ? AND host_uuid = ? ORDER BY run DESC LIMIT ?", [pool, host_uuid, last]
            )

    def forget_audits(self, before: datetime, samples: datetime | None = None) -> int:
        """Delete runs that ended before then, what was resolved by them, and mutes that ended; how many runs. Open
        findings stay, how often each has come, and each pool's newest run of each kind.

        :param samples: also measurements of clocks that were made before then.
        """
        with self._connections.write() as db:
            for table, column, limit in (
                ("audit_findings", "resolved_run", before),
                ("audit_offsets", "run", max(before, samples or before)),
                ("audit_time_answers", "run", max(before, samples or before)),
            ):
                db.execute(f"DELETE FROM {table} WHERE {column} IN ({_OLD})", [stamp(limit)])  # noqa: S608 - only our own texts
            db.table("audit_mutes").delete_where("coalesce(ended_at, until) < ?", [stamp(before)])
            return db.execute(f"DELETE FROM audit_runs WHERE number IN ({_OLD})", [stamp(before)]).rowcount  # noqa: S608 - only our own texts


def _insert_run(db: Database, new: NewRun, first: bool) -> int:
    # Numbers are never given twice, also when the newest runs were deleted: findings remember them.
    number: int = db.execute(
        "SELECT 1 + max(coalesce((SELECT max(number) FROM audit_runs), 0),"
        " coalesce((SELECT max(max(seen_run, coalesce(resolved_run, 0))) FROM audit_findings), 0))"
    ).fetchone()[0]
    db.table("audit_runs").insert(
        {
            "number": number,
            "kind": str(new.kind),
            "pool": new.pool,
            "actor": pack(Actor, new.actor),
            "started_at": stamp(new.started_at),
            "ended_at": stamp(new.ended_at),
            "failure": new.failure,
            "first": int(first),
        }
    )
    audit_time.insert(db, number, new.pool, new.offsets, new.time_answers)
    return number


def _follow(db: Database, number: int, new: NewRun) -> None:
    """Open, see and resolve findings. A run that failed saw only what it brings along: the rest stays as it was."""
    kind, at = str(new.kind), stamp(new.ended_at)
    found = {drift.key: drift for drift in new.found}
    rows = db.execute(
        "SELECT id, key FROM audit_findings WHERE pool = ? AND kind = ? AND resolved_run IS NULL", [new.pool, kind]
    ).fetchall()
    opened = {key: row_id for row_id, key in rows}
    for key, drift in found.items():
        seen = {"drift": pack(Drift, drift), "seen_at": at, "seen_run": number}
        if key in opened:
            db.table("audit_findings").update(opened[key], seen)
            continue
        times = mutes.opened(db, new.pool, kind, key, at)
        story = {"pool": new.pool, "kind": kind, "key": key, "times": times, "opened_at": at, "opened_run": number}
        db.table("audit_findings").insert({**story, **seen})
    if not new.failure:
        for key in opened.keys() - found.keys():
            db.table("audit_findings").update(opened[key], {"resolved_at": at, "resolved_run": number})


def _audited(db: Database, number: int, now: datetime) -> Audited | None:
    row = db.execute(f"{_RUN} WHERE number = ?", [number]).fetchone()
    if row is None:
        return None
    run = Run(
        number=row[0],
        kind=Kind(row[1]),
        pool=row[2],
        actor=unpack(Actor, row[3]),
        started_at=moment(row[4]),
        ended_at=moment(row[5]),
        failure=row[6],
    )
    mine = [run.pool, str(run.kind)]
    held = mutes.of(db, [run.pool], now)
    # A failed run did not look: what was open before it still was.
    still = "(resolved_run IS NULL OR resolved_run > ?)" if run.failure else "seen_run >= ?"
    began = _stories(db, "pool = ? AND kind = ? AND opened_run = ?", [*mine, number], held)
    before = _stories(db, f"pool = ? AND kind = ? AND opened_run < ? AND {still}", [*mine, number, number], held)
    return Audited(
        run=run,
        first=bool(row[7]),
        new=tuple(story for story in began if story.mute is None),
        still=tuple(story for story in before if story.mute is None),
        muted=tuple(story for story in (*began, *before) if story.mute is not None),
        resolved=_stories(db, "pool = ? AND kind = ? AND resolved_run = ?", [*mine, number]),
        offsets=audit_time.offsets(db, "run = ? ORDER BY host_name, host_uuid", [number]),
        time_answers=audit_time.answers(db, number),
    )


def _stories(
    db: Database, where: str, values: Sequence[Any], held: Mapping[tuple[str, str], Mute] | None = None
) -> tuple[Followed, ...]:
    """:param held: the mutes that hold, by pool and key; an open finding carries its own."""
    rows = db.execute(f"{_STORY} WHERE {where} ORDER BY id", list(values)).fetchall()
    return tuple(_story(row, held or {}) for row in rows)


def _traced(db: Database, where: str, values: Sequence[Any], now: datetime) -> tuple[Traced, ...]:
    rows = db.execute(f"{_STORY} WHERE {where} ORDER BY id", list(values)).fetchall()
    held = mutes.of(db, {row[9] for row in rows}, now)
    return tuple(Traced(pool=row[9], kind=Kind(row[11]), story=_story(row, held)) for row in rows)


def _story(row: Sequence[Any], held: Mapping[tuple[str, str], Mute]) -> Followed:
    return Followed(
        drift=unpack(Drift, row[0]),
        opened_at=moment(row[1]),
        opened_run=row[2],
        seen_at=moment(row[3]),
        seen_run=row[4],
        resolved_at=moment_optional(row[5]),
        resolved_run=row[6],
        times=row[7],
        number=row[8],
        mute=held.get((row[9], row[10])),
    )


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
