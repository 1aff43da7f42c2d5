"""What only looks asks for no more than the role read-only: every such command, by an account that has no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import commands
from bot import compose, config
from bot.answers import Answer, Ask, Opened, Problem, Shown, VoteAsk, Voted
from bot.approval import END_STATES
from bot.clock import SystemClock
from bot.compose import Bot
from bot.config.reading import command_names
from bot.demo.lab import write_config
from bot.findings import Kind
from bot.model import Actor, Ballot, Level, Place, Request, Risk, State
from bot.registry import Registry
from bot.trial import of_pools
from sandbox.slack.running import start as start_workspace
from sandbox.xapi import lab as labs
from sandbox.xapi.running import RunningLab
from sandbox.xapi.running import start as start_lab
from tests.waiting import eventually

CHANNEL = Place(kind="slack", team="T0EXAMPLE", channel="C0INFRA")
ABSENT = ("not found", "refused")
"""What an example asks for need not be in this lab."""
REFUSAL = "may not do this in the pool"
READING = tuple(each for each in Registry.of_package(commands) if each.risk is Risk.READ)


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with start_lab(labs.load("tutorial"), tls=True, speed=20, accounts={"watcher": "read-only"}) as made:
        yield made


@pytest.fixture(scope="module")
def bot(lab: RunningLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """One whose account may only look; an audit has been run."""
    with ExitStack() as stack:
        path = write_config(tmp_path_factory.mktemp("bot"), lab, stack.enter_context(start_workspace()))
        path.write_text(path.read_text(encoding="utf-8").replace('"root"', '"watcher"'), encoding="utf-8")
        running = stack.enter_context(compose.running(config.load(path)))
        for _ in range(2):
            assert isinstance(asked(running, "audit run compatibility"), Shown)
        yield running


def asked(bot: Bot, text: str) -> Answer:
    olga = Actor(kind="slack", id="T0EXAMPLE/U0OLGA", name="olga")
    return bot.engine.answer(Ask(text=text, actor=olga, place=CHANNEL))


@pytest.mark.parametrize("name", [each.name for each in READING])
def test_it_answers(bot: Bot, name: str) -> None:
    """With a report, or with what is so; never with what the account may not."""
    (command,) = [each for each in READING if each.name == name]
    for example in command.examples:
        answer = asked(bot, example)
        assert isinstance(answer, Shown) or (isinstance(answer, Problem) and answer.error in ABSENT), answer
        assert REFUSAL not in str(answer)


@pytest.mark.parametrize("kind", [str(each) for each in Kind])
def test_every_audit_answers(bot: Bot, kind: str) -> None:
    answer = asked(bot, f"audit run {kind}")
    assert isinstance(answer, Shown), answer
    assert REFUSAL not in str(answer)


def test_what_it_may_not_is_said_before_anybody_needs_it(bot: Bot) -> None:
    settings = bot.settings.pool_settings()
    (point,) = [each for each in of_pools(settings, command_names(), SystemClock()) if each.level is Level.WARN]
    role, _, lacking = point.text.partition("is not enough for: ")
    assert "watcher" in role
    names = set(re.findall(r"[“‘](.+?)[”’]", lacking))
    assert "vm migrate" in names
    assert not names & {each.name for each in READING}


def test_a_change_is_refused_by_the_pool_in_words(bot: Bot) -> None:
    opened = asked(bot, "vm snapshot web-1")
    assert isinstance(opened, Opened), opened
    request = bot.store.request(opened.request_id)
    assert request is not None
    ana = Actor(kind="slack", id="T0EXAMPLE/U0ANA", name="ana")
    vote = VoteAsk(request_id=request.id, ballot=Ballot.APPROVE, digest=request.digest, actor=ana, place=CHANNEL)
    assert isinstance(bot.engine.vote(vote), Voted)

    def ended() -> Request | None:
        found = bot.store.request(opened.request_id)
        return found if found is not None and found.state in END_STATES else None

    found = eventually(ended, "the end")
    assert found is not None
    assert found.state is State.FAILED
    assert found.result is not None
    assert REFUSAL in found.result.summary
