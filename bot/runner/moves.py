"""What the runner writes down of a request: its moves from state to state, and what its card says meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot import appointed, approval, outcome, refusal, tally
from bot.model import BOT, Entry, Level, Progress, Report, Result, State, Vote
from bot.ports import Clock, Store
from bot.run import LeaseLost, Run
from bot.runner.entitled import Lapsed

log = logging.getLogger(__name__)


class Moves:
    """Moves requests along the transition table, each move with its ledger row. `is_command`: can it be typed?"""

    def __init__(self, store: Store, clock: Clock, is_command: Callable[[str], bool]) -> None:
        self._store = store
        self._clock = clock
        self._is_command = is_command

    def move(
        self,
        run: Run,
        to: State,
        kind: str,
        body: Mapping[str, Any],
        result: Result | None = None,
        note: Report | None = None,
        expires_at: datetime | None = None,
        void: tuple[Vote, ...] = (),
    ) -> bool:
        """Also when somebody cancelled it meanwhile, which is the one move of a running request that is not ours.
        False: somebody else has moved it.
        """
        entry = self._entry(run, kind, body)
        while True:
            request = run.request
            approval.check(request.state, to)
            now = self._clock.now()
            if self._store.move(
                request.id,
                request.state,
                to,
                entry,
                at=now,
                result=result,
                note=note,
                expires_at=expires_at,
                void=void,
            ):
                run.request = replace(request, state=to)
                after = f" after {result.seconds:.1f} s" if result is not None and result.seconds else ""
                log.info("now %s%s%s", to, after, f": {result.summary}" if result is not None else "")
                return True
            found = self._store.request(request.id)
            if found is None or (request.state, found.state) != (State.RUNNING, State.CANCELLING):
                return False
            run.request = found
            run.cancel.set()

    def must_move(
        self,
        run: Run,
        to: State,
        kind: str,
        body: Mapping[str, Any],
        result: Result,
        note: Report | None = None,
    ) -> None:
        """:raises LeaseLost: somebody else has moved it, so it is somebody else's."""
        if not self.move(run, to, kind, body, result, note):
            raise LeaseLost

    def end(self, run: Run, state: State, kind: str, result: Result, level: Level) -> None:
        """The end, or UNKNOWN, with a note in the thread. :raises LeaseLost: it is somebody else's."""
        note = outcome.note(run.request, state, result, level, self._is_command, run.missed)
        body: dict[str, Any] = {"summary": result.summary, "lines": list(result.lines)}
        body |= {"seconds": round(result.seconds, 3), "calls": tally.so_far()}
        self.must_move(run, state, kind, body, result, note)

    def fail(self, run: Run, result: Result) -> None:
        self.end(run, State.FAILED, "failed", result, Level.BAD)

    def unknown(self, run: Run, reason: str) -> None:
        pool = "pools" if run.request.plan.elsewhere else "pool"
        result = Result(
            summary=outcome.sentence(f"the outcome is unknown: {reason}"),
            lines=tuple(run.evidence),
            remedy=f"Nothing was sent again. Look at the {pool} before you ask for anything else there.",
        )
        self.end(run, State.UNKNOWN, "unknown", result, Level.BAD)

    def stale(self, run: Run, reasons: tuple[str, ...]) -> None:
        request = run.request
        result = Result(summary="Not executed: what was approved is no longer what would be done.", lines=reasons)
        note = refusal.stale_note(request.plan.title, reasons, request.text)
        self.move(run, State.STALE, "stale", {"reasons": list(reasons), "calls": tally.so_far()}, result, note)

    def expire(self, run: Run) -> None:
        result = Result(summary="It waited too long for its turn; nothing was done.")
        self.move(run, State.EXPIRED, "expired", {}, result)

    def unasked(self, run: Run, why: str) -> None:
        """Who asked for it may not any more: nobody wants it."""
        request = run.request
        result = Result(summary=outcome.sentence(f"not executed: {why}"), remedy="Whoever still may can ask again.")
        self.move(run, State.EXPIRED, "expired", {"reason": why}, result, refusal.lapsed_note(request, (why,)))

    def decide_again(self, run: Run, lapsed: Lapsed) -> None:
        """Too many of its approvals do not count any more: it waits for others, for as long as a new request would."""
        request = run.request
        until = appointed.decided_by(request.plan.window, self._clock.now(), request.requirement.expires_seconds)
        note = refusal.lapsed_note(request, lapsed.reasons)
        void = [{"actor": vote.actor.key, "name": vote.actor.name} for vote in lapsed.votes]
        body = {"digest": request.digest, "void": void, "reasons": list(lapsed.reasons)}
        self.move(run, State.WAITING, "approval void", body, note=note, expires_at=until, void=lapsed.votes)

    def queue(self, run: Run, reason: str) -> None:
        """It waits, and the card says for what. From here on it has as long as it had to be decided."""
        request = run.request
        if request.state is State.APPROVED:
            until = appointed.begun_by(request.plan.window, self._clock.now(), request.requirement.expires_seconds)
            if not self.move(run, State.QUEUED, "queued", {"reason": reason}, expires_at=until):
                return
        self.tell(run, reason)

    def tell(self, run: Run, words: str) -> None:
        """On the card, if it does not say so already."""
        progress = Progress(steps=max(len(run.request.plan.steps), 1), text=words)
        if run.request.progress is None or run.request.progress.text != words:
            self._store.progress(run.request.id, progress)

    def record(self, run: Run, kind: str, body: Mapping[str, Any]) -> None:
        """A row in the ledger without a move."""
        self._store.record(self._entry(run, kind, body))

    def _entry(self, run: Run, kind: str, body: Mapping[str, Any]) -> Entry:
        return Entry(kind=kind, actor=BOT, pool=run.request.plan.pool.name, request_id=run.request.id, body=body)
