"""`… emergency "why"`: listed people act without a second one, loudly, and never past what runs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bot.answers import Answer, Ask, Opened, Problem, VoteAsk, Voted
from bot.model import Actor, Ballot, Risk, State
from bot.policy import Freeze, Rules
from bot.policy import Window as Freezing
from bot.ports import DeliveryKind
from bot.slack.render import card
from bot.slack.render.answer import message as rendered
from bot.terminal import Terminal
from tests.bot.asking import state, tick
from tests.bot.fake_bot import FakeBot, running
from tests.bot.fakes import ANA, BEN, CHANNEL, OLGA, SAM, FakePool, HandClock, rules
from tests.bot_slack.shown import words

WHY = "the storage is failing now"
TEXT = "vm move web-1 to xs2"
LISTED = frozenset({"UOLGA"})


def policy(**changes: object) -> Rules:
    return rules(emergency=LISTED, emergency_channel="C0ALARM", **changes)


def ask(bot: FakeBot, text: str = f'{TEXT} emergency "{WHY}"', actor: Actor = OLGA) -> Answer:
    return bot.engine.answer(Ask(text=text, actor=actor, place=CHANNEL))


def opened(bot: FakeBot, text: str = f'{TEXT} emergency "{WHY}"', actor: Actor = OLGA) -> str:
    answer = ask(bot, text, actor)
    assert isinstance(answer, Opened), answer
    return answer.request_id


def approve(bot: FakeBot, request_id: str, actor: Actor = OLGA, typed: str = "") -> Answer:
    request = bot.store.request(request_id)
    assert request
    vote = VoteAsk(
        request_id=request_id, ballot=Ballot.APPROVE, digest=request.digest, actor=actor, place=CHANNEL, typed=typed
    )
    return bot.engine.vote(vote)


def kinds(bot: FakeBot, request_id: str) -> list[str]:
    return [row.kind for row in reversed(bot.store.ledger(pools=None, last=100)) if row.request_id == request_id]


def test_who_asks_in_an_emergency_is_told_that_it_is_theirs_to_approve(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock(), policy=policy()) as bot:
        answer, usual = ask(bot, f'{TEXT} emergency "{WHY}"', OLGA), ask(bot, TEXT, OLGA)
    assert isinstance(answer, Opened)
    assert isinstance(usual, Opened)
    assert usual.then == ""
    shown = rendered(answer)
    assert shown is not None
    assert "Read it, then approve it yourself." in str(shown.blocks)
    assert "approve it yourself" in shown.text
    stream = io.StringIO()
    Terminal(stream).show(answer)
    assert stream.getvalue().endswith("Read it, then approve it yourself.\n")


def test_who_is_listed_approves_their_own_and_everybody_is_told(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock, policy=policy()) as bot:
        request_id = opened(bot)
        assert pool.sent == []  # it is shown first, and runs when it was read and approved
        request = bot.store.request(request_id)
        assert request
        assert request.requirement.emergency == WHY
        shown = words(list(card.message(request).blocks))
        assert "EMERGENCY" in shown
        assert WHY in shown
        assert isinstance(approve(bot, request_id), Voted)
        tick(bot)
        assert state(bot, request_id) is State.SUCCEEDED
        assert kinds(bot, request_id)[0] == "asked in an emergency"
        told = []
        while delivery := bot.store.claim(clock.now(), 60):
            told.append(delivery)
            bot.store.posting(delivery)
            bot.store.delivered(delivery, f"1.{len(told)}")
        (alarm,) = [each for each in told if each.kind is DeliveryKind.ANNOUNCEMENT]
        assert alarm.place.channel == "C0ALARM"
        assert alarm.body
        assert WHY in alarm.body.summary
        assert "EMERGENCY" in alarm.body.title


@pytest.mark.parametrize("actor", [ANA, SAM])
def test_who_is_not_listed_may_not(actor: Actor, tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock(), policy=policy()) as bot:
        answer = ask(bot, actor=actor)
        assert isinstance(answer, Problem)
        assert "not among those" in answer.message
        assert bot.store.open_requests() == ()
        assert [row.kind for row in bot.store.ledger(pools=None, last=5)].count("denied") == 1


def test_by_default_nobody_may(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        answer = ask(bot)
        assert isinstance(answer, Problem)
        assert "nobody" in answer.remedy


def test_what_the_policy_says_nothing_of_is_refused_in_an_emergency_too(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock(), policy=policy(approvals={})) as bot:
        answer = ask(bot)
        assert isinstance(answer, Problem)
        assert "says nothing about" in answer.message
        assert bot.store.open_requests() == ()


def test_it_takes_a_reason(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock(), policy=policy()) as bot:
        answer = ask(bot, f'{TEXT} emergency "help"')
        assert isinstance(answer, Problem)
        assert "too little" in answer.message
        # Without quotes it is no reason, but a part of a name.
        assert isinstance(ask(bot, f"{TEXT} emergency now please"), Problem)
        assert bot.store.open_requests() == ()


def test_others_still_cannot_approve_it_alone_unless_they_could_anyway(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock(), policy=policy()) as bot:
        request_id = opened(bot)
        assert isinstance(approve(bot, request_id, SAM), Problem)
        assert state(bot, request_id) is State.WAITING
        assert isinstance(approve(bot, request_id, BEN), Voted)


def test_who_is_listed_approves_nothing_of_theirs_that_is_no_emergency(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock(), policy=policy()) as bot:
        usual, urgent = opened(bot, TEXT), opened(bot)
        assert usual != urgent
        assert isinstance(approve(bot, usual), Problem)


def test_one_is_enough_where_two_are_usual(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock, policy=policy()) as bot:
        request_id = opened(bot, f'vm tour web-1 to xs2 emergency "{WHY}"')
        assert isinstance(approve(bot, request_id), Voted)
        tick(bot)
        assert state(bot, request_id) is State.SUCCEEDED


def test_the_name_is_typed_all_the_same(tmp_path: Path) -> None:
    with running(
        tmp_path / "db", FakePool(), HandClock(), policy=policy(type_name=frozenset({Risk.DISRUPTIVE}))
    ) as bot:
        request_id = opened(bot)
        assert isinstance(approve(bot, request_id), Problem)
        assert isinstance(approve(bot, request_id, typed="web-1"), Voted)


def test_a_freeze_does_not_hold_it_and_is_named(tmp_path: Path) -> None:
    freeze = Freeze(name="lunch", windows=(Freezing.parse("2026-03-01 12:00 – 2026-03-01 14:00 UTC"),))
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock, policy=policy(freezes=(freeze,))) as bot:
        assert isinstance(ask(bot, TEXT), Problem)
        request_id = opened(bot)
        request = bot.store.request(request_id)
        assert request
        assert request.requirement.overrides == ("lunch",)
        approve(bot, request_id)
        tick(bot)
        assert state(bot, request_id) is State.SUCCEEDED


def _run(bot: FakeBot) -> None:
    while bot.threads.run_one():
        pass


def test_it_passes_what_nobody_knows_the_outcome_of_and_says_so(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    clock.meanwhile = pool.work
    with running(tmp_path / "db", pool, clock, policy=policy()) as bot:
        pool.polls = 10_000
        stuck = opened(bot, TEXT)
        approve(bot, stuck, ANA)
        _run(bot)
        assert state(bot, stuck) is State.UNKNOWN
        pool.polls = 2
        usual = opened(bot, "vm move web-1 to xs1")
        approve(bot, usual, ANA)
        tick(bot)
        assert state(bot, usual) is State.QUEUED
        urgent = opened(bot)
        approve(bot, urgent)
        _run(bot)
        assert state(bot, urgent) is State.SUCCEEDED
        request = bot.store.request(urgent)
        assert request
        assert request.result
        assert stuck in " ".join(request.result.lines)
        rows = bot.store.ledger(pools=None, last=50)
        (begun,) = [row for row in rows if row.kind == "running" and row.request_id == urgent]
        assert begun.body["passes"] == [stuck]
        tick(bot)  # what is stuck still holds what it held
        assert state(bot, usual) is State.QUEUED


def test_it_does_not_pass_what_runs(tmp_path: Path) -> None:
    pool, clock = FakePool(), HandClock()
    with running(tmp_path / "db", pool, clock, policy=policy()) as bot:
        first = opened(bot, TEXT)
        approve(bot, first, ANA)
        request = bot.store.request(first)
        assert request
        bot.store.lock(first, [f"{request.plan.pool.uuid}/{request.plan.touches[0].uuid}"], "another", clock.now(), 60)
        urgent = opened(bot)
        approve(bot, urgent)
        bot.runner.start(urgent)
        bot.threads.run_one()
        _run(bot)
        assert state(bot, urgent) is State.QUEUED
        assert pool.sent == []
