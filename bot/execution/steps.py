"""One step from its beginning to its end, or from where a dead process left it."""

from __future__ import annotations

from dataclasses import replace

from bot.errors import UserError
from bot.execution import waiting
from bot.execution.calls import Calls
from bot.execution.sending import Sender
from bot.execution.telling import Teller
from bot.execution.verifying import runs_on, stayed, verify
from bot.execution.watching import Watcher
from bot.model import CallRecord, CallState
from bot.ports import Clock
from bot.run import Cancelled, Doing, Failed, LeaseLost, Pieces, Unsure

_CANCELLED = "cancelled"
"""Second element of a call's error: it did not fail, it was cancelled."""


class Steps:
    """Does steps, and writes down every one before and after."""

    def __init__(self, calls: Calls, clock: Clock, teller: Teller) -> None:
        self._calls = calls
        self._clock = clock
        self._teller = teller
        self._sender = Sender(calls, clock, teller)
        self._watcher = Watcher(calls, clock, teller)

    def do(self, doing: Doing) -> Pieces[None]:
        """Do one step, or find out what became of it if it was begun before.

        :raises Failed: it did not happen. :raises Unsure: it may have. :raises LeaseLost: another process has it.
        """
        step = doing.step
        begun = self._calls.begun(doing)
        result: str | None = None
        if begun is None:
            if step.mends and _is_so(doing):
                return
            intended_at = self._clock.now()
            task_uuid, result = yield from self._begin(doing)
        else:
            record, mark = begun
            if _is_over(record):
                if step.lasting_seconds and not self._calls.begun(replace(doing, number=doing.number + 1)):
                    # Between two lives of the bot nobody has looked, and what it is for is still to be sent.
                    yield from waiting.stay(doing, self._clock, self._teller)
                _keep(doing, record.result)
                return
            intended_at = record.intended_at
            known = step.waits or record.task_uuid
            task_uuid = (
                record.task_uuid if known else (yield from self._sender.find(doing, mark, doing.run.interrupted))
            )
        waited = max((self._clock.now() - intended_at).total_seconds(), 0.0)
        try:
            if step.lasting_seconds:
                yield from waiting.stay(doing, self._clock, self._teller)
            elif step.waits:
                yield from waiting.wait(doing, self._clock, self._teller, waited_before=waited)
            elif step.asynchronous and task_uuid:
                result = yield from self._watch(doing, task_uuid, waited)
            _keep(doing, result)
            if not step.waits:
                yield from verify(doing, self._clock)
        except Failed as failure:
            more = (_CANCELLED,) if isinstance(failure, Cancelled) else ()
            self._calls.note(doing, CallState.FAILED, task_uuid, failure.reason, more=more)
            raise
        except Unsure as doubt:
            self._calls.note(doing, CallState.UNKNOWN, task_uuid, doubt.reason)
            raise
        self._calls.note(doing, CallState.DONE, task_uuid, result=result)
        if task_uuid:
            doing.hands.forget(task_uuid)

    def _watch(self, doing: Doing, task_uuid: str, waited_before: float) -> Pieces[str | None]:
        """As :meth:`Watcher.watch`. :raises Unsure: also when it failed, and something of it is there all the same."""
        try:
            return (yield from self._watcher.watch(doing, task_uuid, waited_before=waited_before))
        except Failed as failure:
            yield from stayed(doing, self._clock, failure.reason)
            yield from runs_on(doing, self._clock)
            raise

    def _begin(self, doing: Doing) -> Pieces[tuple[str, str | None]]:
        """As :meth:`Sender.send`; a step that waits is only written down."""
        if doing.run.lost.is_set():
            raise LeaseLost
        if doing.run.cancel.is_set() and not doing.undo:
            raise Cancelled("it was cancelled before the call was sent")
        if doing.step.waits:
            self._calls.intend(doing, "")
            return "", None
        return (yield from self._sender.send(doing))


def _is_so(doing: Doing) -> bool:
    """Is all that the step expects so already?"""
    seen = []
    for expect in doing.step.expect:
        try:
            holds, evidence = doing.hands.holds(expect, doing.run.results)
        except UserError:
            return False  # that the pool does not answer, the call itself will meet
        if not holds:
            return False
        seen.append(evidence)
    doing.run.evidence += seen
    return bool(seen)


def _is_over(record: CallRecord) -> bool:
    """Was it done in another life of the bot? :raises Failed: it was refused, or cancelled, then."""
    if record.state in (CallState.FAILED, CallState.NOT_TAKEN):
        kind = Cancelled if _CANCELLED in record.error[1:] else Failed
        raise kind(record.error[0] if record.error else "the call was refused before the bot was restarted")
    return record.state is CallState.DONE


def _keep(doing: Doing, result: str | None) -> None:
    if result is not None and not doing.undo:
        doing.run.results[doing.number] = result
