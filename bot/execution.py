"""Doing what was approved: each step sent once, watched, verified, and undone if a later one fails. Also after a crash,
from what was written down.

The store knows of every call before it is sent. A call whose answer is lost is looked for, never sent again; what
cannot be found is UNKNOWN.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator

from bot.errors import OutcomeUnknown, ToolstackRefusal, Unavailable, UserError
from bot.model import BOT, Argument, BotTarget, CallRecord, CallState, Entry, MapOf, Plan, Progress, ResultOf, Step
from bot.ports import Clock, PoolHands, Store, Taken, TaskStatus
from bot.run import Cancelled, Failed, LeaseLost, Run, Unsure
from bot.text import duration
from bot.waiting import Waiter

log = logging.getLogger(__name__)

POLL_SECONDS = (0.3, 1.0)
"""How often a task is looked at: at first, and after a while."""
VERIFY_SECONDS = 10.0
"""How long an expectation may take to show after a task's success (events reach the database a little later)."""


_CANCELLED = "cancelled"
"""Second element of a call's error: it did not fail, it was cancelled."""


class Performer:
    """Performs steps against a pool and writes down every one before and after."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiter = Waiter(store, clock)

    def perform(self, run: Run, hands: PoolHands, *, number: int, step: Step, undo: bool = False) -> None:
        """Do one step, or find out what became of it if it was begun before. Steps are numbered from 0; so are all
        undo steps of a plan together. What undoes is not cancelled: half undone is worse than either.

        :raises Failed: it did not happen. :raises Unsure: it may have. :raises LeaseLost: another process has it.
        """
        begun = self._begun(run.request.id, number, undo)
        intended_at = begun[0].intended_at if begun else self._clock.now()
        result: str | None = None
        if begun is None:
            if run.lost.is_set():
                raise LeaseLost
            if run.cancel.is_set() and not undo:
                raise Cancelled("it was cancelled before the call was sent")
            task_uuid = ""
            if step.waits:
                self._intend(run, number, step, undo, "")
            else:
                _check_results(run, step)
                task_uuid, result = self._send(run, hands, number, step, undo)
        else:
            record, mark = begun
            if record.state is CallState.DONE:
                self._keep(run, number, undo, record.result)
                return
            if record.state in (CallState.FAILED, CallState.NOT_TAKEN):
                kind = Cancelled if _CANCELLED in record.error[1:] else Failed
                raise kind(record.error[0] if record.error else "the call was refused before the bot was restarted")
            found = step.waits or record.task_uuid
            task_uuid = record.task_uuid if found else self._find(run, hands, number, step, undo, mark)
        waited = max((self._clock.now() - intended_at).total_seconds(), 0.0)
        try:
            if step.waits:
                self._waiter.wait(run, hands, number=number, step=step, undo=undo, waited_before=waited)
            elif step.asynchronous and task_uuid:
                result = self._watch(run, hands, number, step, task_uuid, undo=undo, waited_before=waited)
            self._keep(run, number, undo, result)
            if not step.waits:
                self._verify(run, hands, step)
        except Failed as failure:
            more = (_CANCELLED,) if isinstance(failure, Cancelled) else ()
            self._note(run, number, step, undo, CallState.FAILED, task_uuid, failure.reason, more=more)
            raise
        except Unsure as doubt:
            self._note(run, number, step, undo, CallState.UNKNOWN, task_uuid, doubt.reason)
            raise
        needed = result if not undo and _is_needed(run.request.plan, number) else None
        self._note(run, number, step, undo, CallState.DONE, task_uuid, "", result=needed)
        if task_uuid:
            hands.forget(task_uuid)

    def _keep(self, run: Run, number: int, undo: bool, result: str | None) -> None:
        if result is not None and not undo:
            run.results[number] = result

    def _begun(self, request_id: str, number: int, undo: bool) -> tuple[CallRecord, str] | None:
        for record, mark in self._store.calls(request_id):
            if record.step == number and record.undo is undo:
                return record, mark
        return None

    def _intend(self, run: Run, number: int, step: Step, undo: bool, mark: str) -> None:
        """:raises LeaseLost: another process has begun it, or has the request."""
        entry = self._entry(run, "begun" if step.waits else "intended", number, step, undo)
        now = self._clock.now()
        if not self._store.intend(run.request.id, number, undo, step.call, mark, entry, now, owner=run.owner):
            raise LeaseLost

    def _send(self, run: Run, hands: PoolHands, number: int, step: Step, undo: bool) -> tuple[str, str | None]:
        """The one place where a call with effect leaves. Returns its task's uuid ("" for a synchronous call) and what a
        synchronous call answered; None when that is not known.
        """
        try:
            mark = hands.mark(step)
        except UserError as error:
            if run.lost.is_set():
                raise LeaseLost from error
            raise Failed(f"nothing was sent: {error.message}", error.remedy) from error
        self._intend(run, number, step, undo, mark)
        try:
            answer = hands.send(step, run.results)
        except OutcomeUnknown as error:
            log.warning("%s: the answer of %s was lost: %s", run.request.id, step.call, error.message)
            return self._find(run, hands, number, step, undo, mark), None
        except ToolstackRefusal as error:
            self._note(run, number, step, undo, CallState.FAILED, "", error.message, code=error.code)
            raise Failed(error.message, error.remedy) from error
        except UserError as error:
            reason = _of_the_bot(error) if isinstance(step.target, BotTarget) else f"nothing was sent: {error.message}"
            self._note(run, number, step, undo, CallState.NOT_TAKEN, "", error.message)
            raise Failed(reason, error.remedy) from error
        if not step.asynchronous:
            return "", answer
        self._store.note_call(run.request.id, number, undo, CallState.SENT, task_uuid=answer)
        return answer, None

    def _find(self, run: Run, hands: PoolHands, number: int, step: Step, undo: bool, mark: str) -> str:
        """The task of a call whose answer was lost; "" when its effect is there already."""
        deadline = self._clock.monotonic() + step.away_seconds
        while True:
            try:
                sighting = hands.look(step, mark)
                break
            except UserError as error:
                if self._clock.monotonic() > deadline:
                    self._note(run, number, step, undo, CallState.UNKNOWN, "", error.message)
                    raise Unsure(f"the answer was lost, and then: {error.message}") from error
                self._tell_away(run, number, 0.0)
                self._pause(run, POLL_SECONDS[1])
        run.evidence.append(f"the connection broke during the call; {sighting.evidence}")
        if sighting.taken is Taken.RUNNING:
            self._store.note_call(run.request.id, number, undo, CallState.SENT, task_uuid=sighting.task_uuid)
            return sighting.task_uuid
        if sighting.taken is Taken.DONE:
            return ""
        if sighting.taken is Taken.NOT_TAKEN:
            self._note(run, number, step, undo, CallState.NOT_TAKEN, "", sighting.evidence)
            raise Failed(f"the call never reached the pool ({sighting.evidence})", "It is safe to ask again.")
        self._note(run, number, step, undo, CallState.UNKNOWN, "", sighting.evidence)
        raise Unsure(sighting.evidence)

    def _watch(
        self, run: Run, hands: PoolHands, number: int, step: Step, task_uuid: str, *, undo: bool, waited_before: float
    ) -> str | None:
        """Follow the task to its end, with its progress on the card; returns its result, None when it is lost. The
        step's limit counts from
        when the call was intended, `waited_before` seconds ago: a restart does not prolong it.
        """
        started = self._clock.monotonic() - waited_before
        steps, away, asked_to_cancel, shown = len(run.request.plan.steps), "", False, -1
        while True:
            waited = self._clock.monotonic() - started
            if run.cancel.is_set() and not asked_to_cancel and not undo:
                asked_to_cancel = self._cancel(run, hands, number, task_uuid)
            try:
                task = hands.task(task_uuid)
            except UserError as error:
                if not away:
                    log.warning("%s: the pool went away during %s", run.request.id, step.call)
                away = error.message
                self._tell_away(run, number, max(shown, 0) / 100)
                if self._shows_elsewhere(run, hands, number, step, undo=undo):
                    return None
                self._within_limit(step, waited)
                self._pause(run, POLL_SECONDS[1])
                continue
            if task is None:
                self._without_task(run, hands, number, step, undo=undo)
                return None
            if task.status is TaskStatus.SUCCESS:
                return task.result
            if task.status is TaskStatus.FAILURE:
                raise Failed(*hands.explain(task.error))
            if task.status is TaskStatus.CANCELLED:
                raise Cancelled("its task was cancelled")
            self._within_limit(step, waited)
            percent = round(task.progress * 100)
            if percent != shown:
                shown = percent
                self._store.progress(
                    run.request.id, Progress(step=number, steps=steps, fraction=task.progress, text=step.title)
                )
            self._pause(run, POLL_SECONDS[0] if waited < 10 else POLL_SECONDS[1])

    def _cancel(self, run: Run, hands: PoolHands, number: int, task_uuid: str) -> bool:
        """Harmless to send twice, so it is on record but not among the calls that are sent once."""
        self._record_cancel(run, "cancel intended", number, task_uuid)
        try:
            hands.cancel(task_uuid)
        except ToolstackRefusal as error:
            self._record_cancel(run, f"cancel {CallState.FAILED}", number, task_uuid, reason=error.message)
            run.evidence.append(f"the pool refused to cancel it, so it went on: {error.message}")
        except Unavailable as error:
            self._record_cancel(run, f"cancel {CallState.UNKNOWN}", number, task_uuid, reason=error.message)
            return False
        self._record_cancel(run, f"cancel {CallState.DONE}", number, task_uuid)
        return True

    def _record_cancel(self, run: Run, kind: str, number: int, task_uuid: str, **more: str) -> None:
        body = {"step": number, "call": "task.cancel", "task": task_uuid, **more}
        self._store.record(
            Entry(kind=kind, actor=BOT, pool=run.request.plan.pool.name, request_id=run.request.id, body=body)
        )

    def _tell_away(self, run: Run, number: int, fraction: float) -> None:
        text = "the pool does not answer; waiting for it"
        steps = len(run.request.plan.steps)
        self._store.progress(run.request.id, Progress(step=number, steps=steps, fraction=fraction, text=text))

    def _within_limit(self, step: Step, waited: float) -> None:
        """After a look, never before one: a task that ended while nobody looked has ended.

        :raises Unsure: the step has had its time.
        """
        if waited > step.limit_seconds:
            raise Unsure(f"it has not ended within {duration(step.limit_seconds)}; its task may still be running")

    def _shows_elsewhere(self, run: Run, hands: PoolHands, number: int, step: Step, *, undo: bool) -> bool:
        """Where the call went nobody answers any more; does what it should have done show in another place?"""
        begun = self._begun(run.request.id, number, undo)
        if begun is None or not any(expect.at for expect in step.expect):
            return False
        try:
            sighting = hands.look(step, begun[1])
        except UserError:
            return False
        if sighting.taken is Taken.DONE:
            run.evidence.append(sighting.evidence)
        return sighting.taken is Taken.DONE

    def _without_task(self, run: Run, hands: PoolHands, number: int, step: Step, *, undo: bool) -> None:
        """The task is gone (another coordinator, or destroyed by somebody): only the effect can tell, and only if it
        was not there before the call.

        :raises Unsure: it cannot be told.
        """
        begun = self._begun(run.request.id, number, undo)
        if begun is None or not step.expect:
            raise Unsure("its task is gone, and nothing else can tell whether it was done")
        deadline = self._clock.monotonic() + step.away_seconds
        while True:
            try:
                sighting = hands.look(step, begun[1])
                break
            except UserError as error:
                if self._clock.monotonic() > deadline:
                    raise Unsure(f"its task is gone, and then: {error.message}") from error
                self._pause(run, POLL_SECONDS[1])
        if sighting.taken is not Taken.DONE:
            raise Unsure(f"its task is gone ({sighting.evidence})")
        run.evidence.append(f"its task is gone; {sighting.evidence}")

    def _verify(self, run: Run, hands: PoolHands, step: Step) -> None:
        """A task's success is believed only when the pool's state shows it. Time in which the pool is away, within the
        step's limit for that, does not count.
        """
        deadline = self._clock.monotonic() + VERIFY_SECONDS
        away_until = deadline + step.away_seconds - VERIFY_SECONDS
        for expect in step.expect:
            while True:
                try:
                    holds, evidence = hands.holds(expect, run.results)
                except UserError as error:
                    holds, evidence = False, error.message
                    deadline = max(deadline, min(self._clock.monotonic() + VERIFY_SECONDS, away_until))
                if holds:
                    if not (run.evidence and run.evidence[-1].endswith(evidence)):  # seen when the answer was lost
                        run.evidence.append(evidence)
                    break
                if self._clock.monotonic() > deadline:
                    raise Unsure(f"the pool reported success, but {evidence}")
                self._pause(run, POLL_SECONDS[0])

    def _pause(self, run: Run, seconds: float) -> None:
        """:raises LeaseLost: the request is not this process's any more."""
        if run.lost.is_set():
            raise LeaseLost
        self._clock.sleep(seconds)

    def _note(
        self,
        run: Run,
        number: int,
        step: Step,
        undo: bool,
        state: CallState,
        task_uuid: str,
        reason: str,
        *,
        code: str = "",
        more: tuple[str, ...] = (),
        result: str | None = None,
    ) -> None:
        entry = self._entry(run, str(state), number, step, undo)
        body = {**entry.body, **({"reason": reason} if reason else {}), **({"code": code} if code else {})}
        self._store.note_call(
            run.request.id,
            number,
            undo,
            state,
            task_uuid=task_uuid,
            error=(reason, *more) if reason else (),
            result=result,
            entry=dataclasses.replace(entry, body=body),
        )

    def _entry(self, run: Run, what: str, number: int, step: Step, undo: bool) -> Entry:
        """`call intended`, `call done` …; `wait begun`, `wait done` …"""
        body = {"step": number, "call": step.call, "title": step.title, "undo": undo}
        if what == "intended":
            body["arguments"] = [_told(argument) for argument in step.arguments]
        kind = f"{'wait' if step.waits else 'call'} {what}"
        return Entry(kind=kind, actor=BOT, pool=run.request.plan.pool.name, request_id=run.request.id, body=body)


def _of_the_bot(error: UserError) -> str:
    """Why the bot did not do something itself: nothing is sent anywhere then."""
    return "; ".join((error.message.rstrip("."), *error.evidence))


def _check_results(run: Run, step: Step) -> None:
    """:raises Failed: the step needs what an earlier one answered, and that was lost with the connection."""
    for needed in _needs(step):
        if needed not in run.results:
            raise Failed(
                f"the answer of step {needed + 1}, which this one needs, was lost",
                "See what that step made, and ask for the rest.",
            )


_NEVER_KEPT = ("session.", "secret.", "Async.", "host.migrate_receive")
"""Calls whose answers are, or may be, secrets."""


def _is_needed(plan: Plan, number: int) -> bool:
    """Does a later step, or an undo, take what this step answered? Only then it is kept."""
    if plan.steps[number].call.startswith(_NEVER_KEPT):
        return False
    return any(number in _needs(each) for step in plan.steps for each in (step, *step.undo))


def _needs(step: Step) -> Iterator[int]:
    """The numbers of the steps whose answers it takes."""
    taken: tuple[Argument, ...] = (*step.arguments, *(expect.equals for expect in step.expect))
    return (argument.step for argument in taken if isinstance(argument, ResultOf | MapOf))


def _told(argument: object) -> object:
    """An argument as the ledger keeps it: objects by class, uuid and name; secrets by name."""
    return (
        dataclasses.asdict(argument)
        if dataclasses.is_dataclass(argument) and not isinstance(argument, type)
        else str(argument)
    )
