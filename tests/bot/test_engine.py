"""Nothing is done unrecorded, nor by two bots at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.answers import Ask, Opened, Problem, Shown, VoteAsk, Voted
from bot.clock import SteadyClock
from bot.model import Ballot, State
from tests.bot.fake_bot import bot
from tests.bot.fakes import ANA, CHANNEL, OLGA, SAM, FakeHands, FakePool, HandClock
from tests.bot.world import World


def test_two_bots_do_not_take_each_others_locks(world: World) -> None:
    second = bot(world.path, world.pool, world.clock)
    id = world.approved("vm move web-1 to xs2")

    def meanwhile() -> None:
        second.engine.tick()
        while second.threads.run_one():
            pass
        world.pool.work()

    world.clock.meanwhile = meanwhile
    world.run()
    second.crash()
    assert world.request(id).state is State.SUCCEEDED
    assert world.pool.sent == [(id, 0, False)]


def test_on_a_clock_set_back_nothing_is_decided_or_done_but_one_can_look(tmp_path: Path) -> None:
    clock, pool = HandClock(), FakePool()
    clock.meanwhile = pool.work
    life = bot(tmp_path / "x.sqlite3", pool, clock, acts_by=SteadyClock(clock), plain=clock)
    ask = Ask(text="vm move web-1 to xs2", actor=OLGA, place=CHANNEL)
    opened = life.engine.answer(ask)
    assert isinstance(opened, Opened)
    request = life.store.request(opened.request_id)
    assert request is not None
    clock.at -= timedelta(hours=2)
    vote = VoteAsk(
        request_id=request.id, ballot=Ballot.APPROVE, digest=request.digest, actor=ANA, place=CHANNEL, delivery_key="k"
    )
    refused = life.engine.vote(vote)
    assert isinstance(refused, Problem)
    assert "set back" in refused.message
    assert isinstance(life.engine.answer(Ask(text="pending", actor=SAM, place=CHANNEL, delivery_key="p")), Shown)
    clock.at += timedelta(hours=2)
    assert isinstance(life.engine.vote(replace(vote, delivery_key="l")), Voted)
    clock.at -= timedelta(hours=2)
    while life.threads.run_one():
        pass
    assert pool.sent == []
    life.crash()


def test_an_older_record_than_the_clock_counts_at_the_start() -> None:
    clock = HandClock()
    steady = SteadyClock(clock, clock.now() + timedelta(minutes=5))
    with pytest.raises(Exception, match="set back"):
        steady.now()
    clock.at += timedelta(minutes=4, seconds=1)
    steady.now()


def test_who_only_looks_is_answered_also_while_nothing_can_be_written(tmp_path: Path) -> None:
    """A full disk at night: what is wrong can still be asked, and nothing is decided or opened."""
    made = World(tmp_path / "x.sqlite3", busy_seconds=0.2)
    id = made.ask("vm move web-1 to xs2")
    break_it, mend = _breakers(made, "locked")
    break_it()
    engine, digest = made.bot.engine, made.request(id).digest
    look = engine.answer(Ask(text="pending", actor=SAM, place=CHANNEL, delivery_key="1"))
    assert isinstance(look, Shown)
    assert id in str(look.report)
    change = engine.answer(Ask(text="vm move web-2 to xs2", actor=OLGA, place=CHANNEL, delivery_key="2"))
    vote = VoteAsk(request_id=id, ballot=Ballot.APPROVE, digest=digest, actor=ANA, place=CHANNEL, delivery_key="3")
    withdraw = engine.answer(Ask(text=f"request withdraw {id}", actor=OLGA, place=CHANNEL, delivery_key="4"))
    for answer in (change, engine.vote(vote), withdraw):
        assert isinstance(answer, Problem)
        assert "locked by another process" in answer.message
    mend()
    assert [request.id for request in made.bot.store.open_requests()] == [id]
    assert (made.request(id).state, made.request(id).votes) == (State.WAITING, ())
    assert isinstance(engine.vote(vote), Voted), "the press that was not taken can be taken again"
    made.bot.crash()


@pytest.mark.parametrize("fault", ["locked", "full"])
def test_what_cannot_be_recorded_is_not_sent(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = World(tmp_path / "x.sqlite3", busy_seconds=0.2)
    id = made.approved("vm move web-1 to xs2")
    break_it, mend = _breakers(made, fault)
    # A full database still has room in its last pages: what is written down before the call must be larger than that.
    monkeypatch.setattr(FakeHands, "mark", lambda self, step: (self.pool.inventory(), " " * 100_000 + "0")[1])
    real = made.pool.inventory

    def breaking() -> object:
        break_it()  # the pool is read for the last time just before the call is written down
        return real()

    monkeypatch.setattr(made.pool, "inventory", breaking)
    made.run()
    assert made.pool.sent == []
    monkeypatch.setattr(made.pool, "inventory", real)
    mend()
    assert made.request(id).state in (State.APPROVED, State.QUEUED, State.RUNNING)
    made.clock.at += timedelta(seconds=60)
    made.turn()
    assert made.request(id).state is State.SUCCEEDED
    assert made.pool.sent == [(id, 0, False)]
    made.bot.crash()


def _breakers(world: World, fault: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """To make every write fail as SQLite makes it fail, and to mend it."""
    if fault == "locked":
        holder = sqlite3.connect(world.path, isolation_level=None)

        def lock() -> None:
            if not holder.in_transaction:
                holder.execute("BEGIN IMMEDIATE")

        return lock, holder.rollback

    def limit(pages: int) -> None:
        with world.bot.store._connections.read() as db:
            connection = db.conn
        connection.execute(f"PRAGMA max_page_count={pages}")

    def fill() -> None:
        limit(1)  # SQLite takes the present size instead: not one page more

    return fill, lambda: limit(1_000_000)
