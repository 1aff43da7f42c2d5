"""What is written down of each call, before it is sent and after: for the ledger, and to take it up after a crash."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator

from bot.model import BOT, Argument, CallRecord, CallState, Entry, MapOf, Plan, ResultOf, Step
from bot.ports import Clock, Store
from bot.run import Doing, LeaseLost, Run

log = logging.getLogger(__name__)

NEVER_KEPT = ("session.", "secret.", "Async.", "host.migrate_receive")
"""Calls whose answers are, or may be, secrets."""


class Calls:
    """The calls of requests, in the store and in the ledger."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begun(self, doing: Doing) -> tuple[CallRecord, str] | None:
        """What is known of it, and its mark; None: it was never intended."""
        for record, mark in self._store.calls(doing.run.request.id):
            if record.step == doing.number and record.undo is doing.undo:
                return record, mark
        return None

    def all_begun(self, run: Run) -> set[int]:
        """The numbers of the steps that were begun, maybe in another life of the bot; of those that undo, none."""
        return {record.step for record, _ in self._store.calls(run.request.id) if not record.undo}

    def intend(self, doing: Doing, mark: str) -> None:
        """:raises LeaseLost: another process has begun it, or has the request."""
        run, step = doing.run, doing.step
        entry = _entry(doing, "begun" if step.waits else "intended")
        now = self._clock.now()
        if not self._store.intend(
            run.request.id, doing.number, doing.undo, step.call, mark, entry, now, owner=run.owner
        ):
            raise LeaseLost
        log.info("%s begun: %s", _which(doing), step.title)

    def sent(self, doing: Doing, task_uuid: str) -> None:
        self._store.note_call(doing.run.request.id, doing.number, doing.undo, CallState.SENT, task_uuid=task_uuid)

    def note(
        self,
        doing: Doing,
        state: CallState,
        task_uuid: str = "",
        reason: str = "",
        *,
        code: str = "",
        more: tuple[str, ...] = (),
        result: str | None = None,
    ) -> None:
        """What became of it. Its answer (`result`) is kept only where a later step needs it."""
        entry = _entry(doing, str(state))
        body = {**entry.body, **({"reason": reason} if reason else {}), **({"code": code} if code else {})}
        needed = result if not doing.undo and is_needed(doing.run.request.plan, doing.number) else None
        self._store.note_call(
            doing.run.request.id,
            doing.number,
            doing.undo,
            state,
            task_uuid=task_uuid,
            error=(reason, *more) if reason else (),
            result=needed,
            entry=dataclasses.replace(entry, body=body),
        )
        level = logging.INFO if state is CallState.DONE else logging.WARNING
        log.log(level, "%s %s: %s%s", _which(doing), state, doing.step.title, f" – {reason}" if reason else "")

    def note_cancel(self, doing: Doing, what: str, task_uuid: str, **more: str) -> None:
        """Harmless to send twice, so it is on record but not among the calls that are sent once."""
        request = doing.run.request
        body = {"step": doing.number, "call": "task.cancel", "task": task_uuid, **more}
        kind = f"cancel {what}"
        self._store.record(Entry(kind=kind, actor=BOT, pool=request.plan.pool.name, request_id=request.id, body=body))


def needs(step: Step) -> Iterator[int]:
    """The numbers of the steps whose answers it takes."""
    taken: tuple[Argument, ...] = (*step.arguments, *(expect.equals for expect in step.expect))
    return (argument.step for argument in taken if isinstance(argument, ResultOf | MapOf))


def is_needed(plan: Plan, number: int) -> bool:
    """Does a later step, or an undo, take what this step answered? Only then it is kept."""
    if plan.steps[number].call.startswith(NEVER_KEPT):
        return False
    return any(number in needs(each) for step in plan.steps for each in (step, *step.undo))


def _which(doing: Doing) -> str:
    """`step 2 of 5`; those that undo are numbered by themselves."""
    steps = doing.run.request.plan.steps
    if doing.undo:
        return f"undo step {doing.number + 1} of {sum(len(each.undo) for each in steps)}"
    return f"step {doing.number + 1} of {len(steps)}"


def _entry(doing: Doing, what: str) -> Entry:
    """`call intended`, `call done` …; `wait begun`, `wait done` …"""
    step, request = doing.step, doing.run.request
    body = {"step": doing.number, "call": step.call, "title": step.title, "undo": doing.undo}
    if what == "intended":
        body["arguments"] = [_told(argument) for argument in step.arguments]
    kind = f"{'wait' if step.waits else 'call'} {what}"
    return Entry(kind=kind, actor=BOT, pool=request.plan.pool.name, request_id=request.id, body=body)


def _told(argument: object) -> object:
    """An argument as the ledger keeps it: objects by class, uuid and name; secrets by name."""
    return (
        dataclasses.asdict(argument)
        if dataclasses.is_dataclass(argument) and not isinstance(argument, type)
        else str(argument)
    )
