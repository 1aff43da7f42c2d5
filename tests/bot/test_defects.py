"""What an adversarial reader found, and must not come back: wrong success, approvals lost, work repeated for ever."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import policy
from bot.answers import Answer, Ask, Bug, Opened, Problem, VoteAsk, Voted
from bot.errors import Denied, Unavailable
from bot.model import Actor, Ballot, Place, Request, Risk, State, Step
from tests.bot import fake_bot
from tests.bot.fake_bot import FakeBot, bot, running
from tests.bot.fakes import (
    ANA,
    BEN,
    CHANNEL,
    HOSTS,
    OLGA,
    SAM,
    TEAM,
    VMS,
    FakeHands,
    FakePool,
    HandClock,
    Killed,
    rules,
)


def ask(b: FakeBot, text: str, who: Actor = OLGA, place: Place = CHANNEL) -> Answer:
    return b.engine.answer(Ask(text=text, actor=who, place=place))


def opened(b: FakeBot, text: str = "vm move web-1 to xs2") -> str:
    answer = ask(b, text)
    assert isinstance(answer, Opened)
    return answer.request_id


def vote(b: FakeBot, request_id: str, who: Actor, ballot: Ballot = Ballot.APPROVE) -> Answer:
    digest = known(b, request_id).digest
    return b.engine.vote(VoteAsk(request_id=request_id, ballot=ballot, digest=digest, actor=who, place=CHANNEL))


def known(b: FakeBot, request_id: str) -> Request:
    request = b.store.request(request_id)
    assert request is not None
    return request


def drain(b: FakeBot) -> None:
    while b.threads.run_one():
        pass


def broken(*_: object) -> Any:
    raise ZeroDivisionError("a defect")


def test_a_task_that_ended_while_the_bot_was_down_is_looked_at_before_its_time_is_up(tmp_path: Path) -> None:
    clock, pool = HandClock(), FakePool()
    b = bot(tmp_path / "x.db", pool, clock)
    request_id = opened(b)
    vote(b, request_id, ANA)

    def die() -> None:
        raise Killed

    clock.meanwhile = die
    with pytest.raises(Killed):
        b.threads.run_one()
    b.crash()
    clock.meanwhile = lambda: None
    for _ in range(3):
        pool.work()
    assert pool.where[VMS[0]] == HOSTS[1]
    clock.at += timedelta(seconds=200)
    clock.elapsed += 200
    with running(tmp_path / "x.db", pool, clock) as again:
        again.engine.tick()
        drain(again)
        assert known(again, request_id).state is State.SUCCEEDED


@pytest.mark.parametrize(("method", "state"), [("mark", State.FAILED), ("task", State.UNKNOWN)])
def test_a_defect_is_not_repeated_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, state: State
) -> None:
    clock, pool = HandClock(), FakePool()
    with running(tmp_path / "x.db", pool, clock) as b:
        request_id = opened(b)
        vote(b, request_id, ANA)
        before = len(b.store.ledger(pools=None, last=1000))
        monkeypatch.setattr(FakeHands, method, broken)
        for _ in range(20):
            drain(b)
            clock.at += timedelta(seconds=1)
            b.engine.tick()
        request = known(b, request_id)
        assert request.state is state
        assert request.result is not None
        assert "defect" in request.result.summary
        assert len(b.store.ledger(pools=None, last=1000)) - before < 6
        assert not b.runner._defects


def test_a_change_is_not_asked_for_where_no_approver_reads(tmp_path: Path) -> None:
    with running(tmp_path / "x.db", FakePool(), HandClock()) as b:
        answer = ask(b, "vm move web-1 to xs2", place=Place(kind="slack", team=TEAM, channel="D1", private=True))
        assert isinstance(answer, Problem)
        assert b.store.open_requests() == ()


def test_who_may_not_read_sees_no_request(tmp_path: Path) -> None:
    with running(tmp_path / "x.db", FakePool(), HandClock(), policy=rules(readers=frozenset())) as b:
        request_id = opened(b)
        assert b.engine.request(request_id, ANA) is not None
        with pytest.raises(Denied):
            b.engine.request(request_id, SAM)


def test_an_approver_is_told_when_somebody_rejected_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "x.db", FakePool(), HandClock()) as b:
        request_id = opened(b)
        decided = policy.decided
        once: list[bool] = []

        def meanwhile(request: Request) -> Ballot | None:
            decision = decided(request)
            if decision is Ballot.APPROVE and not once:
                once.append(True)
                vote(b, request_id, BEN, Ballot.REJECT)
            return decision

        monkeypatch.setattr(policy, "decided", meanwhile)
        answer = vote(b, request_id, ANA)
        assert isinstance(answer, Voted)
        assert "runs now" not in answer.text
        assert known(b, request_id).state is State.REJECTED


def test_one_request_that_fails_does_not_stop_the_others_due_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "x.db", FakePool(), HandClock()) as b:
        first, second = opened(b), opened(b, "vm move web-2 to xs2")
        vote(b, second, ANA)
        b.threads.waiting.clear()
        b.runner._runs.clear()
        decided = policy.decided
        monkeypatch.setattr(policy, "decided", lambda request: broken() if request.id == first else decided(request))
        b.engine.tick()
        assert b.threads.waiting


def test_without_anything_to_read_back_it_is_not_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pool = HandClock(), FakePool()
    clock.meanwhile = pool.work
    made = fake_bot._step

    def blind(*arguments: Any) -> Step:
        return dataclasses.replace(made(*arguments), expect=())

    monkeypatch.setattr(fake_bot, "_step", blind)
    with running(tmp_path / "x.db", pool, clock) as b:
        request_id = opened(b)
        vote(b, request_id, ANA)
        drain(b)
        result = known(b, request_id).result
        assert result is not None
        assert "read back" not in result.summary


def test_a_lost_task_proves_nothing_when_its_effect_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, pool = HandClock(), FakePool()
    pool.where[VMS[0]] = HOSTS[1]
    clock.meanwhile = pool.work
    with running(tmp_path / "x.db", pool, clock) as b:
        request_id = opened(b)
        vote(b, request_id, ANA)
        monkeypatch.setattr(FakeHands, "task", lambda hands, task_uuid: None)
        drain(b)
        assert known(b, request_id).state is State.UNKNOWN


def test_an_approval_survives_a_stop_before_its_first_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "x.db", FakePool(), HandClock()) as b:
        request_id = opened(b)
        vote(b, request_id, ANA)

        def stopped(hands: FakeHands, step: Step) -> str:
            b.runner.close()
            raise Unavailable("The bot is shutting down.")

        monkeypatch.setattr(FakeHands, "mark", stopped)
        drain(b)
        assert known(b, request_id).state is State.RUNNING


def test_a_policy_made_stricter_after_the_approval_holds(tmp_path: Path) -> None:
    clock, pool = HandClock(), FakePool()
    clock.meanwhile = pool.work
    b = bot(tmp_path / "x.db", pool, clock)
    request_id = opened(b)
    vote(b, request_id, ANA)
    b.crash()
    plain = rules()
    strict = dataclasses.replace(plain, approvals={**plain.approvals, Risk.DISRUPTIVE: 2})
    clock.at += timedelta(seconds=30)
    with running(tmp_path / "x.db", pool, clock, policy=strict) as again:
        again.engine.tick()
        drain(again)
        assert known(again, request_id).state is State.STALE
        assert pool.where[VMS[0]] == HOSTS[0]


def test_a_plan_that_does_nothing_is_a_defect_and_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake_bot._plan
    monkeypatch.setattr(fake_bot, "_plan", lambda *given, **more: dataclasses.replace(made(*given, **more), steps=()))
    with running(tmp_path / "x.db", FakePool(), HandClock()) as b:
        assert isinstance(ask(b, "vm move web-1 to xs2"), Bug)
        assert b.store.in_states(State) == ()
