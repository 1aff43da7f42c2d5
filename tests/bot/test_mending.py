"""Steps that only mend what did not become so by itself: skipped where it is so, told where they fail, never sent
twice.
"""

from __future__ import annotations

import pytest

from bot.model import CallState, State
from tests.bot.fakes import HOSTS, VMS
from tests.bot.lives import Crash, restarted, result_of
from tests.bot.world import World

XS1, XS2 = HOSTS


def test_it_is_done_and_read_back(world: World) -> None:
    id = world.approved("vm mend web-1 to xs2")
    world.run()
    assert world.request(id).state is State.SUCCEEDED
    assert "It was read back to be sure" in result_of(world.request(id))
    assert [step for _, step, _ in world.pool.sent] == [0, 1]


def test_what_is_so_already_is_left_alone(world: World) -> None:
    id = world.approved("vm mend web-1 to xs1")
    world.run()
    assert world.request(id).state is State.SUCCEEDED
    assert [step for _, step, _ in world.pool.sent] == [1]
    assert "web-1 is on 1" in result_of(world.request(id))
    assert "call intended" in world.kinds(id)
    assert not [record for record, _ in world.bot.store.calls(id) if record.step == 0]


def refused_once(world: World) -> None:
    """The first call is refused, the next is not."""
    world.pool.refuse = True

    def sent(key: tuple[str, int, bool]) -> None:
        world.pool.refuse = key[1] == 0

    world.pool.on_send = sent


def test_where_it_fails_the_rest_is_done_and_it_is_told(world: World) -> None:
    refused_once(world)
    id = world.approved("vm mend web-1 to xs2")
    world.run()
    request = world.request(id)
    assert request.state is State.SUCCEEDED
    assert world.pool.where == {**dict.fromkeys(VMS, XS1), VMS[1]: XS2}
    told = result_of(request)
    assert "Done, except for 1 step" in told
    assert "not done: Move web-1 to xs2 – The pool says no" in told


def test_a_restart_tells_it_again_and_sends_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refused_once(world)
    id = world.approved("vm mend web-1 to xs2")
    note = world.bot.store.note_call

    def noting(*arguments: object, **more: object) -> None:
        note(*arguments, **more)  # type: ignore[arg-type]
        if arguments[3] is CallState.FAILED:
            raise Crash

    monkeypatch.setattr(world.bot.store, "note_call", noting)
    with pytest.raises(Crash):
        world.run()
    restarted(world)
    world.turn()
    assert world.request(id).state is State.SUCCEEDED
    assert "not done: Move web-1 to xs2 – The pool says no" in result_of(world.request(id))
    assert [step for _, step, _ in world.pool.sent] == [0, 1]


def test_one_whose_outcome_is_unknown_ends_the_run(world: World) -> None:
    """Nobody knows whether the pool is still at it: that is no failure to go on from."""
    world.pool.polls = 10_000
    id = world.approved("vm mend web-1 to xs2")
    world.run()
    assert world.request(id).state is State.UNKNOWN
    assert [step for _, step, _ in world.pool.sent] == [0]
