"""Steps that see that something stays so before the call that rests on it is sent."""

from __future__ import annotations

import pytest

from bot.model import State
from tests.bot.fakes import HOSTS, VMS
from tests.bot.lives import Crash, after, cancel, restarted, result_of
from tests.bot.world import World

XS1, XS2 = HOSTS
WEB_1 = VMS[0]
ASKED = "vm guard web-1 to xs2"


def gone(world: World) -> None:
    world.pool.where[WEB_1] = XS2


def test_the_call_is_sent_after_it_has_stayed_so_and_the_looks_are_told(world: World) -> None:
    id = world.approved(ASKED)
    began = world.clock.elapsed
    sent_at: list[float] = []
    world.pool.on_send = lambda key: sent_at.append(world.clock.elapsed - began)
    world.run()
    assert world.request(id).state is State.SUCCEEDED
    assert 30 <= sent_at[0] < 40
    assert "web-1 is on 1 (11 looks in 30 s)" in result_of(world.request(id))
    assert [step for _, step, _ in world.pool.sent] == [1]


@pytest.mark.parametrize(("seconds", "looks"), [(3, "2 looks in 3 s"), (29, "11 looks in 30 s")])
def test_one_look_that_finds_otherwise_ends_it_with_nothing_sent(world: World, seconds: float, looks: str) -> None:
    id = world.approved(ASKED)
    after(world, seconds, lambda: gone(world))
    world.run()
    told = result_of(world.request(id))
    assert world.request(id).state is State.FAILED
    assert f"Web-1 is on 2 ({looks})" in told
    assert "nothing was changed" in told
    assert world.pool.sent == []


def test_what_cannot_be_asked_has_not_stayed_so(world: World) -> None:
    id = world.approved(ASKED)
    after(world, 15, lambda: setattr(world.pool, "away", True))
    world.run()
    assert world.request(id).state is State.FAILED
    assert "It cannot be told: The pool lab does not answer" in result_of(world.request(id))
    assert world.pool.sent == []


def test_it_can_be_cancelled(world: World) -> None:
    id = world.approved(ASKED)
    after(world, 15, lambda: cancel(world, id))
    world.run()
    assert world.request(id).state is State.CANCELLED
    assert world.pool.sent == []


def crashed_before_the_call(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """It stayed so, and the bot died before it sent what that was for."""
    id = world.approved(ASKED)
    note = world.bot.store.note_call

    def noting(*arguments: object, **more: object) -> None:
        note(*arguments, **more)  # type: ignore[arg-type]
        if arguments[1] == 0 and str(arguments[3]) == "done":
            raise Crash

    monkeypatch.setattr(world.bot.store, "note_call", noting)
    with pytest.raises(Crash):
        world.run()
    assert world.pool.sent == []
    restarted(world)
    return id


def test_another_life_looks_anew_before_it_sends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = crashed_before_the_call(world, monkeypatch)
    began = world.clock.elapsed
    world.turn()
    assert world.request(id).state is State.SUCCEEDED
    assert world.clock.elapsed - began >= 30
    assert len(world.pool.sent) == 1


def test_another_life_that_finds_otherwise_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = crashed_before_the_call(world, monkeypatch)
    gone(world)
    world.turn()
    assert world.request(id).state is State.FAILED
    assert "Web-1 is on 2 (1 look in" in result_of(world.request(id))
    assert world.pool.sent == []
