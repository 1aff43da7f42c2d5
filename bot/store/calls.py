"""The table `calls`: every call with effect, written before it is sent."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlite_utils import Database

from bot.model import CallRecord, CallState
from bot.store.encoding import moment, stamp
from bot.store.redaction import redacted_error

_KNOWLEDGE = {
    CallState.INTENDED: 0,
    CallState.SENT: 1,
    CallState.UNKNOWN: 2,
    CallState.DONE: 3,
    CallState.FAILED: 3,
    CallState.NOT_TAKEN: 3,
}
"""What is known never becomes less: a process that wakes up late cannot make a finished call a running one."""


def is_intended(db: Database, request_id: str, step: int, undo: bool) -> bool:
    return _find(db, request_id, step, undo) is not None


def intend(db: Database, record: CallRecord, mark: str, ledger_seq: int) -> None:
    db.table("calls").insert(
        {
            "request_id": record.request_id,
            "undo": int(record.undo),
            "step": record.step,
            "call": record.call,
            "mark": mark,
            "state": str(record.state),
            "intended_at": stamp(record.intended_at),
            "task_uuid": record.task_uuid,
            "error": json.dumps(record.error),
            "ledger_seq": ledger_seq,
        }
    )


def note(
    db: Database,
    request_id: str,
    step: int,
    undo: bool,
    state: CallState,
    task_uuid: str,
    error: tuple[str, ...],
    result: str | None = None,
) -> CallRecord:
    """Returns what is known of it now. :raises LookupError: the call was never intended (a bug)."""
    found = _find(db, request_id, step, undo)
    if found is None:
        raise LookupError(f"step {step} of {request_id} was never intended")
    record, _ = found
    if _KNOWLEDGE[state] < _KNOWLEDGE[record.state]:
        return record
    record = replace(
        record,
        state=state,
        task_uuid=task_uuid or record.task_uuid,
        error=redacted_error(error),
        result=record.result if result is None else result,
    )
    db.table("calls").update(
        (request_id, int(undo), step),
        {
            "state": str(record.state),
            "task_uuid": record.task_uuid,
            "error": json.dumps(record.error),
            "result": record.result,
        },
    )
    return record


def of_request(db: Database, request_id: str) -> tuple[tuple[CallRecord, str], ...]:
    """In the order in which they were intended, each with its mark."""
    return tuple(_rows(db, "request_id = ?", [request_id]))


def _find(db: Database, request_id: str, step: int, undo: bool) -> tuple[CallRecord, str] | None:
    found = _rows(db, "request_id = ? AND undo = ? AND step = ?", [request_id, int(undo), step])
    return found[0] if found else None


def _rows(db: Database, where: str, values: list[str | int]) -> list[tuple[CallRecord, str]]:
    return [
        (
            CallRecord(
                request_id=row["request_id"],
                step=row["step"],
                undo=bool(row["undo"]),
                call=row["call"],
                state=CallState(row["state"]),
                intended_at=moment(row["intended_at"]),
                task_uuid=row["task_uuid"],
                error=tuple(json.loads(row["error"])),
                result=row["result"],
            ),
            row["mark"],
        )
        for row in db.table("calls").rows_where(where, values, order_by="ledger_seq")
    ]
