"""Steps that are done at once: how many, in which order of stages, and what becomes of the others when one fails, is
cancelled, is lost, or the bot dies.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.execution.calls import Calls
from bot.model import CallState, ObjectId, Plan, PoolTarget, Progress, Risk, State, Step, fields, together
from bot.ports import TaskStatus
from bot.run import Doing
from tests.bot.fake_bot import bot
from tests.bot.fakes import HOSTS, VMS, FakePool, Fate, HandClock, Killed
from tests.bot.lives import restarted, result_of
from tests.bot.world import World

XS1, XS2 = HOSTS
POOL = PoolTarget("p")


def step(title: str) -> Step:
    return Step(title=title, target=POOL, call="VM.start")


def plan(*steps: Step, at_once: int = 8) -> Plan:
    return Plan(
        command="x", arguments=(), pool=ObjectId("pool", "p", "lab"), risk=Risk.ROUTINE, title="x", steps=steps,
        at_once=at_once,
    )  # fmt: skip


# --- as data ----------------------------------------------------------------------------------------------------------


def test_a_plan_says_what_is_done_at_once() -> None:
    made = plan(step("a"), *together(map(step, "bcd")), step("e"))
    assert made.stages == ((0,), (1, 2, 3), (4,))
    assert made.lines == ("a", "3 at once: b; c; d", "e")
    assert replace(made, at_once=2).lines[1] == "3 at once, 2 at a time at most: b; c; d"
    assert plan(*together(map(step, "ab"))).stages == ((0, 1),)


def test_what_is_approved_is_what_is_done_at_once_and_older_plans_keep_their_digest() -> None:
    alone, abreast = plan(*map(step, "ab")), plan(*together(map(step, "ab")))
    assert alone.digest() != abreast.digest() != replace(abreast, at_once=2).digest()
    stored = str(fields.binding(alone))
    assert "together" not in stored
    assert "at_once" not in stored


# --- as it is done ----------------------------------------------------------------------------------------------------


def spread(world: World) -> str:
    return world.approved("vm spread web-1 to xs2")


def sent(world: World) -> list[int]:
    return [number for _, number, undo in world.pool.sent if not undo]


def test_so_many_at_a_time_and_what_follows_waits_for_all(world: World) -> None:
    most, told = 0, set()

    def meanwhile() -> None:
        nonlocal most
        most = max(most, sum(task.status is TaskStatus.PENDING for task in world.pool.tasks))
        told.add(world.waits_for(request_id))
        world.pool.work()

    world.pool.polls = 4
    world.clock.meanwhile = meanwhile
    request_id = spread(world)
    world.run()
    assert world.request(request_id).state is State.SUCCEEDED
    assert most == 2
    assert sent(world) == [0, 1, 2, 3]
    assert [number for _, number, _ in world.pool.done][-1] == 3
    assert any(each.startswith("2 of 3 done") for each in told)


def test_one_fails_no_other_is_begun_and_those_begun_are_undone_when_they_are_through(world: World) -> None:
    def on_send(key: tuple[str, int, bool]) -> None:
        world.pool.fail = key[1:] == (0, False)

    world.pool.on_send = on_send
    id = spread(world)
    world.run()
    request = world.request(id)
    assert request.state is State.FAILED
    assert sent(world) == [0, 1]
    assert [key[1:] for key in world.pool.done] == [(1, False), (1, True)]
    assert world.pool.where == dict.fromkeys(VMS, XS1)
    told = result_of(request)
    assert "Move web-1 to xs2: the pool gave it up" in told
    assert "not begun: Move web-3 to xs2" in told
    assert "undone: Move web-2 to xs1" in told


def test_one_of_which_nobody_knows_ends_it_when_the_other_is_through(world: World) -> None:
    def on_send(key: tuple[str, int, bool]) -> None:
        world.pool.polls = 10_000 if key[1] == 0 else 3

    world.pool.on_send = on_send
    id = spread(world)
    world.run()
    request = world.request(id)
    assert request.state is State.UNKNOWN
    assert "Move web-1 to xs2: it has not ended within 2 min" in result_of(request)
    records = {record.step: str(record.state) for record, _ in world.bot.store.calls(id)}
    assert records == {0: "unknown", 1: "done", 2: "done"}


def test_what_failed_beside_one_of_which_nobody_knows_is_told_too(world: World) -> None:
    def on_send(key: tuple[str, int, bool]) -> None:
        world.pool.polls = 10_000 if key[1] == 0 else 3
        world.pool.fail = key[1] == 1

    world.pool.on_send = on_send
    id = spread(world)
    world.run()
    request = world.request(id)
    assert request.state is State.UNKNOWN
    assert request.result
    assert "did not happen: Move web-2 to xs2 – the pool gave it up" in request.result.lines
    assert "not begun: Move web-3 to xs2" in request.result.lines


def test_cancelling_cancels_all_that_run_and_begins_no_other(world: World) -> None:
    id = spread(world)
    asked: list[object] = []

    def meanwhile() -> None:
        if not asked:
            asked.append(world.say(f"request cancel {id}"))
        world.pool.work()

    world.pool.polls = 5
    world.clock.meanwhile = meanwhile
    world.run()
    world.turn()
    assert world.request(id).state is State.CANCELLED
    assert sent(world) == [0, 1]
    assert [task.status for task in world.pool.tasks] == [TaskStatus.CANCELLED] * 2
    assert world.kinds(id).count("cancel done") == 2


def test_nothing_is_sent_while_a_lost_call_is_looked_for(world: World) -> None:
    """Its task could be taken for the lost one's."""

    def on_send(key: tuple[str, int, bool]) -> None:
        if key[1] == 0 and not key[2]:
            world.pool.lose, world.pool.away = "after", True
        else:
            assert not world.pool.away

    began = world.clock.elapsed

    def meanwhile() -> None:
        world.pool.work()
        if world.clock.elapsed - began > 20 and world.pool.away:
            world.pool.lose, world.pool.away = "", False

    world.pool.on_send, world.clock.meanwhile = on_send, meanwhile
    world.pool.polls = 100
    id = spread(world)
    world.run()
    assert world.request(id).state is State.SUCCEEDED
    assert sent(world) == [0, 1, 2, 3]
    assert "the connection broke during the call; its task was found" in result_of(world.request(id))


def test_it_goes_on_after_a_death_at_any_call(tmp_path: Path) -> None:
    """Every call to the store and the pool, before and after it was carried out: taken up, and nothing sent twice."""
    crashes = 0
    for after in (False, True):
        for left in range(200):
            clock, pool, fate = HandClock(), FakePool(), Fate()
            clock.meanwhile = pool.work
            world = World.__new__(World)
            world.path, world.clock, world.pool = tmp_path / f"{after}-{left}.sqlite3", clock, pool
            world.bot = bot(world.path, pool, clock, fate)
            id = spread(world)
            fate.left, fate.after = left, after
            try:
                world.run()
            except Killed:
                crashes += 1
                restarted(world)
                world.turn()
            else:
                fate.left = None
                world.bot.crash()
                break
            finally:
                fate.left = None
            assert len(set(pool.sent)) == len(pool.sent), (left, after)
            assert world.request(id).state in (State.SUCCEEDED, State.FAILED), (left, after, world.request(id).state)
            if world.request(id).state is State.SUCCEEDED:
                assert sorted(sent(world)) == [0, 1, 2, 3]
            world.bot.crash()
        else:
            pytest.fail("it was killed at every call of 200, and there were more")
    assert crashes > 60


def test_what_was_begun_beside_one_that_failed_is_followed_after_a_death_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on its way in the pool, whatever became of the other: it is waited for, and undone."""
    note = Calls.note

    def dying(calls: Calls, doing: Doing, state: CallState, *more: Any, **named: Any) -> None:
        note(calls, doing, state, *more, **named)
        if state is CallState.FAILED:
            raise Killed

    def on_send(key: tuple[str, int, bool]) -> None:
        world.pool.fail = key[1:] == (0, False)
        world.pool.polls = 2 if key[1] == 0 else 20

    world.pool.on_send = on_send
    monkeypatch.setattr(Calls, "note", dying)
    id = spread(world)
    with pytest.raises(Killed):
        world.run()
    monkeypatch.undo()
    restarted(world, seconds=0)
    world.clock.at += timedelta(seconds=30)  # the dead one's lease runs out, and the pool has not got on
    world.turn()
    request = world.request(id)
    assert request.state is State.FAILED
    assert sent(world) == [0, 1]
    assert [key[1:] for key in world.pool.done] == [(1, False), (1, True)]
    assert world.pool.where == dict.fromkeys(VMS, XS1)
    assert "undone: Move web-2 to xs1" in result_of(request)


def test_progress_counts_the_stage(world: World) -> None:
    seen: list[Progress] = []

    def meanwhile() -> None:
        if progress := world.request(request_id).progress:
            seen.append(progress)
        world.pool.work()

    world.clock.meanwhile = meanwhile
    request_id = spread(world)
    world.run()
    wholes = [each.step + each.fraction for each in seen]
    assert wholes == sorted(wholes)
    assert {each.steps for each in seen} == {4}
