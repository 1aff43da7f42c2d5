"""Values to keep, a clock to turn, and a second way to look at the file."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.model import (
    Actor,
    Ballot,
    Entry,
    Expect,
    Finding,
    Object,
    ObjectId,
    Place,
    Plan,
    PoolTarget,
    Report,
    Request,
    Requirement,
    Risk,
    State,
    Step,
    Trace,
    Value,
    Verdict,
    Vote,
    Window,
)
from bot.ports import Delivery, NewRequest
from bot.store import SqliteStore

ROOT = Path(__file__).parents[2]
"""Where processes of the tests start, so that they find them."""
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
ANNA = Actor(kind="slack", id="T1/U1", name="Anna")
BEN = Actor(kind="slack", id="T1/U2", name="Ben")
CHANNEL = Place(kind="slack", team="T1", channel="C1")
VM = ObjectId("VM", "aaaaaaaa-0000-4000-8000-000000000001", "web-1")
HOST = ObjectId("host", "bbbbbbbb-0000-4000-8000-000000000002", "xs2")
POOL = ObjectId("pool", "cccccccc-0000-4000-8000-000000000003", "lab")

_fresh = itertools.count(1)


class HandClock:
    """A bot.ports.Clock that stands still until it is turned."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def reopened(path: Path, clock: HandClock) -> SqliteStore:
    return SqliteStore(path, clock=clock, ledger_key=KEY)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def plan(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "title": "Migrate web-1 to xs2",
        "command": "vm migrate",
        "arguments": (("vm", VM.uuid), ("to", HOST.uuid)),
        "pool": POOL,
        "risk": Risk.DISRUPTIVE,
        "findings": (Finding(id="vm.migrate.memory", verdict=Verdict.PASS, subject=HOST, title="Enough memory"),),
        "steps": (
            Step(
                title="Migrate",
                target=PoolTarget(POOL.uuid),
                call="VM.pool_migrate",
                arguments=(Object(VM), Object(HOST), Value({"live": "true"})),
                trace=Trace(object=VM, operation="pool_migrate"),
                expect=(Expect(object=VM, field="resident_on", equals=Object(HOST)),),
                undo=(Step(title="Back", target=PoolTarget(POOL.uuid), call="VM.pool_migrate", arguments=()),),
            ),
        ),
        "touches": (VM, HOST),
        "facts": (("host", HOST.uuid),),
        "window": Window(not_before=START),
    }
    return Plan(**(fields | changes))


def new(state: State = State.WAITING, **changes: Any) -> NewRequest:
    planned = changes.get("plan", plan())
    fields: dict[str, Any] = {
        "text": "vm migrate web-1 to xs2",
        "actor": ANNA,
        "place": CHANNEL,
        "plan": planned,
        "digest": planned.digest(),
        "requirement": Requirement(approvals=1, who="the operators", expires_seconds=3600),
        "state": state,
        "opened_at": START,
        "expires_at": after(3600),
        "fingerprint": f"f{next(_fresh)}",
    }
    return NewRequest(**(fields | changes))


def entry(kind: str = "test", **changes: Any) -> Entry:
    fields: dict[str, Any] = {"kind": kind, "actor": ANNA, "pool": "lab"}
    return Entry(**(fields | changes))


def opened(store: SqliteStore, state: State = State.WAITING, **changes: Any) -> Request:
    request, fresh = store.open(new(state, **changes), entry("request.opened"))
    assert fresh
    return request


def running(store: SqliteStore, **changes: Any) -> Request:
    request = opened(store, State.APPROVED, **changes)
    assert store.move(request.id, State.APPROVED, State.RUNNING, entry(), at=START)
    return request


def vote(ballot: Ballot = Ballot.APPROVE, actor: Actor = BEN, seconds: float = 1, **changes: Any) -> Vote:
    fields: dict[str, Any] = {
        "actor": actor,
        "ballot": ballot,
        "digest": plan().digest(),
        "reason": "",
        "at": after(seconds),
    }
    return Vote(**(fields | changes))


def remark(title: str) -> Report:
    return Report(title=title)


def claimed(store: SqliteStore, seconds: float = 0, lease: float = 60) -> Delivery:
    delivery = store.claim(after(seconds), lease)
    assert delivery is not None
    return delivery


def look(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What a second connection sees: only what was committed."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query, values).fetchall()


def meddle(path: Path, *statements: str) -> None:
    """Change the file behind the bot's back, as who has the host could."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def counts(path: Path) -> dict[str, int]:
    """Rows by table, as a second connection sees them."""
    tables = [name for (name,) in look(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: look(path, f"SELECT count(*) FROM {name}")[0][0] for name in tables}


def dump(path: Path) -> list[str]:
    """The whole database as text, to see that nothing changed."""
    with closing(sqlite3.connect(path)) as connection:
        return list(_lines(connection))


def _lines(connection: sqlite3.Connection) -> Iterator[str]:
    yield from connection.iterdump()
