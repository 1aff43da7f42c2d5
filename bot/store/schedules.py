"""The tables `schedules` and `schedule_told`: when audits run by themselves, who is at it, and what has been told.

A run is claimed by compare-and-set: `run_owner` and `run_until` are a lease, and `run_at` the time that is being run.
Only its owner ends a run, in one transaction with its messages and its ledger row, so that what two processes began
after all is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.errors import Refused
from bot.model import BOT, Actor, Entry
from bot.schedules import Due, News, NewSchedule, Schedule, Told
from bot.store import facts, outbox
from bot.store.connection import Connections
from bot.store.encoding import moment, moment_optional, pack, stamp, unpack

_DUE = "removed_at IS NULL AND ((paused = 0 AND run_owner IS NULL AND due_at <= :now) OR run_until <= :now)"


def create(db: Database) -> None:
    """The tables, as migration 0004 makes them. Like it, this is never edited."""
    strict = db.supports_strict
    db.table("schedules").create(
        {
            "number": int,
            "key": str,
            "asked": str,
            "paused": int,
            "created_at": str,
            "created_by": str,
            "since": str,
            "due_at": str,
            "last_at": str,
            "removed_at": str,
            "run_at": str,
            "run_owner": str,
            "run_until": str,
            "run_attempt": int,
        },
        pk="number",
        not_null=("key", "asked", "paused", "created_at", "created_by", "since", "due_at", "run_attempt"),
        strict=strict,
    )
    db.execute("CREATE UNIQUE INDEX schedules_one_alike ON schedules (key) WHERE removed_at IS NULL")
    db.table("schedule_told").create(
        {"schedule": int, "pool": str, "run": int, "at": str},
        pk=("schedule", "pool"),
        not_null=("run", "at"),
        foreign_keys=[("schedule", "schedules", "number")],
        strict=strict,
    )


class Schedules:
    """:class:`bot.schedules.Agenda` and :class:`bot.schedules.ScheduleChanges` in the store's database.

    :param append: adds a row to the ledger. :param recording: a transaction that does so.
    """

    def __init__(
        self,
        connections: Connections,
        append: Callable[[Database, Entry, datetime], int],
        recording: Callable[[], AbstractContextManager[Database]],
    ) -> None:
        self._connections = connections
        self._to_ledger = append
        self._recording = recording

    # --- reading ------------------------------------------------------------------------------------------------------

    def schedules(self) -> tuple[Schedule, ...]:
        with self._connections.read() as db:
            return tuple(_schedule(row) for row in db.table("schedules").rows_where("removed_at IS NULL"))

    def schedule(self, number: int) -> Schedule | None:
        with self._connections.read() as db:
            return _find(db, "number = ?", number)

    def alike(self, asked: NewSchedule) -> Schedule | None:
        with self._connections.read() as db:
            return _find(db, "key = ? AND removed_at IS NULL", asked.key)

    def told(self, number: int) -> Mapping[str, Told]:
        with self._connections.read() as db:
            rows = db.table("schedule_told").rows_where("schedule = ?", [number])
            return {row["pool"]: Told(run=row["run"], at=moment(row["at"])) for row in rows}

    # --- what people ask for ------------------------------------------------------------------------------------------

    def add(self, asked: NewSchedule, due_at: datetime, actor: Actor, at: datetime) -> Schedule:
        with self._connections.write() as db:
            there = _find(db, "key = ? AND removed_at IS NULL", asked.key)
            if there is not None:
                raise Refused(f"Schedule {there.id} does that already.")
            row = {
                "key": asked.key,
                "asked": pack(NewSchedule, asked),
                "paused": 0,
                "created_at": stamp(at),
                "created_by": pack(Actor, actor),
                "since": stamp(at),
                "due_at": stamp(due_at),
                "run_attempt": 0,
            }
            db.table("schedules").insert(row)
            added = _find(db, "key = ? AND removed_at IS NULL", asked.key)
            assert added is not None
            return added

    def pause(self, number: int) -> None:
        """A run that is at work goes on; the next one does not come."""
        with self._connections.write() as db:
            db.table("schedules").update(number, {"paused": 1})

    def resume(self, number: int, due_at: datetime, at: datetime) -> None:
        with self._connections.write() as db:
            row = _row(db, number)
            if row["paused"]:
                db.table("schedules").update(number, {"paused": 0, "since": stamp(at), "due_at": stamp(due_at)})

    def remove(self, number: int, at: datetime) -> None:
        """The row stays, so that no other schedule gets its number. A run that is at work is told to nobody."""
        with self._connections.write() as db:
            if _row(db, number)["removed_at"] is None:
                changes = {"removed_at": stamp(at), "run_owner": None, "run_until": None, "run_at": None}
                db.table("schedules").update(number, changes)

    # --- carrying them out --------------------------------------------------------------------------------------------

    def is_due(self, now: datetime) -> bool:
        with self._connections.read() as db:
            query = f"SELECT EXISTS (SELECT 1 FROM schedules WHERE {_DUE})"  # noqa: S608 - only our own texts
            return bool(db.execute(query, {"now": stamp(now)}).fetchone()[0])

    def claim(self, now: datetime, owner: str, lease_seconds: float) -> Due | None:
        with self._recording() as db:
            row = next(
                db.table("schedules").rows_where(_DUE, {"now": stamp(now)}, order_by="due_at, number", limit=1), None
            )
            if row is None:
                return None
            schedule = _schedule(row)
            due_at, attempt = moment(row["run_at"] or row["due_at"]), row["run_attempt"] + 1
            run = {"run_at": stamp(due_at), "run_owner": owner, "run_attempt": attempt}
            db.table("schedules").update(
                schedule.number, {**run, "run_until": stamp(now + timedelta(seconds=lease_seconds))}
            )
            if attempt > 1:
                body = {"schedule": schedule.id, "due": stamp(due_at), "attempt": attempt}
                self._append(db, "scheduled audit taken up", BOT, schedule, body, now)
            return Due(schedule=schedule, due_at=due_at, attempt=attempt, owner=owner)

    def renew(self, due: Due, now: datetime, lease_seconds: float) -> bool:
        with self._connections.write() as db:
            if not _is_owner(db, due):
                return False
            until = stamp(now + timedelta(seconds=lease_seconds))
            db.table("schedules").update(due.schedule.number, {"run_until": until})
            return True

    def finish(
        self,
        due: Due,
        *,
        next_at: datetime,
        news: Sequence[News],
        told: Mapping[str, Told],
        body: Mapping[str, object],
        now: datetime,
    ) -> bool:
        schedule = due.schedule
        with self._recording() as db:
            if not _is_owner(db, due):
                return False
            for each in news:
                number = outbox.announcement(db, schedule.asked.place, each.message, now)
                for reply in each.thread:
                    outbox.announcement(db, schedule.asked.place, reply, now, number)
            for pool, upto in told.items():
                row = {"schedule": schedule.number, "pool": pool, "run": upto.run, "at": stamp(upto.at)}
                db.table("schedule_told").upsert(row, pk=("schedule", "pool"))
            ended = {"run_at": None, "run_owner": None, "run_until": None, "run_attempt": 0, "last_at": stamp(now)}
            if not _row(db, schedule.number)["paused"]:  # else its time is set when it is resumed
                ended |= {"since": stamp(now), "due_at": stamp(next_at)}
            db.table("schedules").update(schedule.number, ended)
            self._append(db, "scheduled audit", schedule.actor, schedule, {**body, "next": stamp(next_at)}, now)
            return True

    def move(self, number: int, frm: datetime, to: datetime, body: Mapping[str, object], now: datetime) -> bool:
        with self._recording() as db:
            found = _find(db, "number = ? AND removed_at IS NULL AND run_owner IS NULL", number)
            if found is None or found.due_at != frm:
                return False
            db.table("schedules").update(number, {"due_at": stamp(to)})
            self._append(db, "schedule moved", BOT, found, {**body, "from": stamp(frm), "to": stamp(to)}, now)
            return True

    def alive(self) -> datetime | None:
        with self._connections.read() as db:
            return moment_optional(facts.get(db, facts.ALIVE_AT))

    def is_alive(self, now: datetime) -> None:
        with self._connections.write() as db:
            if (facts.get(db, facts.ALIVE_AT) or "") < stamp(now):
                facts.put(db, facts.ALIVE_AT, stamp(now))

    def _append(
        self, db: Database, kind: str, actor: Actor, schedule: Schedule, body: Mapping[str, object], at: datetime
    ) -> None:
        self._to_ledger(db, Entry(kind=kind, actor=actor, pool=schedule.asked.pool, body=body), at)


def _is_owner(db: Database, due: Due) -> bool:
    row = _row(db, due.schedule.number)
    return bool(row["run_owner"] == due.owner and row["run_attempt"] == due.attempt)


def _row(db: Database, number: int) -> dict[str, Any]:
    """:raises LookupError: there is no such schedule (a bug: none is ever deleted)."""
    row = next(db.table("schedules").rows_where("number = ?", [number]), None)
    if row is None:
        raise LookupError(f"no schedule {number}")
    return row


def _find(db: Database, where: str, value: object) -> Schedule | None:
    row = next(db.table("schedules").rows_where(where, [value]), None)
    return _schedule(row) if row else None


def _schedule(row: Mapping[str, Any]) -> Schedule:
    return Schedule(
        number=row["number"],
        asked=unpack(NewSchedule, row["asked"]),
        paused=bool(row["paused"]),
        created_at=moment(row["created_at"]),
        created_by=unpack(Actor, row["created_by"]),
        since=moment(row["since"]),
        due_at=moment(row["due_at"]),
        last_at=moment_optional(row["last_at"]),
        removed=row["removed_at"] is not None,
    )
