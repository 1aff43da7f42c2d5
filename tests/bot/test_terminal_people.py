"""At the terminal Slack is not asked: who counts there without it, and what waits for the bot that asks it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.answers import Voted
from bot.cli.following import carried_on
from bot.cli.people import OperatingSystem
from bot.compose import Bot
from bot.errors import Unavailable
from bot.model import Actor, Request, State
from tests.bot.asking import tick
from tests.bot.fake_bot import FakeBot, running
from tests.bot.fakes import ANA, BEN, OLGA, TEAM
from tests.bot.test_entitled import World, approve, asked, bodies, request_of

TWICE = "vm tour web-1 to xs2"
"""It takes two approvals."""


def at_the_terminal(*named: Actor) -> OperatingSystem:
    terminal = {each.name: each.id.rpartition("/")[2] for each in named}
    settings: Any = SimpleNamespace(terminal=terminal, slack=SimpleNamespace(team=TEAM))
    return OperatingSystem(settings)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "db")


def approved_by_ana_in_slack(world: World) -> str:
    with world.bot() as bot:
        id = asked(bot, TWICE)
        assert isinstance(approve(bot, id, ANA), Voted)
        return id


def approved_by_ben_at_the_terminal(world: World, id: str, *named: Actor) -> Request:
    """The request, once the process in which he approved it has done what it can."""
    world.clock.meanwhile = world.pool.work
    with running(world.path, world.pool, world.clock, people=at_the_terminal(*named)) as bot:
        assert isinstance(approve(bot, id, BEN), Voted)
        _work(bot)
        return request_of(bot, id)


def _work(bot: FakeBot) -> None:
    while bot.runner.running():
        bot.threads.run_one()


def test_who_approved_in_slack_and_has_left_since_does_not_count_by_an_approval_at_the_terminal(world: World) -> None:
    id = approved_by_ana_in_slack(world)
    world.staff.gone.add(ANA)
    request = approved_by_ben_at_the_terminal(world, id, OLGA, BEN)
    assert request.state is State.QUEUED
    assert request.progress
    assert "whether ana still counts: At the terminal Slack is not asked" in request.progress.text
    assert world.pool.sent == []
    with world.bot() as bot:
        tick(bot)
        request = request_of(bot, id)
        assert (request.state, [vote.actor for vote in request.votes]) == (State.WAITING, [BEN])
        assert bodies(bot, id, "approval void")[0]["void"] == [{"actor": ANA.key, "name": "ana"}]
        assert world.pool.sent == []


@pytest.mark.parametrize("named", [(ANA, BEN), (OLGA, BEN)], ids=["who asked", "who approved"])
def test_the_bot_goes_on_with_it_when_slack_says_that_they_are_still_there(
    world: World, named: tuple[Actor, ...]
) -> None:
    id = approved_by_ana_in_slack(world)
    assert approved_by_ben_at_the_terminal(world, id, *named).state is State.QUEUED
    assert world.pool.sent == []
    with world.bot() as bot:
        tick(bot)
        assert request_of(bot, id).state is State.SUCCEEDED


def test_what_only_people_asked_and_approved_whom_the_terminal_names_needs_no_slack(world: World) -> None:
    id = approved_by_ana_in_slack(world)
    assert approved_by_ben_at_the_terminal(world, id, OLGA, ANA, BEN).state is State.SUCCEEDED


def test_somebody_of_the_same_id_in_another_workspace_is_not_named() -> None:
    people = at_the_terminal(ANA)
    assert people.standing(ANA).member
    with pytest.raises(Unavailable):
        people.standing(Actor(kind="slack", id=f"T0OTHER/{ANA.id.rpartition('/')[2]}", name="ana"))
    assert not people.standing(Actor(kind="terminal", id="ana", name="ana")).member


def test_who_approves_at_the_terminal_reads_for_what_it_waits(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    id = approved_by_ana_in_slack(world)
    approved_by_ben_at_the_terminal(world, id, OLGA, BEN)
    with world.bot() as bot:
        assert carried_on(cast(Bot, bot), id) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"Request {id} is approved and waiting for its turn. It waits. It cannot be told now whether ana" in told
