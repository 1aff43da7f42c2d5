"""Following a call's task to its end, whatever becomes of the connection; and cancelling it."""

from __future__ import annotations

import logging

from bot.errors import ToolstackRefusal, Unavailable, UserError
from bot.execution.calls import Calls
from bot.execution.telling import Teller
from bot.execution.verifying import VERIFY_SECONDS
from bot.model import CallState
from bot.ports import Clock, Taken, TaskStatus, TaskView
from bot.run import Cancelled, Doing, Failed, Pieces, Unsure
from bot.text import duration

log = logging.getLogger(__name__)

POLL_SECONDS = (0.3, 1.0)
"""How often a task is looked at: at first, and after a while."""
_AT_FIRST_SECONDS = 10
CANCELLED = "its task was cancelled"


class Watcher:
    """Watches tasks."""

    def __init__(self, calls: Calls, clock: Clock, teller: Teller) -> None:
        self._calls = calls
        self._clock = clock
        self._teller = teller

    def watch(self, doing: Doing, task_uuid: str, *, waited_before: float) -> Pieces[str | None]:
        """Returns the task's result, None when it is lost. The step's limit counts from when the call was intended,
        `waited_before` seconds ago: a restart does not prolong it.

        :raises Failed: the task failed, or was cancelled. :raises Unsure: what became of it cannot be told.
        """
        run, hands, step = doing.run, doing.hands, doing.step
        started = self._clock.monotonic() - waited_before
        away, asked_to_cancel, shown = False, False, -1
        while True:
            waited = self._clock.monotonic() - started
            if run.cancel.is_set() and not asked_to_cancel and not doing.undo:
                asked_to_cancel = self._cancel(doing, task_uuid)
            try:
                task = hands.task(task_uuid)
            except UserError:
                if not away:
                    log.warning("%s: the pool went away during %s", run.request.id, step.call)
                away = True
                self._teller.tell_away(doing, max(shown, 0) / 100)
                if self._shows_elsewhere(doing):
                    return None
                _within_limit(doing, waited)
                yield POLL_SECONDS[1]
                continue
            if task is None:
                yield from self._without_task(doing)
                return None
            if task.status is TaskStatus.SUCCESS:
                return task.result
            if task.lost or (task.status is TaskStatus.CANCELLED and not asked_to_cancel):
                yield from self._by_its_effect(doing, task_uuid, task)
                return None
            if task.status is TaskStatus.FAILURE:
                raise Failed(*hands.explain(task.error))
            if task.status is TaskStatus.CANCELLED:
                raise Cancelled(CANCELLED)
            _within_limit(doing, waited)
            percent = round(task.progress * 100)
            if percent != shown:
                shown = percent
                self._teller.tell(doing, task.progress, step.title)
            yield POLL_SECONDS[0] if waited < _AT_FIRST_SECONDS else POLL_SECONDS[1]

    def _cancel(self, doing: Doing, task_uuid: str) -> bool:
        """Ask the pool to cancel it; False: it may not have heard."""
        self._calls.note_cancel(doing, "intended", task_uuid)
        try:
            doing.hands.cancel(task_uuid)
        except ToolstackRefusal as error:
            self._calls.note_cancel(doing, str(CallState.FAILED), task_uuid, reason=error.message)
            doing.run.evidence.append(f"the pool refused to cancel it, so it went on: {error.message}")
        except Unavailable as error:
            self._calls.note_cancel(doing, str(CallState.UNKNOWN), task_uuid, reason=error.message)
            return False
        self._calls.note_cancel(doing, str(CallState.DONE), task_uuid)
        return True

    def _by_its_effect(self, doing: Doing, task_uuid: str, task: TaskView) -> Pieces[None]:
        """Its task has ended as if nothing had been done, and not because the call said so: a host was lost meanwhile,
        or a toolstack that started anew cancelled it. What the host has begun, it may still bring to its end.

        :raises Cancelled: nothing of it shows, and somebody has cancelled it. :raises Failed: nothing of it shows, and
        nothing can come any more. :raises Unsure: nothing of it shows yet.
        """
        begun, hands = self._calls.begun(doing), doing.hands
        why = hands.explain(task.error)[0].rstrip(".") if task.status is TaskStatus.FAILURE else CANCELLED
        deadline = self._clock.monotonic() + VERIFY_SECONDS
        away_until = self._clock.monotonic() + max(doing.step.away_seconds, VERIFY_SECONDS)
        seen, over = "nothing else can tell whether it was done", False
        while begun is not None and doing.step.expect:
            try:
                sighting = hands.look(doing.step, begun[1], ended=task_uuid)
                if sighting.taken is Taken.DONE:
                    doing.run.evidence.append(f"{why}; {sighting.evidence}")
                    return
                seen, over = sighting.evidence, sighting.taken is Taken.NOT_TAKEN
                task = hands.task(task_uuid) or task
            except UserError as error:
                seen, deadline = error.message, away_until
            if self._clock.monotonic() > (away_until if task.lost else deadline):
                break
            self._teller.tell(doing, max(task.progress, 0.0), f"{doing.step.title} – {why}; looking what came of it")
            yield POLL_SECONDS[1]
        if task.status is TaskStatus.CANCELLED and not task.lost:
            raise Cancelled(CANCELLED)
        if over:
            raise Failed(f"{why}; {seen}")
        raise Unsure(f"{why}, which leaves open what came of it: {seen}")

    def _shows_elsewhere(self, doing: Doing) -> bool:
        """Where the call went nobody answers any more; does what it should have done show in another place?"""
        begun = self._calls.begun(doing)
        if begun is None or not any(expect.at for expect in doing.step.expect):
            return False
        try:
            sighting = doing.hands.look(doing.step, begun[1])
        except UserError:
            return False
        if sighting.taken is Taken.DONE:
            doing.run.evidence.append(sighting.evidence)
        return sighting.taken is Taken.DONE

    def _without_task(self, doing: Doing) -> Pieces[None]:
        """The task is gone (another coordinator, or destroyed by somebody): only the effect can tell, and only if it
        was not there before the call.

        :raises Unsure: it cannot be told.
        """
        begun = self._calls.begun(doing)
        if begun is None or not doing.step.expect:
            raise Unsure("its task is gone, and nothing else can tell whether it was done")
        deadline = self._clock.monotonic() + doing.step.away_seconds
        while True:
            try:
                sighting = doing.hands.look(doing.step, begun[1])
                break
            except UserError as error:
                if self._clock.monotonic() > deadline:
                    raise Unsure(f"its task is gone, and then: {error.message}") from error
                yield POLL_SECONDS[1]
        if sighting.taken is not Taken.DONE:
            raise Unsure(f"its task is gone ({sighting.evidence})")
        doing.run.evidence.append(f"its task is gone; {sighting.evidence}")


def _within_limit(doing: Doing, waited: float) -> None:
    """After a look, never before one: a task that ended while nobody looked has ended.

    :raises Unsure: the step has had its time.
    """
    if waited > doing.step.limit_seconds:
        raise Unsure(f"it has not ended within {duration(doing.step.limit_seconds)}; its task may still be running")
