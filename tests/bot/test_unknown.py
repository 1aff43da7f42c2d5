"""A step that takes too long is unknown: nothing of it is sent again, and a person settles it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pyotp import TOTP

from bot.answers import Answer, Ask, Opened, Problem, Shown, Voted
from bot.codes import OneTimeCodes
from bot.model import Actor, Place, State
from tests.bot.fake_bot import bot
from tests.bot.fakes import ANA, BEN, CHANNEL, OLGA, SAM
from tests.bot.world import World

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_a_step_over_its_limit_is_unknown_and_said_so_in_the_thread(world: World) -> None:
    id = world.unknown()
    result = world.request(id).result
    assert result is not None
    assert "not ended within 2 min" in result.summary
    notes = [each for each in world.notes() if each and "unknown" in each]
    assert len(notes) == 1
    assert f"request settle {id}" in notes[0]


def test_a_restart_does_not_prolong_the_limit(world: World) -> None:
    world.pool.polls = 10_000
    world.clock.meanwhile = lambda: _crash_at(world, 60)
    id = world.approved("vm move web-1 to xs2")
    with pytest.raises(Crash):
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


def test_what_is_known_is_said_to_need_no_settling_before_its_evidence_is_judged(world: World) -> None:
    id = world.unknown()
    assert isinstance(world.say(f"request settle {id} failed because nothing of it shows", ANA), Voted)
    answer = world.say(f"request settle {id} done because ok", ANA)
    assert isinstance(answer, Problem)
    assert answer.message == f"Request {id} is failed; only one whose outcome is unknown can be settled."


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


class Crash(BaseException):
    pass


def _crash_at(world: World, seconds: float) -> None:
    world.pool.work()
    if world.clock.elapsed > seconds:
        raise Crash
