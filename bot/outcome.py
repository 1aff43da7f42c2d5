"""How the end of a request is told, and what of it is taken back when a step has failed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.model import Level, Line, Lines, Plan, Report, Request, Result, State, Step, Suggestion
from bot.text import duration, plural


def undoable(steps: Sequence[Step], done: Sequence[int]) -> list[int]:
    """The steps that are taken back, last first: those after the last that is final."""
    barrier = max((number for number in done if steps[number].final), default=-1)
    return [number for number in reversed(done) if number > barrier and steps[number].undo]


def standing(steps: Sequence[Step], done: Sequence[int]) -> tuple[str, ...]:
    """What stays done, or that nothing was."""
    changed = [number for number in done if not steps[number].waits and not steps[number].prepares]
    back = set(undoable(steps, done))
    left = [f"stays done: {steps[number].title}" for number in changed if number not in back]
    return (*left, *(() if changed else ("nothing was changed",)))


def verified(steps: Sequence[Step]) -> bool:
    """Was everything read back that changes something: what each step expects, or else what a later wait does?"""
    return all(
        step.expect or step.prepares or any(later.waits for later in steps[at:]) for at, step in enumerate(steps)
    )


def how(steps: Sequence[Step], missed: Sequence[int]) -> str:
    """How it is known that all went well, or that not all did: `missed` are the steps that should have mended
    something and did not.
    """
    if missed:
        return f"Done, except for {plural(len(missed), 'step')}: what could not be mended is said below."
    return "It was read back to be sure." if verified(steps) else "So the pool reported; nothing else can tell."


def note(
    request: Request,
    state: State,
    result: Result,
    level: Level,
    is_command: Callable[[str], bool],
    missed: Sequence[int] = (),
) -> Report:
    """The note in the thread. `is_command`: can it be typed? `missed`: as in :func:`how`."""
    plan = request.plan
    took = f"Done in {duration(result.seconds)}. " if state is State.SUCCEEDED else ""
    told = [*result.lines, *((result.remedy,) if result.remedy else ())]
    if state is State.SUCCEEDED and plan.go_back and not is_command(plan.go_back):
        told.append(plan.go_back)
    return Report(
        title=f"{plan.pool.name}: {plan.title} – {state.said}",
        level=level,
        summary=took + result.summary,
        parts=(Lines(lines=tuple(Line(text=text) for text in told)),),
        suggestions=(*_instead(plan, missed), *_next(request.id, plan, state, is_command)),
    )


def _instead(plan: Plan, missed: Sequence[int]) -> tuple[Suggestion, ...]:
    return tuple(dict.fromkeys(each for number in missed for each in plan.steps[number].offers))


def _next(request_id: str, plan: Plan, state: State, is_command: Callable[[str], bool]) -> tuple[Suggestion, ...]:
    if state is State.SUCCEEDED:
        back = plan.go_back and is_command(plan.go_back)
        return (*plan.on_success, *((Suggestion("Go back", plan.go_back),) if back else ()))
    if state in (State.FAILED, State.CANCELLED):
        return plan.on_failure
    return (Suggestion("Settle it", f"request settle {request_id}"),) if state is State.UNKNOWN else ()


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
