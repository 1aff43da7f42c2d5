"""What people stop: a request taken back before it began, or cancelled while it runs."""

from __future__ import annotations

from bot.answers import Answer, Problem, Voted
from bot.model import Actor, State
from tests.bot.fakes import BEN, OLGA, SAM
from tests.bot.world import World


def cancelled_midway(world: World, text: str, who: Actor = OLGA) -> tuple[str, list[Answer]]:
    id = world.approved(text)
    if "tour" in text:
        world.vote(id, BEN)
    said: list[Answer] = []

    def meanwhile() -> None:
        if not said:
            said.append(world.say(f"request cancel {id}", who))
        world.pool.work()

    world.pool.polls = 5
    world.clock.meanwhile = meanwhile
    world.run()
    world.turn()
    return id, said


def test_cancel_reaches_the_pools_task(world: World) -> None:
    id, said = cancelled_midway(world, "vm move web-1 to xs2")
    assert isinstance(said[0], Voted)
    request = world.request(id)
    assert request.state is State.CANCELLED
    assert request.result is not None
    assert "nothing was changed" in request.result.lines
    kinds = world.kinds(id)
    assert kinds.index("cancelling") < kinds.index("call failed") < kinds.index("cancelled") == len(kinds) - 1


def test_a_pool_that_refuses_to_cancel_goes_on_and_it_is_said(world: World) -> None:
    world.pool.stubborn = True
    id, _ = cancelled_midway(world, "vm move web-1 to xs2")
    request = world.request(id)
    assert request.state is State.SUCCEEDED
    assert request.result is not None
    assert any("refused to cancel" in line for line in request.result.lines)


def test_cancel_after_a_first_step_undoes_it(world: World) -> None:
    world.pool.stubborn = True
    id, _ = cancelled_midway(world, "vm tour web-1 to xs2")
    assert world.request(id).state is State.CANCELLED
    assert world.pool.sent == [(id, 0, False), (id, 0, True)]


def test_a_stranger_cancels_nothing(world: World) -> None:
    id, said = cancelled_midway(world, "vm move web-1 to xs2", SAM)
    assert isinstance(said[0], Problem)
    assert world.request(id).state is State.SUCCEEDED
    assert "denied" in world.kinds()


def test_withdrawn_before_it_began_it_never_runs(world: World) -> None:
    id = world.approved("vm move web-1 to xs2")
    assert isinstance(world.say(f"request withdraw {id}"), Voted)
    world.turn()
    assert world.request(id).state is State.WITHDRAWN
    assert world.pool.sent == []
    assert isinstance(world.say(f"request withdraw {id}"), Problem)


def test_what_waits_is_withdrawn_and_what_does_not_run_is_not_cancelled(world: World) -> None:
    id = world.ask("vm move web-1 to xs2")
    refused = world.say(f"request cancel {id}")
    assert isinstance(refused, Problem)
    assert f"request withdraw {id}" in refused.remedy
