from __future__ import annotations

from pathlib import Path

import pytest

from bot.approval import ACTIVE_STATES
from bot.model import CallRecord, CallState, State
from bot.store import SqliteStore
from tests.bot_store.helpers import after, counts, dump, entry, look, opened, running

START = after(3)


def intend(store: SqliteStore, request_id: str, step: int = 0, undo: bool = False) -> bool:
    return store.intend(request_id, step, undo, "VM.pool_migrate", f"mark {step}", entry("call.intended"), START)


def test_a_call_is_intended_once(store: SqliteStore, other: SqliteStore, path: Path) -> None:
    request = running(store)
    assert intend(store, request.id)
    before = dump(path)
    assert not intend(store, request.id)
    assert not intend(other, request.id)
    assert dump(path) == before
    assert other.calls(request.id) == (
        (
            CallRecord(
                request_id=request.id,
                step=0,
                undo=False,
                call="VM.pool_migrate",
                state=CallState.INTENDED,
                intended_at=START,
            ),
            "mark 0",
        ),
    )


def test_undo_steps_are_calls_of_their_own_and_all_come_in_order(store: SqliteStore) -> None:
    request, another = running(store), running(store)
    assert intend(store, request.id, 0)
    assert intend(store, request.id, 1)
    assert intend(store, another.id, 0)
    assert intend(store, request.id, 1, undo=True)
    assert intend(store, request.id, 0, undo=True)
    assert [(call.step, call.undo) for call, _ in store.calls(request.id)] == [
        (0, False),
        (1, False),
        (1, True),
        (0, True),
    ]


@pytest.mark.parametrize("state", State)
def test_only_a_running_request_may_send(store: SqliteStore, path: Path, state: State) -> None:
    request = opened(store, state)
    before = counts(path)
    assert intend(store, request.id) is (state in ACTIVE_STATES)
    assert (counts(path) == before) is (state not in ACTIVE_STATES)


def test_what_became_of_a_call(store: SqliteStore, path: Path) -> None:
    request = running(store)
    assert intend(store, request.id)
    store.note_call(request.id, 0, False, CallState.SENT, task_uuid="t-1")
    store.note_call(request.id, 0, False, CallState.FAILED, error=("VM_BAD", "x"), entry=entry("call.failed"))
    [(call, mark)] = store.calls(request.id)
    assert (call.state, call.task_uuid, call.error, mark) == (CallState.FAILED, "t-1", ("VM_BAD", "x"), "mark 0")
    assert look(path, "SELECT kind, request_id FROM ledger ORDER BY seq DESC LIMIT 1") == [("call.failed", request.id)]


@pytest.mark.parametrize("late", [CallState.INTENDED, CallState.SENT, CallState.UNKNOWN])
@pytest.mark.parametrize("known", [CallState.DONE, CallState.FAILED, CallState.NOT_TAKEN])
def test_what_is_known_never_becomes_less(store: SqliteStore, known: CallState, late: CallState) -> None:
    request = running(store)
    assert intend(store, request.id)
    store.note_call(request.id, 0, False, known)
    store.note_call(request.id, 0, False, late, task_uuid="t-2")
    [(call, _)] = store.calls(request.id)
    assert (call.state, call.task_uuid) == (known, "")


def test_an_unknown_call_can_be_settled(store: SqliteStore) -> None:
    request = running(store)
    assert intend(store, request.id)
    store.note_call(request.id, 0, False, CallState.UNKNOWN)
    store.note_call(request.id, 0, False, CallState.DONE)
    assert store.calls(request.id)[0][0].state is CallState.DONE


def test_a_call_that_was_never_intended_is_a_bug(store: SqliteStore, path: Path) -> None:
    request = running(store)
    before = dump(path)
    with pytest.raises(LookupError):
        store.note_call(request.id, 0, False, CallState.DONE, entry=entry())
    assert dump(path) == before


def test_a_session_in_an_error_is_not_kept(store: SqliteStore, path: Path) -> None:
    request = running(store)
    assert intend(store, request.id)
    store.note_call(request.id, 0, False, CallState.FAILED, error=("SESSION_INVALID", "OpaqueRef:5e55"))
    assert store.calls(request.id)[0][0].error == ("SESSION_INVALID", "[withheld]")
    assert not [line for line in dump(path) if "5e55" in line]
