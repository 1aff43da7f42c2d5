"""Who can write the database, but has not the ledger's key, gets nothing executed: what the tables say has to be what
the record says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.answers import Ask, Opened, VoteAsk, Voted
from bot.model import BOT, Actor, Ballot, Entry, Plan, Request, Requirement, Risk, State
from bot.store.chain import COLUMNS, Seal
from bot.store.encoding import pack
from tests.bot.fake_bot import FakeBot, bot
from tests.bot.fakes import ANA, BEN, CHANNEL, HOSTS, OLGA, VMS, FakePool, HandClock, rules


class World:
    """A bot, somebody at its database while it is stopped, and a bot that starts again."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.pool = path, HandClock(), FakePool()
        self.clock.meanwhile = self.pool.work
        self.policy = rules(approvals={Risk.DISRUPTIVE: 2}, emergency=frozenset({"UOLGA"}))
        self.bot: FakeBot = bot(path, self.pool, self.clock, policy=self.policy)

    def asked(self, text: str = "vm move web-1 to xs2") -> str:
        answer = self.bot.engine.answer(Ask(text=text, actor=OLGA, place=CHANNEL))
        assert isinstance(answer, Opened), answer
        return answer.request_id

    def vote(self, id: str, *voters: Actor) -> None:
        digest = self.request(id).digest
        for who in voters:
            ask = VoteAsk(request_id=id, ballot=Ballot.APPROVE, digest=digest, actor=who, place=CHANNEL)
            assert isinstance(self.bot.engine.vote(ask), Voted)

    def request(self, id: str) -> Request:
        found = self.bot.store.request(id)
        assert found is not None
        return found

    def run(self) -> None:
        for _ in range(3):
            self.bot.engine.tick()
            while self.bot.threads.run_one():
                pass
            self.clock.at += timedelta(seconds=30)

    @contextmanager
    def stopped(self) -> Iterator[sqlite3.Connection]:
        """The database while no bot runs; then one starts, and does what is due."""
        self.bot.crash()
        db = sqlite3.connect(self.path)
        db.row_factory = sqlite3.Row
        with db:
            yield db
        db.close()
        self.bot = bot(self.path, self.pool, self.clock, policy=self.policy)
        self.run()

    def done_once(self) -> str:
        """A request that was carried out; then the VM came home, so that its plan could be carried out again."""
        id = self.asked()
        self.vote(id, ANA, BEN)
        self.run()
        assert self.request(id).state is State.SUCCEEDED
        assert len(self.pool.sent) == 1
        self.pool.sent.clear()
        self.pool.done.clear()
        self.pool.where[VMS[0]] = HOSTS[0]
        return id

    def refused(self, id: str, why: str) -> None:
        request = self.request(id)
        assert request.state is State.STALE
        assert request.result is not None
        assert why in " ".join(request.result.lines)
        assert self.pool.sent == []


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "x.sqlite3")
    yield made
    made.bot.crash()


def insert(db: sqlite3.Connection, table: str, **values: Any) -> None:
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", [*values.values()])


def approve(db: sqlite3.Connection, id: str) -> None:
    db.execute("UPDATE requests SET state = 'approved', ended_at = NULL WHERE id = ?", [id])


def cast(db: sqlite3.Connection, request: Request, who: Actor, at: str) -> None:
    own = {"request_id": request.id, "actor_key": who.key, "actor": pack(Actor, who), "digest": request.digest}
    insert(db, "votes", **own, ballot="approve", reason="", at=at, ledger_seq=1)


def test_what_nobody_touched_is_borne_out_also_after_a_restart(world: World) -> None:
    id = world.asked()
    world.vote(id, ANA, BEN)
    with world.stopped():
        pass
    assert world.request(id).state is State.SUCCEEDED
    assert len(world.pool.sent) == 1


def test_a_vote_that_nobody_cast(world: World) -> None:
    id = world.asked()
    world.vote(id, ANA)
    request = world.request(id)
    with world.stopped() as db:
        cast(db, request, BEN, world.clock.now().isoformat())
        approve(db, id)
    world.refused(id, "the record does not say that ben approved it")


def test_a_vote_with_a_row_of_its_own_that_has_not_the_key(world: World) -> None:
    id = world.asked()
    world.vote(id, ANA)
    request = world.request(id)
    with world.stopped() as db:
        row = dict(db.execute("SELECT * FROM ledger WHERE kind = 'vote'").fetchone())
        last = db.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        row |= {"seq": last["seq"] + 1, "prev": last["hash"], "actor_id": BEN.id, "mode": "sha256"}
        row["hash"] = Seal(None).hash(row)
        insert(db, "ledger", **{name: row[name] for name in (*COLUMNS, "hash")})
        cast(db, request, BEN, world.clock.now().isoformat())
        approve(db, id)
    world.refused(id, "is not sealed with the key")


@pytest.mark.parametrize("easier", [{"approvals": 0, "emergency": "I say so"}, {"overrides": ("weekend",)}], ids=str)
def test_terms_that_nobody_set(world: World, easier: dict[str, Any]) -> None:
    id = world.asked()
    world.vote(id, ANA, BEN)
    terms = replace(world.request(id).requirement, **easier)
    with world.stopped() as db:
        db.execute("UPDATE requests SET requirement = ? WHERE id = ?", [pack(Requirement, terms), id])
    world.refused(id, "the record says that something else was asked")


def test_words_that_nobody_wrote(world: World) -> None:
    """Who approves reads titles, which the digest does not cover."""
    id = world.asked()
    world.vote(id, ANA, BEN)
    plan = world.request(id).plan
    kind = replace(plan, title="look at web-1", steps=tuple(replace(each, title="Look") for each in plan.steps))
    assert kind.digest() == plan.digest()
    with world.stopped() as db:
        db.execute("UPDATE requests SET plan = ? WHERE id = ?", [pack(Plan, kind), id])
    world.refused(id, "the record says that it read otherwise when it was asked")


def test_another_person_who_asked(world: World) -> None:
    id = world.asked()
    world.vote(id, ANA, BEN)
    with world.stopped() as db:
        db.execute("UPDATE requests SET actor = ? WHERE id = ?", [pack(Actor, ANA), id])
        db.execute("UPDATE votes SET actor = actor WHERE request_id = ?", [id])
    request = world.request(id)
    assert request.state is not State.SUCCEEDED
    assert world.pool.sent == []
    assert "the record does not say that it was asked" in world.bot.store.lacking(request, begun=False)


def test_another_plan_under_the_same_votes(world: World) -> None:
    id, other = world.asked(), world.request(world.asked("vm move web-2 to xs2"))
    world.vote(id, ANA, BEN)
    with world.stopped() as db:
        plan = db.execute("SELECT plan FROM requests WHERE id = ?", [other.id]).fetchone()[0]
        db.execute("UPDATE requests SET plan = ?, digest = ? WHERE id = ?", [plan, other.digest, id])
        db.execute("UPDATE votes SET digest = ? WHERE request_id = ?", [other.digest, id])
    world.refused(id, "the record says that something else was asked")


def test_an_approval_is_used_once(world: World) -> None:
    id = world.done_once()
    with world.stopped() as db:
        db.execute("DELETE FROM calls WHERE request_id = ?", [id])
        approve(db, id)
    world.refused(id, "the record says that it is over (succeeded)")


def test_an_approval_is_used_once_also_where_the_end_of_the_record_was_cut_off(world: World) -> None:
    id = world.done_once()
    with world.bot.store._connections.write() as db:
        for trigger in [each for each in db.triggers if each.table == "ledger"]:
            db.execute(f"DROP TRIGGER {trigger.name}")
        db.execute("DELETE FROM calls WHERE request_id = ?", [id])
        db.execute("DELETE FROM ledger WHERE seq >= (SELECT min(seq) FROM ledger WHERE kind = 'running')")
        approve(db.conn, id)
    world.run()
    world.refused(id, "the record has been changed since it was asked: the ledger ends at row")


@pytest.mark.parametrize("called", [False, True], ids=["nothing begun", "a call sent"])
def test_what_never_began_is_not_taken_up(world: World, called: bool) -> None:
    id, at = world.asked(), world.clock.now().isoformat()
    with world.stopped() as db:
        db.execute("UPDATE requests SET state = 'running', started_at = ? WHERE id = ?", [at, id])
        if called:
            sent = {"request_id": id, "undo": 0, "step": 0, "call": "VM.pool_migrate", "mark": "", "state": "done"}
            insert(db, "calls", **sent, intended_at=at, task_uuid="", error="[]", ledger_seq=1)
    request = world.request(id)
    assert request.state is State.UNKNOWN
    assert request.result is not None
    assert "the record says that it has not begun" in request.result.summary
    assert world.pool.sent == []


def test_the_last_word_of_a_person_counts_and_none_that_is_void(world: World) -> None:
    id = world.asked()
    world.vote(id, ANA)
    request, store = world.request(id), world.bot.store
    assert store.lacking(request, begun=False) == ""
    void = {"digest": request.digest, "void": [{"actor": ANA.key, "name": "ana"}]}
    store.record(Entry(kind="approval void", actor=BOT, pool="lab", request_id=id, body=void))
    assert "does not say that ana approved it" in store.lacking(request, begun=False)
    world.vote(id, ANA)
    assert store.lacking(world.request(id), begun=False) == ""
