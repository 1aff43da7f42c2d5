"""Who asked and who approved is looked at again right before anything is done: people leave, and lists change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.answers import Answer, Ask, Opened, Problem, VoteAsk, Voted
from bot.errors import Unavailable
from bot.model import Actor, Ballot, Request, Risk, State
from bot.policy import Freeze, Rules
from bot.policy import Window as Freezing
from bot.ports import DeliveryKind, Standing
from bot.slack.render import card
from tests.bot.asking import tick
from tests.bot.fake_bot import FakeBot, running
from tests.bot.fakes import ANA, BEN, CHANNEL, OLGA, SAM, START, Everybody, FakePool, HandClock, Killed, rules
from tests.bot_slack.shown import words

TEXT = "vm move web-1 to xs2"
LATER = f"{TEXT} at 15:00"
THREE = START + timedelta(hours=3)


@dataclass
class Staff(Everybody):
    """All are members until they leave; groups are as set; Slack can be silent."""

    gone: set[Actor] = field(default_factory=set)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    silent: bool = False
    groups_unknown: str = ""

    def standing(self, actor: Actor) -> Standing:
        if self.silent:
            raise Unavailable("Slack does not tell who you are.", evidence=("HTTP 503",))
        if actor in self.gone:
            return Standing(member=False, why_not="Your account is deactivated.", flaw="the account is deactivated")
        if self.groups_unknown:
            return Standing(member=True, groups_unknown=self.groups_unknown)
        return Standing(member=True, groups=self.groups.get(actor.name, frozenset()))


@dataclass
class World:
    """A pool, people and a clock, and one bot after the other over one database."""

    path: Path
    pool: FakePool = field(default_factory=FakePool)
    clock: HandClock = field(default_factory=HandClock)
    staff: Staff = field(default_factory=Staff)

    @contextmanager
    def bot(self, policy: Rules | None = None) -> Iterator[FakeBot]:
        self.clock.meanwhile = self.pool.work
        with running(self.path, self.pool, self.clock, policy=policy, people=self.staff) as made:
            yield made

    def at_three(self, bot: FakeBot) -> None:
        self.clock.at = max(self.clock.at, THREE)
        tick(bot)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "db")


def request_of(bot: FakeBot, request_id: str) -> Request:
    found = bot.store.request(request_id)
    assert found
    return found


def asked(bot: FakeBot, text: str = LATER, who: Actor = OLGA) -> str:
    answer = bot.engine.answer(Ask(text=text, actor=who, place=CHANNEL))
    assert isinstance(answer, Opened), answer
    return answer.request_id


def approve(bot: FakeBot, request_id: str, who: Actor = ANA) -> Any:
    digest = request_of(bot, request_id).digest
    return bot.engine.vote(
        VoteAsk(request_id=request_id, ballot=Ballot.APPROVE, digest=digest, actor=who, place=CHANNEL)
    )


def approved(bot: FakeBot, text: str = LATER, *voters: Actor, who: Actor = OLGA) -> str:
    request_id = asked(bot, text, who)
    for voter in voters or (ANA,):
        assert isinstance(approve(bot, request_id, voter), Voted)
    assert request_of(bot, request_id).state is State.APPROVED
    tick(bot)
    return request_id


def bodies(bot: FakeBot, request_id: str, kind: str) -> list[Any]:
    rows = bot.store.ledger(pools=None, last=100)
    return [row.body for row in reversed(rows) if (row.request_id, row.kind) == (request_id, kind)]


def notes(bot: FakeBot, request_id: str) -> str:
    """What its thread was told."""
    told = []
    while delivery := bot.store.claim(bot.engine.clock.now(), 60):
        bot.store.posting(delivery)
        bot.store.delivered(delivery, "1.1")
        if (delivery.kind, delivery.request_id) == (DeliveryKind.NOTE, request_id):
            told.append(str(delivery.body))
    return "\n".join(told)


# --- who approved -----------------------------------------------------------------------------------------------------


def test_an_approval_whose_giver_has_left_is_asked_for_again_from_another(world: World) -> None:
    with world.bot() as bot:
        id = approved(bot)
        world.staff.gone.add(ANA)
        world.at_three(bot)
        request = request_of(bot, id)
        assert request.state is State.WAITING
        assert (request.votes, request.missing) == ((), 1)
        assert request.expires_at == THREE + timedelta(minutes=10)
        assert world.pool.sent == []
        (body,) = bodies(bot, id, "approval void")
        assert body["void"] == [{"actor": ANA.key, "name": "ana"}]
        assert body["reasons"] == ["ana may not approve this change any more: the account is deactivated"]
        assert "the account is deactivated" in notes(bot, id)
        shown = words(list(card.message(request).blocks))
        assert "1 approval missing" in shown
        assert "Approve" in shown
        assert isinstance(approve(bot, id, ANA), Problem)
        assert isinstance(approve(bot, id, BEN), Voted)
        tick(bot)
        assert request_of(bot, id).state is State.SUCCEEDED
        assert len(world.pool.sent) == 1
        assert bot.store.verify().ok


def test_without_another_approval_it_expires(world: World) -> None:
    with world.bot() as bot:
        id = approved(bot)
        world.staff.gone.add(ANA)
        world.at_three(bot)
        world.clock.at = THREE + timedelta(minutes=11)
        tick(bot)
        assert request_of(bot, id).state is State.EXPIRED
        assert world.pool.sent == []


def test_who_is_taken_off_the_list_does_not_count(world: World) -> None:
    with world.bot() as bot:
        id = approved(bot)
    with world.bot(rules(approvers=frozenset({"UBEN"}))) as bot:
        world.at_three(bot)
        assert request_of(bot, id).state is State.WAITING
        assert "ana may not approve this change any more" in str(bodies(bot, id, "approval void"))


def test_who_leaves_the_group_does_not_count(world: World) -> None:
    policy = rules(approvers=frozenset({"SOPS"}))
    world.staff.groups = {"ana": frozenset({"SOPS"})}
    with world.bot(policy) as bot:
        id = approved(bot)
        world.staff.groups = {}
        world.at_three(bot)
        assert request_of(bot, id).state is State.WAITING


def test_an_own_approval_does_not_count_where_that_is_not_allowed_any_more(world: World) -> None:
    with world.bot(rules(self_approval=True)) as bot:
        id = approved(bot, LATER, ANA, who=ANA)
    with world.bot() as bot:
        world.at_three(bot)
        assert request_of(bot, id).state is State.WAITING
        assert "who asks may not approve" in str(bodies(bot, id, "approval void"))


def test_the_other_approvals_stay_and_of_more_than_needed_enough_may_be_left(world: World) -> None:
    two = rules(approvals={Risk.DISRUPTIVE: 2}, approvers=frozenset({"UANA", "UBEN", "USAM"}))
    with world.bot(two) as bot:
        few = approved(bot, LATER, ANA, BEN)
        world.staff.gone.add(BEN)
        world.at_three(bot)
        assert [vote.actor for vote in request_of(bot, few).votes] == [ANA]
        assert isinstance(approve(bot, few, SAM), Voted)
        tick(bot)
        assert request_of(bot, few).state is State.SUCCEEDED
    world.staff.gone.clear()
    with world.bot(two) as bot:
        id = asked(bot, "vm move web-2 to xs2 at 16:00")
        for who in (ANA, BEN):
            approve(bot, id, who)
        request = request_of(bot, id)
    one = replace(two, approvals={Risk.DISRUPTIVE: 1})
    with world.bot(one) as bot:  # what was asked for then holds: two
        world.staff.gone.add(BEN)
        world.clock.at = THREE + timedelta(hours=1)
        tick(bot)
        assert request_of(bot, request.id).state is State.WAITING


def test_who_left_before_the_last_approval_counts_no_more_either(world: World) -> None:
    with world.bot(rules(approvals={Risk.DISRUPTIVE: 2})) as bot:
        id = asked(bot, TEXT)
        approve(bot, id, ANA)
        world.staff.gone.add(ANA)
        approve(bot, id, BEN)
        tick(bot)
        request = request_of(bot, id)
        assert (request.state, [vote.actor for vote in request.votes]) == (State.WAITING, [BEN])
        assert world.pool.sent == []


# --- who asked --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("approvals", [0, 1])
def test_what_nobody_asks_for_any_more_is_not_done(approvals: int, world: World) -> None:
    with world.bot(rules(approvals={Risk.DISRUPTIVE: approvals})) as bot:
        id = approved(bot) if approvals else asked(bot)
        tick(bot)
        world.staff.gone.add(OLGA)
        world.at_three(bot)
        request = request_of(bot, id)
        assert request.state is State.EXPIRED
        assert request.result
        assert "olga may not ask for this change any more: the account is deactivated" in request.result.summary
        assert "the account is deactivated" in notes(bot, id)
        assert bodies(bot, id, "expired")[0]["reason"].startswith("olga may not ask")
        assert world.pool.sent == []


def test_a_freeze_that_was_overridden_by_somebody_who_may_not_any_more(world: World) -> None:
    freeze = Freeze(
        name="audit", windows=(Freezing.parse("2026-03-01 14:00 – 2026-03-01 18:00 UTC"),), override=frozenset({"UBEN"})
    )
    with world.bot(rules(freezes=(freeze,))) as bot:
        id = approved(bot, LATER, ANA, who=BEN)
    with world.bot(rules(freezes=(replace(freeze, override=frozenset()),))) as bot:
        world.at_three(bot)
        assert request_of(bot, id).state is State.EXPIRED
        assert "may not override the freeze audit any more" in str(bodies(bot, id, "expired"))
        assert world.pool.sent == []


def test_an_emergency_of_somebody_who_is_not_listed_any_more(world: World) -> None:
    listed = rules(emergency=frozenset({"UOLGA"}))
    with world.bot(listed) as bot:
        id = asked(bot, f'{TEXT} emergency "the storage is failing now"')
        world.pool.away = True
        approve(bot, id, OLGA)
        tick(bot)
        assert request_of(bot, id).state is State.QUEUED
    world.pool.away = False
    with world.bot(rules(emergency=frozenset({"USAM"}))) as bot:
        tick(bot)
        assert request_of(bot, id).state is State.EXPIRED
        assert "may not act alone in an emergency any more" in str(bodies(bot, id, "expired"))
        assert world.pool.sent == []


# --- what cannot be told ----------------------------------------------------------------------------------------------


def test_while_slack_does_not_tell_it_waits(world: World) -> None:
    with world.bot() as bot:
        id = approved(bot)
        world.staff.silent = True
        world.at_three(bot)
        request = request_of(bot, id)
        assert request.state is State.QUEUED
        assert request.progress
        assert request.progress.text == ("It waits. It cannot be told now whether olga still counts: HTTP 503.")
        assert len(request.votes) == 1
        world.staff.silent = False
        tick(bot)
        assert request_of(bot, id).state is State.SUCCEEDED


def test_groups_of_which_nobody_knows_take_nothing_away(world: World) -> None:
    world.staff.groups = {"ana": frozenset({"SOPS"})}
    with world.bot(rules(approvers=frozenset({"SOPS"}))) as bot:
        id = approved(bot)
        world.staff.groups_unknown = "Slack is not asked here."
        world.at_three(bot)
        request = request_of(bot, id)
        assert (request.state, len(request.votes)) == (State.QUEUED, 1)
        assert request.progress
        assert "whether ana still counts: Slack is not asked here" in request.progress.text
        assert world.pool.sent == []


# --- crashes and races ------------------------------------------------------------------------------------------------


def test_what_had_begun_without_a_call_does_not_go_on_when_somebody_has_left_meanwhile(world: World) -> None:
    def die(*_: object, **__: object) -> bool:
        raise Killed

    with world.bot() as bot:
        id = asked(bot, TEXT)
        approve(bot, id)
        vars(bot.store)["intend"] = die
        with pytest.raises(Killed):
            bot.threads.run_one()
        assert request_of(bot, id).state is State.RUNNING
        assert bot.store.calls(id) == ()
    world.staff.gone.add(ANA)
    world.clock.at += timedelta(seconds=60)
    with world.bot() as bot:
        tick(bot)
        request = request_of(bot, id)
        assert request.state is State.FAILED
        assert "the account is deactivated" in str(request.result)
        assert world.pool.sent == []


def test_who_withdraws_at_that_moment_comes_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was found about the approvers: the state is compared when it is set."""
    with world.bot() as bot:
        id = approved(bot)
        world.staff.gone.add(ANA)
        standing = world.staff.standing
        withdrawn: list[Answer] = []

        def withdrawing(actor: Actor) -> Standing:
            if actor == ANA and not withdrawn:
                withdrawn.append(bot.engine.answer(Ask(text=f"request withdraw {id}", actor=OLGA, place=CHANNEL)))
            return standing(actor)

        monkeypatch.setattr(world.staff, "standing", withdrawing)
        world.at_three(bot)
        assert isinstance(withdrawn[0], Voted)
        request = request_of(bot, id)
        assert (request.state, len(request.votes)) == (State.WITHDRAWN, 1)
        assert bodies(bot, id, "approval void") == []
