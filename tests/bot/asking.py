"""Shorthands for asking and voting, with a bot and a clock of the test's own."""

from __future__ import annotations

from datetime import timedelta

from bot.answers import Answer, Ask, Opened, VoteAsk
from bot.model import Actor, Ballot, Place, State
from tests.bot.fake_bot import FakeBot
from tests.bot.fakes import ANA, CHANNEL, OLGA, START, HandClock


def at(clock: HandClock, minutes: float) -> None:
    clock.at = START + timedelta(minutes=minutes)


def asked(bot: FakeBot, text: str = "vm move web-1 to xs2", actor: Actor = OLGA) -> str:
    answer = bot.engine.answer(Ask(text=text, actor=actor, place=CHANNEL))
    assert isinstance(answer, Opened), answer
    return answer.request_id


def vote(bot: FakeBot, request_id: str, place: Place = CHANNEL, **more: str) -> Answer:
    request = bot.store.request(request_id)
    assert request
    given = VoteAsk(request_id=request_id, ballot=Ballot.APPROVE, digest=request.digest, actor=ANA, place=place, **more)
    return bot.engine.vote(given)


def tick(bot: FakeBot) -> None:
    bot.engine.tick()
    while bot.threads.run_one():
        pass


def state(bot: FakeBot, request_id: str) -> State:
    request = bot.store.request(request_id)
    assert request
    return request.state
