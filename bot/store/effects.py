"""Calls with effect as those know them who send them: written down before they are sent. One transaction per method."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.approval import ACTIVE_STATES
from bot.model import CallRecord, CallState, Entry
from bot.store import calls, locks, requests
from bot.store.recording import Recording


class Effects(Recording):
    """The calls of :class:`bot.ports.Store`, as a part of the store."""

    def intend(
        self,
        request_id: str,
        step: int,
        undo: bool,
        call: str,
        mark: str,
        entry: Entry,
        at: datetime,
        *,
        owner: str | None = None,
    ) -> bool:
        """False: the call must not be sent. It was intended already, the request is not running (any more), or another
        process has its lease.
        """
        record = CallRecord(
            request_id=request_id, step=step, undo=undo, call=call, state=CallState.INTENDED, intended_at=at
        )
        with self._recording(before_a_call=True) as db:
            if requests.state_of(db, request_id) not in ACTIVE_STATES or calls.is_intended(db, request_id, step, undo):
                return False
            if owner is not None and not locks.is_owner(db, request_id, owner):
                return False
            seq = self._append(db, request_id, entry, at)
            calls.intend(db, record, mark, seq)
            return True

    def note_call(
        self,
        request_id: str,
        step: int,
        undo: bool,
        state: CallState,
        *,
        task_uuid: str = "",
        error: tuple[str, ...] = (),
        result: str | None = None,
        entry: Entry | None = None,
    ) -> None:
        """What is known never becomes less: after DONE, FAILED or NOT_TAKEN a late SENT or UNKNOWN changes nothing. The
        entry is completed with the task's uuid and the seconds since the call was intended.
        """
        with self._recording() as db:
            record = calls.note(db, request_id, step, undo, state, task_uuid, error, result)
            if entry is not None:
                now = self._clock.now()
                body = {**entry.body, "seconds": round(max((now - record.intended_at).total_seconds(), 0.0), 3)}
                if record.task_uuid:
                    body["task"] = record.task_uuid
                self._append(db, request_id, replace(entry, body=body), now)

    def calls(self, request_id: str) -> tuple[tuple[CallRecord, str], ...]:
        with self._connections.read() as db:
            return calls.of_request(db, request_id)
