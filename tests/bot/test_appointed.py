"""`… at 22:00`: what it means, and that a change waits for its time, is planned again then, and not later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot import appointed
from bot.answers import Ask, Opened, Problem, Voted
from bot.errors import Refused
from bot.forms import Forms
from bot.model import ObjectId, Plan, Risk, State
from bot.policy import Freeze
from bot.policy import Window as Freezing
from bot.ports import Context, Pools
from bot.registry import Registry
from bot.scope import Scopes
from tests.bot.asking import asked, at, state, tick, vote
from tests.bot.fake_bot import FakeBot, registry, running
from tests.bot.fakes import CHANNEL, OLGA, START, FakePool, FakePools, Fate, HandClock, rules

MINUTE = timedelta(minutes=1)
TEXT = "vm move web-1 to xs2"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "now", "zone", "begins"),
    [
        ("22:00", "2026-11-23 12:00", "UTC", "2026-11-23 22:00"),
        ("9:05", "2026-11-23 12:00", "UTC", "2026-11-24 09:05"),
        ("12:00", "2026-11-23 12:00", "UTC", "2026-11-24 12:00"),
        ("tomorrow 06:30", "2026-11-23 23:30", "Europe/Amsterdam", "2026-11-25 05:30"),
        ("today 23:00", "2026-11-23 12:00", "America/New_York", "2026-11-24 04:00"),
        ("2026-11-24T22:00", "2026-11-23 12:00", "UTC", "2026-11-24 22:00"),
        ("22:00 Europe/Amsterdam", "2026-11-23 12:00", "UTC", "2026-11-23 21:00"),
        ("22:00 utc", "2026-11-23 12:00", "Asia/Tokyo", "2026-11-23 22:00"),
        # The clocks are set back at 03:00 (01:00 UTC) on 25 October 2026: 02:30 comes twice, the first is meant.
        ("02:30", "2026-10-24 22:00", "Europe/Amsterdam", "2026-10-25 00:30"),
        # A day later in local time is not 24 hours later.
        ("09:00", "2026-10-24 08:00", "Europe/Amsterdam", "2026-10-25 08:00"),
    ],
)
def test_what_a_time_means(typed: str, now: str, zone: str, begins: str) -> None:
    window = appointed.window(typed, utc(now), zone)
    assert window.not_before == utc(begins)
    assert window.not_after == utc(begins) + appointed.GRACE


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("25:00", "clock or calendar"),
        ("22:61", "clock or calendar"),
        ("2026-02-30 10:00", "clock or calendar"),
        ("noon", "no time that I know"),
        ("22:00 and more", "no time"),
        ("22:00 Middle/Earth", "no time zone"),
        ("today 11:59", "is past"),
        ("2020-01-01 10:00", "is past"),
        ("2026-12-25 10:00", "more than 14 days"),
        ("9999-12-31 23:59 Etc/GMT+12", "no calendar"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(typed: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        appointed.window(typed, utc("2026-11-23 12:00"), "UTC")


def test_an_hour_that_the_clocks_leave_out_is_refused() -> None:
    with pytest.raises(Refused, match="no 02:30 on 2026-03-29"):
        appointed.window("02:30", utc("2026-03-28 12:00"), "Europe/Amsterdam")


@pytest.mark.parametrize(
    ("name", "rest"),
    [("server at home", ""), ("at", ""), ("server at home", " at 22:00"), ("look at", " at tomorrow 22:00 in lab")],
)
def test_names_may_hold_the_word(name: str, rest: str) -> None:
    _, parsed = registry().parse(f"vm start {name}{rest}")
    assert parsed.values["vm"].text == name
    assert ("at" in parsed.values) is (":" in rest)


def test_what_only_looks_takes_no_time() -> None:
    _, parsed = registry().parse("vm show web-1 at 22:00")
    assert parsed.values["vm"].text == "web-1 at 22:00"


def test_a_form_keeps_the_time_that_was_typed() -> None:
    names = registry()
    forms = Forms(cast(Pools, FakePools(FakePool(), Fate())), Scopes())
    form = forms.of(*names.parse("vm move at 22:00"))
    values = {field.name: field.value for field in form.fields} | {"vm": "web-1", "host": "xs2"}
    assert forms.text(names["vm move"], values) == 'vm move "web-1" to "xs2" at "22:00"'
    _, parsed = names.parse(forms.text(names["vm move"], values))
    assert parsed.values["at"].text == "22:00"


def ask(bot: FakeBot, text: str) -> str:
    return asked(bot, text)


def test_it_waits_for_its_time_and_is_planned_again_then(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock) as bot:
        request_id = ask(bot, f"{TEXT} at 15:00")
        request = bot.store.request(request_id)
        assert request
        assert request.plan.window.not_before == START + 180 * MINUTE
        assert request.expires_at == START + 180 * MINUTE
        answer = vote(bot, request_id)
        assert isinstance(answer, Voted)
        assert "will run at 2026-03-01 15:00 UTC" in answer.text
        tick(bot)
        assert state(bot, request_id) is State.QUEUED
        at(clock, 179.9)
        tick(bot)
        assert pool.sent == []
        at(clock, 180)
        tick(bot)
        assert state(bot, request_id) is State.SUCCEEDED
        assert len(pool.sent) == 1


def test_it_is_not_done_when_what_was_approved_has_changed_by_then(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock) as bot:
        request_id = ask(bot, f"{TEXT} at 15:00")
        vote(bot, request_id)
        at(clock, 30)
        other = ask(bot, TEXT)
        vote(bot, other)
        tick(bot)
        assert state(bot, other) is State.SUCCEEDED
        at(clock, 180)
        tick(bot)
        assert state(bot, request_id) is State.STALE
        assert len(pool.sent) == 1


@pytest.mark.parametrize("approved", [True, False])
def test_after_its_hour_nothing_is_done(approved: bool, tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock) as bot:
        request_id = ask(bot, f"{TEXT} at 15:00")
        if approved:
            vote(bot, request_id)
            pool.away = True
        at(clock, 200)
        tick(bot)
        assert state(bot, request_id) is (State.QUEUED if approved else State.EXPIRED)
        pool.away = False
        at(clock, 240)
        tick(bot)
        assert state(bot, request_id) is State.EXPIRED
        assert pool.sent == []


def test_asked_shortly_before_there_is_still_time_to_decide(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock) as bot:
        request_id = ask(bot, f"{TEXT} at 12:02")
        at(clock, 8)
        vote(bot, request_id)
        tick(bot)
        assert state(bot, request_id) is State.SUCCEEDED


def test_two_times_are_two_requests(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        ids = {ask(bot, f"{TEXT}{when}") for when in ("", " at 15:00", " at 16:00", " at 15:00 UTC")}
        assert len(ids) == 3


def test_a_freeze_counts_at_the_appointed_time(tmp_path: Path) -> None:
    freeze = Freeze(name="lunch", windows=(Freezing.parse("2026-03-01 12:00 – 2026-03-01 14:00 UTC"),))
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock, policy=rules(freezes=(freeze,))) as bot:
        for text in (TEXT, f"{TEXT} at 13:30"):
            answer = bot.engine.answer(Ask(text=text, actor=OLGA, place=CHANNEL))
            assert isinstance(answer, Problem)
            assert "lunch" in answer.message
        request_id = ask(bot, f"{TEXT} at 14:00")
        assert isinstance(vote(bot, request_id), Voted)
        at(clock, 120)
        tick(bot)
        assert state(bot, request_id) is State.SUCCEEDED


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("web-1 at yesterday", "If yesterday was to be a time, it is none"),
        ("db at home AT tea time", "If “home AT tea time” was to be a time, it is none"),
        ("web-1", ""),
        ("attic at", ""),
    ],
)
def test_a_name_that_ends_like_a_time_says_how_a_time_is_told(name: str, told: str) -> None:
    assert appointed.if_meant(name).startswith(told)
    assert bool(appointed.if_meant(name)) is bool(told)


def test_a_mistake_in_the_time_is_told_with_its_place(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        answer = bot.engine.answer(Ask(text=f"{TEXT} at 22:75", actor=OLGA, place=CHANNEL))
        assert isinstance(answer, Problem)
        assert "22:75" in answer.message
        assert bot.store.open_requests() == ()


def test_what_people_confirm_to_be_so_now_is_not_appointed_for_later() -> None:
    host = ObjectId("host", "h2", "xs2")
    of = Plan(
        command="host dead", arguments=(), pool=ObjectId("pool", "p", "lab"), risk=Risk.DESTRUCTIVE, title="",
        touches=(host,), confirm="xs2 is off",
    )  # fmt: skip
    later = appointed.window("22:00", utc("2026-11-23 12:00"), "UTC")
    appointed.check(of)
    with pytest.raises(Refused, match="xs2 is off"):
        appointed.check(replace(of, window=later))
    # A name that is typed stays the same.
    for name in ("xs2", "h2", ""):
        appointed.check(replace(of, window=later, confirm=name))


def test_the_engine_asks_that_before_anybody_is_asked_to_approve(tmp_path: Path) -> None:
    def confirmed(arguments: object, context: Context) -> Plan:
        plan = known.plan(arguments, context)
        assert isinstance(plan, Plan)
        return replace(plan, confirm="xs1 is off")

    known = registry()["vm move"]
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        made = Registry([replace(known, plan=confirmed)])
        engine = replace(bot.engine, registry=made, resolver=replace(bot.engine.resolver, registry=made))
        answer = engine.answer(Ask(text=f"{TEXT} at 22:00", actor=OLGA, place=CHANNEL))
        assert isinstance(answer, Problem)
        assert "xs1 is off" in answer.message
        assert bot.store.open_requests() == ()
        assert isinstance(engine.answer(Ask(text=TEXT, actor=OLGA, place=CHANNEL)), Opened)
