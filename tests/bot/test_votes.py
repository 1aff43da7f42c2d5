"""Votes and what they amount to; reminders, expiry, and what replaces a stale request."""

from __future__ import annotations

from datetime import timedelta

from bot.answers import Problem, Voted
from bot.model import State
from tests.bot.fake_bot import bot
from tests.bot.fakes import BEN, CHANNEL, HOSTS, VMS
from tests.bot.world import World


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
    assert sum("expires in" in (each or "") for each in world.notes()) == 1


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
