"""Requests through the engine: waiting, cancelling, settling, reminding, replacing – and refusing to act unrecorded."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pyotp import TOTP

from bot.answers import Answer, Ask, Opened, Problem, Shown, VoteAsk, Voted
from bot.clock import SteadyClock
from bot.codes import OneTimeCodes
from bot.model import Actor, Ballot, Place, Request, State
from tests.bot.fake_bot import FakeBot, bot
from tests.bot.fakes import ANA, BEN, CHANNEL, HOSTS, OLGA, SAM, VMS, FakeHands, FakePool, HandClock

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class World:
    """A bot, and shorthands for what people do to it."""

    def __init__(self, path: Path, busy_seconds: float = 10.0) -> None:
        self.path = path
        self.clock = HandClock()
        self.pool = FakePool()
        self.clock.meanwhile = self.pool.work
        self.bot: FakeBot = bot(path, self.pool, self.clock, busy_seconds=busy_seconds)

    def say(self, text: str, who: Actor = OLGA) -> Answer:
        return self.bot.engine.answer(Ask(text=text, actor=who, place=CHANNEL))

    def ask(self, text: str) -> str:
        answer = self.say(text)
        assert isinstance(answer, Opened), answer
        return answer.request_id

    def vote(self, id: str, who: Actor = ANA, ballot: Ballot = Ballot.APPROVE, digest: str = "") -> Answer:
        digest = digest or self.request(id).digest
        return self.bot.engine.vote(VoteAsk(request_id=id, ballot=ballot, digest=digest, actor=who, place=CHANNEL))

    def run(self) -> None:
        while self.bot.threads.run_one():
            pass

    def turn(self) -> None:
        self.bot.engine.tick()
        self.run()

    def approved(self, text: str) -> str:
        id = self.ask(text)
        assert isinstance(self.vote(id), Voted)
        return id

    def unknown(self) -> str:
        """A request whose task did not end within the step's limit."""
        self.pool.polls = 10_000
        id = self.approved("vm move web-1 to xs2")
        self.run()
        assert self.request(id).state is State.UNKNOWN
        self.pool.polls = 2
        return id

    def request(self, id: str) -> Request:
        found = self.bot.store.request(id)
        assert found is not None
        return found

    def kinds(self, id: str = "") -> list[str]:
        rows = self.bot.store.ledger(pools=None, last=1000)
        return [row.kind for row in reversed(rows) if not id or row.request_id == id]

    def waits_for(self, id: str) -> str:
        progress = self.request(id).progress
        return progress.text if progress else ""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "x.sqlite3")
    yield made
    made.bot.crash()


# --- the limit of a step, and what is unknown -------------------------------------------------------------------------


def test_a_step_over_its_limit_is_unknown_and_said_so_in_the_thread(world: World) -> None:
    id = world.unknown()
    result = world.request(id).result
    assert result is not None
    assert "not ended within 2 min" in result.summary
    notes = [each for each in _bodies(world) if each and "unknown" in each]
    assert len(notes) == 1
    assert f"request settle {id}" in notes[0]


def test_a_restart_does_not_prolong_the_limit(world: World) -> None:
    world.pool.polls = 10_000
    world.clock.meanwhile = lambda: _crash_at(world, 60)
    id = world.approved("vm move web-1 to xs2")
    with pytest.raises(_Crash):
        world.run()
    world.bot.crash()
    world.clock.meanwhile = world.pool.work
    world.bot = bot(world.path, world.pool, world.clock)
    world.clock.sleep(30)
    before = world.clock.elapsed
    world.turn()
    assert world.request(id).state is State.UNKNOWN
    assert world.clock.elapsed - before < 40


def test_what_touches_the_same_waits_until_it_is_settled(world: World) -> None:
    id = world.unknown()
    rival, other = world.approved("vm move web-1 to xs1"), world.approved("vm move web-2 to xs2")
    again = world.say("vm move web-1 to xs2")
    assert isinstance(again, Opened)
    assert (again.request_id, again.existing) == (id, True)
    world.clock.at += timedelta(seconds=100)
    world.turn()
    assert world.request(other).state is State.SUCCEEDED
    assert world.request(rival).state is State.QUEUED
    assert f"settles {id}" in world.waits_for(rival)
    shown = world.say("pending", SAM)
    assert isinstance(shown, Shown)
    assert f"settles {id}" in str(shown.report)
    assert isinstance(world.say(f"request settle {id} failed because web-1 is on xs1 and no task is left", BEN), Voted)
    world.turn()
    assert world.request(rival).state is State.SUCCEEDED


@pytest.mark.parametrize(
    ("who", "text", "told"),
    [
        (OLGA, "done because I looked at the pool", "asked for this yourself"),
        (SAM, "done because I looked at the pool", "Only an approver"),
        (ANA, "done failed because I looked at the pool", "either done or failed"),
        (ANA, "because I looked at the pool", "either done or failed"),
        (ANA, "done because ok", "too little"),
    ],
)
def test_who_cannot_settle_and_how_not(world: World, who: Actor, text: str, told: str) -> None:
    id = world.unknown()
    answer = world.say(f"request settle {id} {text}", who)
    assert isinstance(answer, Problem)
    assert told in answer.message
    assert world.request(id).state is State.UNKNOWN
    assert ("denied" in world.kinds()) is (who is not ANA)


def test_settling_keeps_the_evidence_word_for_word(world: World) -> None:
    id = world.unknown()
    words = "the host failed over, in lab all is done"
    assert isinstance(world.say(f"request settle {id} done because {words}", ANA), Voted)
    request = world.request(id)
    assert request.state is State.SUCCEEDED
    assert request.result is not None
    assert request.result.lines == (words,)
    row = next(row for row in world.bot.store.ledger(pools=None, last=5) if row.kind == "settled")
    assert (row.actor, row.body) == (ANA, {"outcome": "done", "evidence": words})
    assert isinstance(world.say(f"request settle {id} failed because {words}", ANA), Problem)


def test_at_a_terminal_whoever_settles_proves_who_they_are(world: World) -> None:
    """Several people may share a login, the one who asked among them."""
    id = world.unknown()
    engine = replace(
        world.bot.engine, codes=OneTimeCodes({"UANA": lambda: SEED, "UOLGA": lambda: SEED}, world.bot.store.first_sight)
    )
    good, text = TOTP(SEED).at(world.clock.now()), f"request settle {id} done because web-1 is on xs2, I looked"

    def settle(who: Actor, code: str) -> Answer:
        return engine.answer(Ask(text=text, actor=who, place=Place(kind="terminal", team="T1"), code=code))

    for who, code, told in (
        (ANA, "", "a login alone decides nothing"),
        (ANA, f"{(int(good) + 1) % 10**6:06}", "not your one-time code"),
        (BEN, good, "none is set up"),
        (OLGA, good, "asked for this yourself"),
    ):
        answer = settle(who, code)
        assert isinstance(answer, Problem)
        assert told in answer.message
        assert world.request(id).state is State.UNKNOWN
    assert isinstance(settle(ANA, good), Voted)
    assert world.request(id).state is State.SUCCEEDED
    assert good not in str(world.bot.store.ledger(pools=None, last=20))
    assert good not in repr(Ask(text=text, actor=ANA, place=CHANNEL, code=good))


# --- cancelling and withdrawing ---------------------------------------------------------------------------------------


def cancelled_midway(world: World, text: str, who: Actor = OLGA) -> tuple[str, list[Answer]]:
    id = world.approved(text)
    if "tour" in text:
        world.vote(id, BEN)
    said: list[Answer] = []

    def meanwhile() -> None:
        if not said:
            said.append(world.say(f"request cancel {id}", who))
        world.pool.work()

    world.pool.polls = 5
    world.clock.meanwhile = meanwhile
    world.run()
    world.turn()
    return id, said


def test_cancel_reaches_the_pools_task(world: World) -> None:
    id, said = cancelled_midway(world, "vm move web-1 to xs2")
    assert isinstance(said[0], Voted)
    request = world.request(id)
    assert request.state is State.CANCELLED
    assert request.result is not None
    assert "nothing was changed" in request.result.lines
    kinds = world.kinds(id)
    assert kinds.index("cancelling") < kinds.index("call failed") < kinds.index("cancelled") == len(kinds) - 1


def test_a_pool_that_refuses_to_cancel_goes_on_and_it_is_said(world: World) -> None:
    world.pool.stubborn = True
    id, _ = cancelled_midway(world, "vm move web-1 to xs2")
    request = world.request(id)
    assert request.state is State.SUCCEEDED
    assert request.result is not None
    assert any("refused to cancel" in line for line in request.result.lines)


def test_cancel_after_a_first_step_undoes_it(world: World) -> None:
    world.pool.stubborn = True
    id, _ = cancelled_midway(world, "vm tour web-1 to xs2")
    assert world.request(id).state is State.CANCELLED
    assert world.pool.sent == [(id, 0, False), (id, 0, True)]


def test_a_stranger_cancels_nothing(world: World) -> None:
    id, said = cancelled_midway(world, "vm move web-1 to xs2", SAM)
    assert isinstance(said[0], Problem)
    assert world.request(id).state is State.SUCCEEDED
    assert "denied" in world.kinds()


def test_withdrawn_before_it_began_it_never_runs(world: World) -> None:
    id = world.approved("vm move web-1 to xs2")
    assert isinstance(world.say(f"request withdraw {id}"), Voted)
    world.turn()
    assert world.request(id).state is State.WITHDRAWN
    assert world.pool.sent == []
    assert isinstance(world.say(f"request withdraw {id}"), Problem)


def test_what_waits_is_withdrawn_and_what_does_not_run_is_not_cancelled(world: World) -> None:
    id = world.ask("vm move web-1 to xs2")
    refused = world.say(f"request cancel {id}")
    assert isinstance(refused, Problem)
    assert f"request withdraw {id}" in refused.remedy


# --- votes, reminders, expiry, successors -----------------------------------------------------------------------------


def test_two_approvals_are_two_people(world: World) -> None:
    id = world.ask("vm tour web-1 to xs2")
    answer = world.vote(id)
    assert isinstance(answer, Voted)
    assert "1 of 2" in answer.text
    world.vote(id)
    world.turn()
    assert world.request(id).state is State.WAITING
    world.vote(id, BEN)
    world.turn()
    assert world.request(id).state is State.SUCCEEDED


def test_a_reminder_comes_once_before_it_expires(world: World) -> None:
    id = world.ask("vm move web-1 to xs2")
    world.turn()
    assert "reminded" not in world.kinds(id)
    world.clock.at += timedelta(seconds=500)
    for _ in range(3):
        world.turn()
    assert world.kinds(id).count("reminded") == 1
    assert sum("expires in" in (each or "") for each in _bodies(world)) == 1


def test_who_could_still_approve_is_reminded_in_private_and_nobody_else(world: World) -> None:
    id = world.ask("vm tour web-1 to xs2")
    world.vote(id)
    world.clock.at += timedelta(seconds=500)
    world.turn()
    told = []
    while delivery := world.bot.store.claim(world.clock.now(), 60):
        world.bot.store.posting(delivery)
        world.bot.store.delivered(delivery, "1.1")
        told.append(delivery)
    private = {each.place.channel: each.body for each in told if each.place.channel != CHANNEL.channel}
    assert set(private) == {"UBEN"}  # olga asked, ana has voted
    assert private["UBEN"] is not None
    assert id in private["UBEN"].title


def test_an_approval_does_not_hold_for_ever(world: World) -> None:
    id = world.approved("vm move web-1 to xs2")
    world.bot.crash()
    world.clock.at += timedelta(days=1)
    world.bot = bot(world.path, world.pool, world.clock)
    world.turn()
    assert world.request(id).state is State.EXPIRED
    assert world.pool.sent == []


def test_a_stale_request_is_linked_with_what_replaces_it(world: World) -> None:
    id = world.approved("vm move web-1 to xs2")
    world.pool.where[VMS[0]] = HOSTS[1]
    world.turn()
    assert world.request(id).state is State.STALE
    again = world.ask(world.request(id).text)
    assert (world.request(id).successor, world.request(again).predecessor) == (again, id)


def test_a_vote_for_another_plan_is_refused_and_recorded(world: World) -> None:
    id = world.ask("vm move web-1 to xs2")
    assert isinstance(world.vote(id, digest="0" * 64), Problem)
    assert world.request(id).votes == ()
    assert world.kinds(id) == ["asked", "vote refused"]


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


# --- not unrecorded ---------------------------------------------------------------------------------------------------


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


# --- helpers ----------------------------------------------------------------------------------------------------------


class _Crash(BaseException):
    pass


def _crash_at(world: World, seconds: float) -> None:
    world.pool.work()
    if world.clock.elapsed > seconds:
        raise _Crash


def _bodies(world: World) -> list[str | None]:
    """The notes that wait for Slack."""
    connection = sqlite3.connect(world.path)
    try:
        return [body for (body,) in connection.execute("SELECT body FROM deliveries WHERE kind = 'note'")]
    finally:
        connection.close()
