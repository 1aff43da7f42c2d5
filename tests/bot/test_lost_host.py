"""A task that ended badly though its call may not have: the coordinator lost the host that was doing it, or somebody
else has cancelled it. What is said then is what shows in the pool.
"""

from __future__ import annotations

import pytest

from bot.execution.verifying import VERIFY_SECONDS
from bot.model import State
from bot.ports import TaskStatus
from tests.bot.fakes import HOSTS, VMS, Killed
from tests.bot.lives import restarted, result_of
from tests.bot.world import World

XS2 = HOSTS[1]
WEB_1 = VMS[0]


def test_what_the_lost_host_brings_to_its_end_is_done(world: World) -> None:
    world.pool.break_off, world.pool.polls = True, 20
    id = world.approved("vm move web-1 to xs2")
    world.run()
    request = world.request(id)
    assert request.state is State.SUCCEEDED
    assert len(world.pool.sent) == 1
    assert "the pool gave it up; web-1 is on 2" in result_of(request)


def test_what_does_not_show_is_unknown_and_nothing_is_taken_back(world: World) -> None:
    world.pool.break_off, world.pool.polls = True, 10_000
    id = world.approved("vm move web-1 to xs2")
    world.run()
    request = world.request(id)
    assert request.state is State.UNKNOWN
    assert "the pool gave it up, which leaves open what came of it: web-1 is on 1" in result_of(request)
    assert len(world.pool.sent) == 1


def test_a_pool_that_is_away_meanwhile_is_waited_for(world: World) -> None:
    world.pool.break_off, world.pool.polls = True, 20

    def meanwhile() -> None:
        world.pool.away = 5 < world.clock.elapsed < 40
        world.pool.work()

    world.clock.meanwhile = meanwhile
    id = world.approved("vm move web-1 to xs2")
    world.run()
    assert world.request(id).state is State.SUCCEEDED


def test_after_a_crash_it_is_looked_for_again(world: World) -> None:
    world.pool.break_off, world.pool.polls = True, 60

    def meanwhile() -> None:
        world.pool.work()
        if world.clock.elapsed > 10:
            raise Killed("in the middle")

    world.clock.meanwhile = meanwhile
    id = world.approved("vm move web-1 to xs2")
    with pytest.raises(Killed):
        world.run()
    restarted(world)
    world.turn()
    assert world.request(id).state is State.SUCCEEDED
    assert len(world.pool.sent) == 1


def cancelled_by_somebody(world: World, *, goes_on: bool) -> str:
    def meanwhile() -> None:
        world.pool.work()
        for task in world.pool.tasks:
            task.status = TaskStatus.CANCELLED
            if goes_on and world.clock.elapsed > VERIFY_SECONDS / 2:
                world.pool.where[WEB_1] = XS2

    world.pool.polls = 10_000
    world.clock.meanwhile = meanwhile
    id = world.approved("vm move web-1 to xs2")
    world.run()
    return id


def test_what_somebody_else_has_cancelled_is_cancelled_when_nothing_of_it_shows(world: World) -> None:
    request = world.request(cancelled_by_somebody(world, goes_on=False))
    assert request.state is State.CANCELLED
    assert world.clock.elapsed >= VERIFY_SECONDS


def test_a_cancelled_task_whose_effect_shows_is_done(world: World) -> None:
    request = world.request(cancelled_by_somebody(world, goes_on=True))
    assert request.state is State.SUCCEEDED
    assert "its task was cancelled; web-1 is on 2" in result_of(request)
