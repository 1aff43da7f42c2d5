"""Steps that wait, and answers that later steps need: over restarts, absences, cancelling; nothing is sent twice."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.errors import OutcomeUnknown
from bot.model import ObjectId, State, Step
from tests.bot.fakes import HOSTS, VMS, FakeHands
from tests.bot.lives import Crash, after, cancel, crash, restarted, result_of
from tests.bot.world import World

XS1, XS2 = HOSTS
WEB_1 = VMS[0]


def brought_home(world: World) -> None:
    world.pool.where[WEB_1] = XS1


def test_it_waits_and_says_for_what_and_sends_nothing(world: World) -> None:
    told: list[str] = []
    id = world.approved("vm await web-1 to xs2")

    def home() -> None:
        told.append(world.waits_for(id))
        brought_home(world)

    after(world, 40, home)
    world.run()
    assert told == ["Wait for web-1 – web-1 is on 2"]
    assert world.request(id).state is State.SUCCEEDED
    assert "web-1 is on 1" in result_of(world.request(id))
    assert len(world.pool.sent) == 1
    assert world.kinds(id)[-3:] == ["wait begun", "wait done", "succeeded"]


def test_what_does_not_happen_in_time_has_failed_and_what_was_done_is_undone(world: World) -> None:
    id = world.approved("vm await web-1 to xs2")
    world.run()
    request = world.request(id)
    assert request.state is State.FAILED
    assert "did not happen within 5 min: web-1 is on 2" in result_of(request)
    assert "undone: Move web-1 to xs1" in result_of(request)
    assert world.pool.where[WEB_1] == XS1
    assert 300 <= world.clock.elapsed < 330


def test_a_restart_neither_ends_nor_prolongs_it(world: World) -> None:
    id = world.approved("vm await web-1 to xs2")
    after(world, 100, crash)
    with pytest.raises(Crash):
        world.run()
    restarted(world)
    world.turn()
    assert world.request(id).state is State.FAILED
    assert world.clock.elapsed < 330
    assert [undo for _, _, undo in world.pool.sent] == [False, True]


def test_what_happened_while_the_bot_was_down_counts_also_after_the_limit(world: World) -> None:
    id = world.approved("vm await web-1 to xs2")
    after(world, 100, crash)
    with pytest.raises(Crash):
        world.run()
    brought_home(world)
    restarted(world, 1000)
    world.turn()
    assert world.request(id).state is State.SUCCEEDED


@pytest.mark.parametrize(("seconds", "state"), [(100, State.SUCCEEDED), (150, State.FAILED)])
def test_the_pool_may_be_away_as_long_as_the_step_says(world: World, seconds: float, state: State) -> None:
    told: list[str] = []
    id = world.approved("vm await web-1 to xs2")

    def back() -> None:
        told.append(world.waits_for(id))
        world.pool.away = False
        brought_home(world)

    def away() -> None:
        world.pool.away = True
        after(world, seconds, back)

    after(world, 20, away)
    world.run()
    request = world.request(id)
    assert request.state is state, request.result
    if state is State.SUCCEEDED:
        assert told == ["Wait for web-1 – away, which is normal now; waiting"]
    else:
        assert "No answer for 2 min" in result_of(request)
        assert "could not be undone" in result_of(request)


def test_cancelled_while_it_waits(world: World) -> None:
    id = world.approved("vm await web-1 to xs2")
    after(world, 30, lambda: cancel(world, id))
    world.run()
    assert world.request(id).state is State.CANCELLED
    assert world.pool.where[WEB_1] == XS1


def test_cancelled_and_undone_by_another_life_it_ends_cancelled(world: World) -> None:
    id = world.approved("vm await web-1 to xs2")

    def cancelled() -> None:
        cancel(world, id)
        world.pool.polls = 10_000  # the undo takes its time
        after(world, 20, crash)

    after(world, 30, cancelled)
    with pytest.raises(Crash):
        world.run()
    assert world.request(id).state is State.UNDOING
    for task in world.pool.tasks:
        task.polls = 2
    restarted(world)
    world.turn()
    assert world.request(id).state is State.CANCELLED
    assert world.pool.where[WEB_1] == XS1
    assert "cancelled while it waited" in result_of(world.request(id))


def test_an_answer_that_a_later_step_needs_survives_a_restart(world: World) -> None:
    id = world.approved("vm relay web-1 to xs2")

    def at_the_second(key: tuple[str, int, bool]) -> None:
        if key[1] == 1:
            raise Crash

    world.pool.on_send = at_the_second
    with pytest.raises(Crash):
        world.run()
    restarted(world)
    world.pool.on_send = lambda key: None
    calls = {record.step: record for record, _ in world.bot.store.calls(id)}
    assert calls[0].result == "made-0"
    world.turn()
    assert world.request(id).state is State.FAILED, "the second call never left, and is not sent again"


def test_a_crash_between_two_steps_hands_the_answer_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = world.approved("vm relay web-1 to xs2")
    note = world.bot.store.note_call

    def noting(*arguments: object, **more: object) -> None:
        note(*arguments, **more)  # type: ignore[arg-type]
        if str(arguments[3]) == "done":
            raise Crash

    monkeypatch.setattr(world.bot.store, "note_call", noting)
    with pytest.raises(Crash):
        world.run()
    restarted(world)
    world.turn()
    assert world.request(id).state is State.SUCCEEDED
    assert world.pool.given == [{}, {0: "made-0"}]


def test_an_answer_that_nobody_needs_is_not_kept(world: World) -> None:
    id = world.approved("vm move web-1 to xs2")
    world.run()
    assert [record.result for record, _ in world.bot.store.calls(id)] == [None]


def test_a_lost_answer_is_not_taken_for_an_empty_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.ports import Sighting, Taken
    from tests.bot.fakes import FakeHands

    world.pool.lose = "after"
    done = Sighting(taken=Taken.DONE, evidence="its effect is there")

    def look(self: FakeHands, step: object, mark: str) -> Sighting:
        world.pool.where[WEB_1] = XS2
        return done

    monkeypatch.setattr(FakeHands, "look", look)
    id = world.approved("vm relay web-1 to xs2")
    world.run()
    request = world.request(id)
    assert request.state is State.FAILED
    assert "The answer of step 1, which this one needs, was lost" in result_of(request)
    assert len(world.pool.sent) == 1


def test_what_was_seen_when_the_answer_was_lost_is_not_said_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.ports import Sighting, Taken
    from tests.bot.fakes import FakeHands

    world.pool.lose = "after"

    def look(self: FakeHands, step: object, mark: str) -> Sighting:
        world.pool.where[WEB_1] = XS2
        return Sighting(taken=Taken.DONE, evidence="its effect is there: web-1 is on 2")

    monkeypatch.setattr(FakeHands, "look", look)
    id = world.approved("vm move web-1 to xs2")
    world.run()
    assert world.request(id).state is State.SUCCEEDED
    assert result_of(world.request(id)).count("web-1 is on 2") == 1


def test_what_nobody_can_tell_is_told_as_one_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.ports import Sighting, Taken
    from tests.bot.fakes import FakeHands

    world.pool.lose = "after"
    unknown = Sighting(taken=Taken.UNKNOWN, evidence="It cannot be told: one look is not enough.")
    monkeypatch.setattr(FakeHands, "look", lambda *_: unknown)
    id = world.approved("vm relay web-1 to xs2")
    world.run()
    request = world.request(id)
    assert request.state is State.UNKNOWN
    assert request.result is not None
    assert request.result.summary.endswith("one look is not enough.")
    assert ".." not in request.result.summary
    assert "Look at the pool before" in request.result.remedy


def test_an_object_that_is_not_there_yet_is_no_error() -> None:
    from bot.inventory import Inventory
    from bot.rules import conditions

    empty = Inventory({"pool": {"p": {"uuid": "u"}}, "host": {}}, 0.0)
    new = ObjectId("host", "h9", "xs9")
    assert conditions.holds(conditions.READY, new, empty) == (False, "xs9 is not among the pool's hosts")
    assert conditions.holds(conditions.GONE, new, empty)[0]
    with pytest.raises(LookupError):
        conditions.holds("host.perfect", new, empty)


def test_a_bot_that_is_being_stopped_sees_nothing_any_more(world: World) -> None:
    """What closes with it (its sessions) would look like a pool that has gone silent."""
    id = world.approved("vm await web-1 to xs2")

    def stopped() -> None:
        world.bot.runner.close()
        brought_home(world)

    after(world, 40, stopped)
    world.run()
    assert world.request(id).state is State.RUNNING
    restarted(world)
    world.turn()
    assert world.request(id).state is State.SUCCEEDED


def test_what_undoes_a_step_has_its_answer_also_in_another_life(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = world.approved("vm relay web-1 to xs2")
    world.pool.refuse, world.pool.spare = True, 1
    move = world.bot.store.move

    def moving(request_id: str, frm: State, to: State, *arguments: object, **more: object) -> bool:
        moved = move(request_id, frm, to, *arguments, **more)  # type: ignore[arg-type]
        if to is State.UNDOING:
            raise Crash
        return moved

    monkeypatch.setattr(world.bot.store, "move", moving)
    with pytest.raises(Crash):
        world.run()
    assert world.request(id).state is State.UNDOING
    world.pool.refuse = False
    restarted(world)
    world.turn()
    assert world.request(id).state is State.FAILED
    assert "undone: Move web-1 to xs1" in result_of(world.request(id))
    assert world.pool.given[-1] == {0: "made-0"}


def running_with_nothing_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A request whose bot died when it was about to begin."""
    id = world.approved("vm move web-1 to xs2")
    move = world.bot.store.move

    def moving(request_id: str, frm: State, to: State, *arguments: object, **more: object) -> bool:
        moved = move(request_id, frm, to, *arguments, **more)  # type: ignore[arg-type]
        if to is State.RUNNING:
            raise Crash
        return moved

    monkeypatch.setattr(world.bot.store, "move", moving)
    with pytest.raises(Crash):
        world.run()
    assert world.request(id).state is State.RUNNING
    assert world.pool.sent == []
    return id


def test_what_was_about_to_begin_is_begun_by_another_life(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = running_with_nothing_sent(world, monkeypatch)
    restarted(world)
    world.turn()
    assert world.request(id).state is State.SUCCEEDED


def test_what_is_something_else_by_then_is_not_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan was compared before the crash; what the pool has become since, nobody has approved."""
    id = running_with_nothing_sent(world, monkeypatch)
    world.pool.where[WEB_1] = XS2
    restarted(world, 1000)
    world.turn()
    assert world.request(id).state is State.FAILED
    assert world.pool.sent == []
    assert "Nothing was sent" in result_of(world.request(id))


def test_what_was_approved_for_another_time_is_not_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = running_with_nothing_sent(world, monkeypatch)
    restarted(world, 7 * 24 * 3600)
    world.turn()
    assert world.request(id).state is State.FAILED
    assert world.pool.sent == []
    assert "its approval has expired" in result_of(world.request(id))
    assert "nothing was changed" in result_of(world.request(id))


def test_where_the_pool_is_away_by_then_nothing_is_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = running_with_nothing_sent(world, monkeypatch)
    world.pool.away = True
    restarted(world)
    world.turn()
    assert world.request(id).state is State.FAILED
    assert world.pool.sent == []
    assert "does not answer" in result_of(world.request(id))


@pytest.mark.parametrize(
    ("end", "told", "not_told"),
    [
        (Crash, "the bot was stopped or restarted before it had the answer", "connection"),
        (ZeroDivisionError, "a defect of the bot kept it from the answer", "stopped"),
        (OutcomeUnknown, "the connection broke during the call", "stopped"),
    ],
)
def test_it_says_why_it_has_no_answer(
    end: type[BaseException], told: str, not_told: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, ends = FakeHands.send, [end]

    def lost(hands: FakeHands, step: Step, results: Mapping[int, str]) -> str:
        answer = send(hands, step, results)
        if ends:
            raise ends.pop()("now")
        return answer

    monkeypatch.setattr(FakeHands, "send", lost)
    id = world.approved("vm move web-1 to xs2")
    if end is Crash:
        with pytest.raises(Crash):
            world.run()
        restarted(world)
    else:
        world.run()
        world.clock.sleep(30)
    world.turn()
    request = world.request(id)
    assert request.state is State.SUCCEEDED
    assert told in result_of(request)
    assert not_told not in result_of(request)
    assert len(world.pool.sent) == 1
