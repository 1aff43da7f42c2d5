"""The policy inside the life of a request: freezes that begin meanwhile, codes that are missing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.answers import Ask, Problem, Voted
from bot.errors import Denied
from bot.inventory import Inventory
from bot.model import Actor, Elsewhere, ObjectId, Place, Risk, State
from bot.policy import Freeze, Match, Rule, Window, requirement
from bot.ports import Standing
from bot.schedules import EVERY_POOL
from bot.tags import tagged
from tests.bot.asking import asked, at, state, tick, vote
from tests.bot.fake_bot import running
from tests.bot.fakes import CHANNEL, OLGA, POOL, START, VMS, Everybody, FakePool, HandClock, rules

FREEZE = Freeze(
    name="lunch", windows=(Window.parse("2026-03-01 12:05 – 2026-03-01 12:08 UTC"),), override=frozenset({"UBEN"})
)


def test_what_waits_for_its_turn_does_not_begin_in_a_freeze(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock, policy=rules(freezes=(FREEZE,))) as bot:
        request_id = asked(bot)
        pool.away = True
        assert isinstance(vote(bot, request_id), Voted)
        tick(bot)
        pool.away = False
        at(clock, 6)
        tick(bot)
        assert state(bot, request_id) is State.QUEUED
        assert pool.sent == []
        at(clock, 8)
        tick(bot)
        assert state(bot, request_id) is State.SUCCEEDED
        assert len(pool.sent) == 1


def test_a_freeze_refuses_the_question_and_the_approval(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    with running(tmp_path / "db", pool, clock, policy=rules(freezes=(FREEZE,))) as bot:
        request_id = asked(bot)
        at(clock, 6)
        answer = vote(bot, request_id)
        assert isinstance(answer, Problem)
        assert "lunch" in answer.message
        again = bot.engine.answer(Ask(text="vm move web-2 to xs2", actor=OLGA, place=CHANNEL))
        assert isinstance(again, Problem)
        assert "lunch" in again.message
        assert state(bot, request_id) is State.WAITING
        assert pool.sent == []


@pytest.mark.parametrize("place", [CHANNEL, Place(kind="terminal")])
def test_without_a_code_nothing_counts_where_one_is_needed(place: Place, tmp_path: Path) -> None:
    coded = rules(one_time_code=frozenset({Risk.DISRUPTIVE} if place is CHANNEL else ()))
    with running(tmp_path / "db", FakePool(), HandClock(), policy=coded) as bot:
        request_id = asked(bot)
        answer = vote(bot, request_id, place, code="123456")
        assert isinstance(answer, Problem)
        assert "none is set up" in answer.message
        assert state(bot, request_id) is State.WAITING
        (refused,) = [row for row in bot.store.ledger(pools=None, last=10) if row.kind == "vote refused"]
        assert refused.request_id == request_id
        assert "123456" not in str(refused.body)


def test_tags_that_cannot_be_read_are_denied_and_others_are_left_out(tmp_path: Path) -> None:
    ruled = rules(rules=(Rule(name="one", match=Match(tags=frozenset({"prod", "lab"})), approvals=2),))
    pool = FakePool()
    with running(tmp_path / "db", pool, HandClock(), policy=ruled) as bot:
        resolver = bot.engine.resolver
        read = partial(tagged, pools=resolver.pools, registry=resolver.registry, watched=ruled.watched_tags)
        request = bot.store.request(asked(bot))
        assert request
        assert read(request.plan).tags == ()
        plain = FakePool.inventory(pool)
        records = {cls: {ref: dict(each) for ref, each in kept.items()} for cls, kept in plain.records.items()}
        records["VM"]["v0"] |= {"tags": ["prod", "nobody-asks"]}
        records["pool"]["p"] |= {"tags": ["lab"]}
        pool.inventory = lambda: Inventory(records, 0.0)  # type: ignore[method-assign]
        assert read(request.plan).tags == ("lab", "prod")
        assert read(request.plan).digest() != request.digest
        other = replace(request.plan, touches=(ObjectId("VM", VMS[1], "web-2"),), tags=("prod",))
        assert read(other).tags == ("lab",)
        alike = replace(request.plan, touches=(ObjectId("VM", VMS[1], "web-2"), ObjectId("VM", VMS[2], "web-3")))
        assert read(alike).tags_of_each == ()
        mixed = read(replace(request.plan, touches=(*request.plan.touches, *alike.touches)))
        assert (mixed.tags, mixed.tags_of_each) == (("lab", "prod"), (("lab",), ("lab", "prod")))
        gone = replace(request.plan, touches=(ObjectId("VM", "gone", "web-9"),))
        with pytest.raises(Denied, match="web-9"):
            read(gone)


def test_a_change_of_all_pools_has_the_tags_of_each(tmp_path: Path) -> None:
    """As a schedule of all pools: it is in none by itself."""
    ruled = rules(rules=(Rule(name="one", match=Match(tags=frozenset({"lab"})), approvals=2),))
    pool = FakePool()
    with running(tmp_path / "db", pool, HandClock(), policy=ruled) as bot:
        resolver = bot.engine.resolver
        read = partial(tagged, pools=resolver.pools, registry=resolver.registry, watched=ruled.watched_tags)
        request = bot.store.request(asked(bot))
        assert request
        plain = FakePool.inventory(pool)
        records = {cls: {ref: dict(each) for ref, each in kept.items()} for cls, kept in plain.records.items()}
        records["pool"]["p"] |= {"tags": ["lab"]}
        pool.inventory = lambda: Inventory(records, 0.0)  # type: ignore[method-assign]
        every = replace(
            request.plan, pool=ObjectId("pool", "", EVERY_POOL), touches=(), elsewhere=(Elsewhere(pool=POOL),)
        )
        found = read(every)
        assert (found.tags, found.elsewhere[0].tags) == ((), ("lab",))
        assert requirement(ruled, OLGA, Standing(member=True), found, START).approvals == 2


def test_who_is_no_member_asks_for_nothing(tmp_path: Path) -> None:
    class Nobody(Everybody):
        def standing(self, actor: Actor) -> Standing:
            return Standing(member=False, why_not="Guests cannot use this.")

    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        engine = replace(bot.engine, people=Nobody())
        answer = engine.answer(Ask(text="vm move web-1 to xs2", actor=OLGA, place=CHANNEL))
        assert isinstance(answer, Problem)
        assert "Guests" in answer.message
        assert bot.store.open_requests() == ()
