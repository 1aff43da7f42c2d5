"""From approved to ended: lock, plan again, compare, perform, and say what came of it. Also the taking up of what a
dead process left.

One thread per running request, one more that keeps the leases alive. A lease is what makes a request run in one process
only.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot import appointed, approval, locks, logs, outcome, refusal, tally
from bot.errors import Unavailable, UserError
from bot.execution import Performer
from bot.model import BOT, CallState, Entry, Level, Progress, Report, Request, Result, State
from bot.ports import Clock, Conflict, Store
from bot.resolve import Resolver
from bot.run import Cancelled, Failed, LeaseLost, Run, Unsure
from bot.text import joined

log = logging.getLogger(__name__)

MOST_DEFECTS = 3
"""So often a request is tried again that met a defect of the bot."""


class Runner:
    """Runs approved requests, each once. `lease_seconds` is how long another process waits before it takes over from a
    dead one.
    """

    def __init__(
        self, *, store: Store, resolver: Resolver, clock: Clock, threads: Executor, lease_seconds: float = 20.0
    ) -> None:
        self._store = store
        self._resolver = resolver
        self._clock = clock
        self._threads = threads
        self._lease_seconds = lease_seconds
        self._performer = Performer(store, clock)
        self._owner = secrets.token_hex(8)
        self._runs: dict[str, Run] = {}
        self._defects: dict[str, int] = {}
        """How often each request has met a defect of the bot since it last got on."""
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep_leases, name="leases", daemon=True)
        self._keeper.start()

    def start(self, request_id: str) -> None:
        """Run it on a thread of its own. If this process already does, see whether it is to be cancelled."""
        request = self._store.request(request_id)
        if request is None:
            return
        with self._guard:
            running = self._runs.get(request_id)
            if running is not None and request.state is State.CANCELLING:
                running.cancel.set()
            if running is not None or self._closing.is_set():
                return
            self._runs[request_id] = Run(request)
        with logs.about(request=request_id, pool=request.plan.pool.name):
            self._threads.submit(logs.carried(self._run), request_id)

    def close(self) -> None:
        """Start nothing more and let go of what runs: it goes on in the pool, and whoever starts next takes it up."""
        self._closing.set()
        with self._guard:
            for run in self._runs.values():
                run.lost.set()
        self._keeper.join(timeout=2)

    def running(self) -> int:
        with self._guard:
            return len(self._runs)

    # --- one request --------------------------------------------------------------------------------------------------

    def _run(self, request_id: str) -> None:
        run = self._runs[request_id]
        try:
            with tally.counting():
                if run.request.state in approval.ACTIVE_STATES:
                    self._take_up(run)
                else:
                    self._begin(run)
        except LeaseLost:
            log.warning("%s: left to whoever takes it up next", request_id)
            self._let_go(request_id)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("bug %s: the runner failed on %s", reference, request_id)
            self._defect(run, reference)
        else:
            self._defects.pop(request_id, None)
            if run.request.state is State.UNKNOWN:
                self._let_go(request_id)
            else:
                self._store.unlock(request_id, self._owner)
        finally:
            with self._guard:
                self._runs.pop(request_id, None)

    def _defect(self, run: Run, reference: str) -> None:
        """A defect of the bot. It is tried again from what was written down, but not for ever: then the request ends,
        FAILED if no call of it was begun, else UNKNOWN, and says where the log has the details.
        """
        request_id = run.request.id
        self._defects[request_id] = self._defects.get(request_id, 0) + 1
        if self._defects[request_id] < MOST_DEFECTS:
            self._let_go(request_id)
            return
        told = f"a defect of the bot; its log has the details under {reference}"
        try:
            run.request = self._store.request(request_id) or run.request
            if self._store.calls(request_id):
                self._unknown(run, told)
                self._let_go(request_id)
            else:
                result = Result(summary=f"Nothing was sent: {told}.")
                self._end(run, State.FAILED, "failed", result, Level.BAD)
                self._store.unlock(request_id, self._owner)
        except Exception:
            log.exception("%s: could not be ended after bug %s", request_id, reference)
            self._let_go(request_id)
        else:
            self._defects.pop(request_id, None)

    def _begin(self, run: Run) -> None:
        request = run.request
        if request.state not in (State.APPROVED, State.QUEUED) or not self._its_time(run):
            return
        conflicts = self._store.lock(
            request.id, locks.keys(request.plan), self._owner, self._clock.now(), self._lease_seconds
        )
        if any(conflict.request_id == request.id for conflict in conflicts):
            return  # another process is about to run it
        passed = self._stuck(run, conflicts)
        if passed:
            conflicts = self._store.lock(
                request.id,
                locks.keys(request.plan),
                self._owner,
                self._clock.now(),
                self._lease_seconds,
                passing=passed,
            )
        run.owner = self._owner if not conflicts else None
        if conflicts:
            self._queue(run, self._waits_for(dict.fromkeys(conflict.request_id for conflict in conflicts)))
            return
        run.request = self._store.request(request.id) or request  # nobody else begins it now; it may have ended before
        if run.request.state not in (State.APPROVED, State.QUEUED):
            return
        if not self._is_as_approved(run):
            return
        body = {"digest": request.digest} | ({"passes": list(passed)} if passed else {})
        if not self._move(run, State.RUNNING, "running", body):
            return
        if passed:
            run.evidence.append(f"it passed {joined(passed)}, of which nobody knows whether the pool is still at it")
        self._perform(run)

    def _stuck(self, run: Run, conflicts: Iterable[Conflict]) -> tuple[str, ...]:
        """In an emergency: the requests whose outcome nobody knows, if nothing else stands in the way. What runs is
        never passed: it ends, or its limit makes its outcome unknown.
        """
        if not run.request.requirement.emergency:
            return ()
        others = tuple(dict.fromkeys(conflict.request_id for conflict in conflicts))
        found = [self._store.request(other) for other in others]
        return others if all(each is not None and each.state is State.UNKNOWN for each in found) else ()

    def _its_time(self, run: Run) -> bool:
        """Whether it may run now: an approval holds for a while only, and a plan may have a window."""
        now, window = self._clock.now(), run.request.plan.window
        if run.request.expires_at <= now or (window.not_after is not None and window.not_after <= now):
            result = Result(summary="It waited too long for its turn; nothing was done.")
            self._move(run, State.EXPIRED, "expired", {}, result)
            return False
        if window.not_before is not None and now < window.not_before:
            self._queue(run, f"It waits until {window.not_before:%Y-%m-%d %H:%M} UTC.")
            return False
        if held := self._resolver.policy.held(run.request, now):
            self._queue(run, f"It waits: {held}.")
            return False
        return True

    def _waits_for(self, others: Iterable[str]) -> str:
        """Which requests hold what this one touches, and what would have to happen."""
        busy: list[str] = []
        unsettled: list[str] = []
        for other in others:
            request = self._store.request(other)
            (unsettled if request is not None and request.state is State.UNKNOWN else busy).append(other)
        words = [f"It waits for {joined(busy)}, which touches the same."] if busy else []
        if unsettled:
            words.append(
                f"It waits until somebody settles {joined(unsettled)}, which touches the same and of which nobody"
                " knows whether the pool is still at it."
            )
        return " ".join(words)

    def _let_go(self, request_id: str) -> None:
        """End this process's lease, if it still has it. The locks stay: a call may be on its way, nobody may cross
        it.
        """
        try:
            self._store.renew(request_id, self._owner, self._clock.now(), 0.0)
        except UserError:
            log.warning("%s: its lease ends by itself", request_id)

    def _is_as_approved(self, run: Run) -> bool:
        """Is the plan from fresh state what was approved? Else the request is STALE, or waits for its pool."""
        try:
            against = self._planned_again(run.request)
        except Unavailable as error:
            self._queue(run, f"It waits for its pool: {error.message}")
            return False
        if against:
            self._stale(run, against)
        return not against

    def _planned_again(self, request: Request) -> tuple[str, ...]:
        """What is different by now from what was approved, in words; empty when nothing is.

        :raises Unavailable: the pool is away, so it cannot be told.
        """
        try:
            plan = self._resolver.replan(request)
        except Unavailable:
            raise
        except UserError as error:
            return (error.message, *error.evidence)
        if not request.digest or request.plan.digest() != request.digest:
            return ("the stored plan is not the one that was approved",)
        if more := self._resolver.policy.stricter(request):
            return (f"the policy has become stricter since it was asked: {joined(more)}",)
        if plan.digest() != request.digest or plan.blockers:
            return refusal.difference(request.plan, plan)
        return ()

    def _perform(self, run: Run) -> None:
        """All steps in order; on the first that fails, the undo of those before it, last first."""
        started = run.request.started_at or self._clock.now()
        done: list[int] = []
        self._tell(run, run.request.plan.steps[0].title if run.request.plan.steps else "")
        try:
            for number, step in enumerate(run.request.plan.steps):
                hands = self._resolver.hands(run.request, step.target)
                self._performer.perform(run, hands, number=number, step=step)
                done.append(number)
        except Cancelled as failure:
            self._ended_early(run, done, failure, State.CANCELLED)
        except Failed as failure:
            self._ended_early(run, done, failure, State.FAILED)
        except Unsure as doubt:
            self._unknown(run, doubt.reason)
        else:
            seconds = max((self._clock.now() - started).total_seconds(), 0.0)
            if run.cancel.is_set():
                run.evidence.append("it was done before it could be cancelled")
            verified = outcome.verified(run.request.plan.steps)
            how = "It was read back to be sure." if verified else "So the pool reported; nothing else can tell."
            result = Result(summary=how, lines=tuple(run.evidence), seconds=seconds)
            self._end(run, State.SUCCEEDED, "succeeded", result, Level.OK)

    def _ended_early(self, run: Run, done: list[int], failure: Failed, state: State) -> None:
        """A step did not happen. What was done before it is undone, and said."""
        lines = [*run.evidence]
        steps = run.request.plan.steps
        undoable = outcome.undoable(steps, done)
        if undoable:
            cancelled = state is State.CANCELLED
            why = Result(summary=outcome.sentence(failure.reason), remedy=failure.remedy, cancelled=cancelled)
            if run.request.state is not State.UNDOING:
                self._must_move(run, State.UNDOING, "undoing", {"reason": failure.reason}, why)
            for number in undoable:
                first = sum(len(step.undo) for step in steps[:number])
                try:
                    for offset, step in enumerate(steps[number].undo):
                        hands = self._resolver.hands(run.request, step.target)
                        self._performer.perform(run, hands, number=first + offset, step=step, undo=True)
                        lines.append(f"undone: {step.title}")
                except Failed as second:
                    state = State.FAILED
                    lines.append(f"could not be undone: {steps[number].title} – {second.reason}")
                except Unsure as doubt:
                    self._unknown(run, f"{failure.reason}; and while undoing: {doubt.reason}")
                    return
        lines += outcome.standing(steps, done)
        result = Result(summary=outcome.sentence(failure.reason), lines=tuple(lines), remedy=failure.remedy)
        self._end(run, state, str(state), result, Level.BAD if state is State.FAILED else Level.WARN)

    def _unknown(self, run: Run, reason: str) -> None:
        result = Result(
            summary=f"The outcome is unknown: {reason}.",
            lines=tuple(run.evidence),
            remedy="Nothing was sent again. Look at the pool before you ask for anything else there.",
        )
        self._end(run, State.UNKNOWN, "unknown", result, Level.BAD)

    # --- after a crash ------------------------------------------------------------------------------------------------

    def _take_up(self, run: Run) -> None:
        """A request that was running when its process died: attach to what it began, and go on."""
        request = run.request
        if not self._store.adopt(request.id, self._owner, self._clock.now(), self._lease_seconds):
            return
        run.owner = self._owner
        run.request = self._store.request(request.id) or request
        if run.request.state not in approval.ACTIVE_STATES:
            return
        begun = [record for record, _ in self._store.calls(request.id)]
        if request.id not in self._defects:
            log.warning("%s: taken up from another process, %d calls begun", request.id, len(begun))
            self._store.record(self._entry(run, "taken up", {"calls": len(begun)}))
            run.evidence.append("another run of the bot began it; this one took it up")
        if run.request.state is State.UNDOING:
            run.results |= {each.step: each.result for each in begun if not each.undo and each.result is not None}
            done = sorted({each.step for each in begun if each.state is CallState.DONE and not each.undo})
            why = run.request.result or Result(summary="A step failed.")
            state = State.CANCELLED if why.cancelled else State.FAILED
            self._ended_early(run, done, Failed(why.summary, why.remedy), state)
            return
        if run.request.state is State.CANCELLING:
            run.cancel.set()
        elif not begun and (against := self._too_late(run.request)):
            lines = (*against, *outcome.standing(run.request.plan.steps, ()))
            result = Result(summary="Nothing was sent: the bot stopped before it began.", lines=lines)
            self._end(run, State.FAILED, "failed", result, Level.BAD)
            return
        self._perform(run)

    def _too_late(self, request: Request) -> tuple[str, ...]:
        """Why what was about to begin in another life of the bot is not begun now: that may be long ago."""
        now = self._clock.now()
        if request.expires_at <= now:
            return ("its approval has expired meanwhile",)
        if held := self._resolver.policy.held(request, now):
            return (held,)
        try:
            return self._planned_again(request)
        except Unavailable as error:
            return (error.message, *error.evidence)

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _queue(self, run: Run, reason: str) -> None:
        """It waits, and the card says for what. From here on it has as long as it had to be decided."""
        request = run.request
        if request.state is State.APPROVED:
            until = appointed.begun_by(request.plan.window, self._clock.now(), request.requirement.expires_seconds)
            if not self._move(run, State.QUEUED, "queued", {"reason": reason}, expires_at=until):
                return
        self._tell(run, reason)

    def _tell(self, run: Run, words: str) -> None:
        """On the card, if it does not say so already."""
        progress = Progress(steps=max(len(run.request.plan.steps), 1), text=words)
        if run.request.progress is None or run.request.progress.text != words:
            self._store.progress(run.request.id, progress)

    def _stale(self, run: Run, reasons: tuple[str, ...]) -> None:
        request = run.request
        result = Result(summary="Not executed: what was approved is no longer what would be done.", lines=reasons)
        note = refusal.stale_note(request.plan.title, reasons, request.text)
        self._move(run, State.STALE, "stale", {"reasons": list(reasons), "calls": tally.so_far()}, result, note)

    def _end(self, run: Run, state: State, kind: str, result: Result, level: Level) -> None:
        note = outcome.note(run.request, state, result, level, self._resolver.registry.knows)
        body: dict[str, Any] = {"summary": result.summary, "lines": list(result.lines)}
        body |= {"seconds": round(result.seconds, 3), "calls": tally.so_far()}
        self._must_move(run, state, kind, body, result, note)

    def _must_move(
        self,
        run: Run,
        to: State,
        kind: str,
        body: Mapping[str, Any],
        result: Result,
        note: Report | None = None,
    ) -> None:
        """:raises LeaseLost: somebody else has moved it, so it is somebody else's."""
        if not self._move(run, to, kind, body, result, note):
            raise LeaseLost

    def _move(
        self,
        run: Run,
        to: State,
        kind: str,
        body: Mapping[str, Any],
        result: Result | None = None,
        note: Report | None = None,
        expires_at: datetime | None = None,
    ) -> bool:
        """Also when somebody cancelled it meanwhile, which is the one move of a running request that is not ours."""
        entry = self._entry(run, kind, body)
        while True:
            request = run.request
            approval.check(request.state, to)
            now = self._clock.now()
            if self._store.move(
                request.id, request.state, to, entry, at=now, result=result, note=note, expires_at=expires_at
            ):
                run.request = replace(request, state=to)
                return True
            found = self._store.request(request.id)
            if found is None or (request.state, found.state) != (State.RUNNING, State.CANCELLING):
                return False
            run.request = found
            run.cancel.set()

    def _entry(self, run: Run, kind: str, body: Mapping[str, Any]) -> Entry:
        return Entry(kind=kind, actor=BOT, pool=run.request.plan.pool.name, request_id=run.request.id, body=body)

    def _keep_leases(self) -> None:
        while not self._closing.wait(self._lease_seconds / 4):
            self._renew_leases()  # what it looked at is let go of before the next wait

    def _renew_leases(self) -> None:
        with self._guard:
            runs = list(self._runs.items())
        for request_id, run in runs:
            try:
                held = self._store.renew(request_id, self._owner, self._clock.now(), self._lease_seconds)
            except UserError as error:
                log.warning("%s: its lease could not be renewed: %s", request_id, error.message)
                continue
            except Exception:
                log.exception("%s: its lease could not be renewed", request_id)
                continue
            if not held and run.owner is not None and self._is_active(request_id):
                run.lost.set()

    def _is_active(self, request_id: str) -> bool:
        request = self._store.request(request_id)
        return request is not None and request.state in approval.ACTIVE_STATES
