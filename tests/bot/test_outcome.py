"""How the end of a request is told, and what is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot import outcome
from bot.model import (
    Actor,
    Expect,
    Level,
    Lines,
    ObjectId,
    Place,
    Plan,
    PoolTarget,
    Request,
    Requirement,
    Result,
    Risk,
    State,
    Step,
    Suggestion,
)

POOL = ObjectId("pool", "p", "lab")
HOST = ObjectId("host", "h", "xs2")


def step(title: str, *, undo: bool = False, final: bool = False, waits: bool = False, expect: bool = True) -> Step:
    found = Step(
        title=title,
        target=PoolTarget("p"),
        call="" if waits else "host.x",
        expect=(Expect(object=HOST, rule="host.live"),) if expect else (),
        final=final,
    )
    return replace(found, undo=(replace(found, title=f"not {title}"),)) if undo else found


def request(**parts: object) -> Request:
    plan = Plan(command="x", arguments=(), pool=POOL, risk=Risk.ROUTINE, title="do it", **parts)  # type: ignore[arg-type]
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return Request(
        id="X-1", text="x", actor=Actor(kind="slack", id="T/U", name="olga"), place=Place(kind="slack"), plan=plan,
        digest="", requirement=Requirement(approvals=0, who="", expires_seconds=60), state=State.RUNNING,
        opened_at=now, expires_at=now,
    )  # fmt: skip


def test_nothing_before_a_final_step_is_taken_back() -> None:
    steps = (step("disable", undo=True), step("reboot", final=True), step("lower", undo=True), step("wait", waits=True))
    assert outcome.undoable(steps, [0]) == [0]
    assert outcome.undoable(steps, [0, 1]) == []
    assert outcome.undoable(steps, [0, 1, 2]) == [2]
    assert outcome.standing(steps, [0, 1, 2]) == ("stays done: disable", "stays done: reboot")
    assert outcome.standing(steps, []) == ("nothing was changed",)


def test_what_only_prepares_changes_nothing_and_leaves_nothing_to_read_back() -> None:
    steps = (replace(step("let it in", expect=False), prepares=True), step("move it"))
    assert outcome.standing(steps, [0]) == ("nothing was changed",)
    assert outcome.standing(steps, [0, 1]) == ("stays done: move it",)
    assert outcome.verified(steps)
    assert not outcome.verified((step("let it in", expect=False), step("move it")))


def test_what_a_later_wait_reads_back_is_verified() -> None:
    assert outcome.verified((step("power on", expect=False), step("wait", waits=True)))
    assert not outcome.verified((step("wait", waits=True), step("power on", expect=False)))


def test_what_was_not_mended_is_offered_once_and_before_all_else() -> None:
    offer, back = Suggestion("Plug it", "sr repair NFS"), Suggestion("Go back", "go home")
    steps = (step("join"), replace(step("plug"), mends=True, offers=(offer,)), replace(step("plug"), offers=(offer,)))
    found = request(steps=steps, go_back="go home")

    def offered(missed: list[int]) -> tuple[Suggestion, ...]:
        return outcome.note(found, State.SUCCEEDED, Result(summary="So."), Level.OK, bool, missed).suggestions

    assert offered([]) == (back,)
    assert offered([1, 2]) == (offer, back)
    assert "Done, except for 2 steps" in outcome.how(steps, [1, 2])
    assert "read back" in outcome.how(steps, [])


def test_a_command_is_offered_as_a_button_and_words_are_told() -> None:
    def note(state: State, **parts: object) -> tuple[tuple[str, ...], tuple[Suggestion, ...]]:
        found = outcome.note(request(**parts), state, Result(summary="So."), Level.OK, lambda text: text == "go home")
        (part,) = found.parts
        assert isinstance(part, Lines)
        return tuple(line.text for line in part.lines), found.suggestions

    on = (Suggestion("Go on", "x again"),)
    assert note(State.SUCCEEDED, go_back="go home", on_failure=on) == ((), (Suggestion("Go back", "go home"),))
    assert note(State.SUCCEEDED, go_back="Press the button.") == (("Press the button.",), ())
    assert note(State.FAILED, go_back="go home", on_failure=on) == ((), on)
    assert note(State.CANCELLED, on_failure=on) == ((), on)
    assert note(State.UNKNOWN, on_failure=on) == ((), (Suggestion("Settle it", "request settle X-1"),))
