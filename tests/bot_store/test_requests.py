from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.approval import END_STATES
from bot.errors import Unavailable
from bot.model import Ballot, Place, Progress, Result, State
from bot.ports import Store
from bot.store import SqliteStore
from tests.bot_store.helpers import (
    ANNA,
    BEN,
    HandClock,
    after,
    claimed,
    counts,
    dump,
    entry,
    look,
    meddle,
    new,
    opened,
    plan,
    remark,
    vote,
)

START_PLUS = after(5)
NAIVE = START_PLUS.replace(tzinfo=None)


def test_it_is_the_port(store: SqliteStore) -> None:
    as_port: Store = store
    assert as_port.request("X-1") is None


def test_a_request_comes_back_as_it_was_opened(store: SqliteStore, other: SqliteStore) -> None:
    asked = new(predecessor="X-0", text="“web-1” \ud800 \x00 \u202e")
    request, fresh = store.open(asked, entry())
    assert fresh
    assert request.id == "X-1"
    again = other.request("X-1")
    assert again == request
    assert again.plan == asked.plan
    assert again.plan.digest() == asked.digest
    assert (again.actor, again.place, again.state) == (ANNA, asked.place, State.WAITING)
    assert (again.opened_at, again.expires_at, again.started_at, again.ended_at) == (
        asked.opened_at,
        asked.expires_at,
        None,
        None,
    )
    assert again.predecessor == "X-0"


def test_ids_count_up_and_are_found_as_people_type_them(store: SqliteStore) -> None:
    assert [opened(store).id for _ in range(3)] == ["X-1", "X-2", "X-3"]
    found = store.request(" x-2 ")
    assert found is not None
    assert found.id == "X-2"
    assert store.request("X-4") is None


def test_opening_writes_ledger_and_card_with_it(store: SqliteStore, path: Path) -> None:
    store.open(new(), entry("request.opened", body={"text": "vm migrate"}))
    assert look(path, "SELECT kind, request_id, pool, at FROM ledger") == [
        ("request.opened", "X-1", "lab", "2026-03-01T12:00:00.000000+00:00")
    ]
    assert look(path, "SELECT kind, request_id, revision, shown FROM deliveries") == [("card", "X-1", 1, 0)]


def test_the_same_question_is_linked_while_it_is_open_and_nothing_written(store: SqliteStore, path: Path) -> None:
    first, _ = store.open(new(fingerprint="same"), entry())
    before = dump(path)
    second, fresh = store.open(new(fingerprint="same"), entry())
    assert (second.id, fresh) == (first.id, False)
    assert dump(path) == before
    assert store.move(first.id, State.WAITING, State.WITHDRAWN, entry(), at=START_PLUS)
    third, fresh = store.open(new(fingerprint="same"), entry())
    assert (third.id, fresh) == ("X-2", True)


def test_a_move_changes_everything_or_nothing(store: SqliteStore, path: Path) -> None:
    request = opened(store)
    before = dump(path)
    assert not store.move(request.id, State.APPROVED, State.RUNNING, entry(), at=START_PLUS, note=remark("no"))
    assert not store.move("X-99", State.WAITING, State.APPROVED, entry(), at=START_PLUS)
    assert dump(path) == before
    assert store.move(
        request.id,
        State.WAITING,
        State.STALE,
        entry("request.stale"),
        at=START_PLUS,
        note=remark("stale"),
        result=Result(summary="not the same any more"),
        successor="X-9",
        expires_at=after(99),
    )
    moved = store.request(request.id)
    assert moved is not None
    assert (moved.state, moved.successor, moved.expires_at) == (State.STALE, "X-9", after(99))
    assert moved.result == Result(summary="not the same any more")
    assert counts(path) | {"ledger": 2, "deliveries": 2} == counts(path)
    assert look(path, "SELECT revision FROM deliveries WHERE kind = 'card'") == [(2,)]


def test_a_move_whose_ledger_row_cannot_be_written_did_not_happen(store: SqliteStore, path: Path) -> None:
    request = opened(store)
    before = dump(path)
    with pytest.raises(TypeError):
        store.move(request.id, State.WAITING, State.APPROVED, entry(body={"what": object()}), at=START_PLUS)
    with pytest.raises(ValueError, match="zone"):
        store.move(
            request.id, State.WAITING, State.APPROVED, entry(), at=START_PLUS, note=remark("x"), expires_at=NAIVE
        )
    assert dump(path) == before


def test_times_of_start_and_end(store: SqliteStore) -> None:
    request = opened(store, State.APPROVED)
    assert store.move(request.id, State.APPROVED, State.RUNNING, entry(), at=after(10))
    assert store.move(request.id, State.RUNNING, State.RUNNING, entry(), at=after(15))
    assert store.move(request.id, State.RUNNING, State.UNKNOWN, entry(), at=after(20))
    unknown = store.request(request.id)
    assert unknown is not None
    assert (unknown.started_at, unknown.ended_at) == (after(10), None)
    assert [each.id for each in store.open_requests()] == [request.id]
    assert store.move(request.id, State.UNKNOWN, State.SUCCEEDED, entry(), at=after(30))
    ended = store.request(request.id)
    assert ended is not None
    assert (ended.started_at, ended.ended_at) == (after(10), after(30))
    assert store.open_requests() == ()


@pytest.mark.parametrize("state", State)
def test_open_are_those_not_at_an_end(store: SqliteStore, state: State) -> None:
    request = opened(store, state)
    assert [each.id for each in store.open_requests()] == ([] if state in END_STATES else [request.id])
    assert [each.id for each in store.in_states([state])] == [request.id]
    assert store.in_states([other for other in State if other is not state]) == ()
    assert store.in_states([]) == ()


def test_open_requests_oldest_first_and_by_pool(store: SqliteStore) -> None:
    for pool in ("lab", "prod", "lab"):
        store.open(new(), entry(pool=pool))
    assert [each.id for each in store.open_requests()] == ["X-1", "X-2", "X-3"]
    assert [each.id for each in store.open_requests("lab")] == ["X-1", "X-3"]
    assert store.open_requests("la") == ()
    assert [each.id for each in store.in_states(set(State) - END_STATES)] == ["X-1", "X-2", "X-3"]


def test_votes_one_per_person_and_the_last_counts(store: SqliteStore, other: SqliteStore, path: Path) -> None:
    request = opened(store)
    assert store.vote(request.id, vote(actor=ANNA), entry("vote"))
    assert store.vote(request.id, vote(actor=BEN), entry("vote"))
    assert store.vote(request.id, vote(Ballot.REJECT, ANNA, reason="not now", seconds=9), entry("vote"))
    found = other.request(request.id)
    assert found is not None
    assert found.votes == (vote(actor=BEN), vote(Ballot.REJECT, ANNA, reason="not now", seconds=9))
    assert look(path, "SELECT count(*) FROM ledger WHERE kind = 'vote'") == [(3,)]
    assert look(path, "SELECT revision FROM deliveries") == [(4,)]


@pytest.mark.parametrize("state", [state for state in State if state is not State.WAITING])
def test_no_vote_on_what_is_not_waiting(store: SqliteStore, path: Path, state: State) -> None:
    request = opened(store, state)
    before = dump(path)
    assert not store.vote(request.id, vote(), entry())
    assert not store.vote("X-99", vote(), entry())
    assert dump(path) == before


def test_a_move_can_compare_the_votes_too(store: SqliteStore) -> None:
    request = opened(store)
    seen = (vote(),)
    assert store.vote(request.id, seen[0], entry())
    assert store.vote(request.id, vote(Ballot.REJECT, seconds=2), entry())
    assert not store.move(request.id, State.WAITING, State.APPROVED, entry(), at=START_PLUS, votes=seen)
    now = store.request(request.id)
    assert now is not None
    assert store.move(request.id, State.WAITING, State.REJECTED, entry(), at=START_PLUS, votes=now.votes)


def test_progress_shows_on_the_card_but_not_in_the_ledger(store: SqliteStore, path: Path) -> None:
    request = opened(store, State.RUNNING)
    half = Progress(step=0, steps=1, fraction=0.5, text="half")
    store.progress(request.id, half)
    store.progress(request.id, half)
    found = store.request(request.id)
    assert found is not None
    assert found.progress == half
    assert look(path, "SELECT revision FROM deliveries") == [(2,)]
    assert counts(path)["ledger"] == 1
    assert store.move(request.id, State.RUNNING, State.SUCCEEDED, entry(), at=START_PLUS)
    store.progress(request.id, replace(half, fraction=0.9))
    ended = store.request(request.id)
    assert ended is not None
    assert ended.progress == half
    assert look(path, "SELECT revision FROM deliveries") == [(3,)]


def test_a_request_that_cannot_be_read_is_named_and_harms_no_other(
    store: SqliteStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, fine = opened(store, fingerprint="old"), opened(store)
    meddle(path, """UPDATE requests SET plan = '{"command": "vm move"}' WHERE id = 'X-1'""")
    with pytest.raises(Unavailable, match="X-1"):
        store.request(old.id)
    with pytest.raises(Unavailable, match="X-1"):
        store.open(new(fingerprint="old"), entry())
    assert [each.id for each in store.open_requests()] == [fine.id]
    assert "X-1" in caplog.text
    assert store.unreadable() == (old.id,)
    assert store.move(old.id, State.WAITING, State.WITHDRAWN, entry(), at=START_PLUS)
    assert store.unreadable() == ()


def test_first_sight_is_once_a_day(store: SqliteStore, other: SqliteStore, path: Path) -> None:
    assert store.first_sight("T1/trigger", after(0))
    assert not other.first_sight("T1/trigger", after(1))
    assert other.first_sight("T1/other", after(1))
    assert not store.first_sight("T1/trigger", after(86_400))
    assert store.first_sight("T1/new", after(86_401))
    assert look(path, "SELECT key FROM sightings ORDER BY key") == [("T1/new",), ("T1/other",)]


def test_a_terminal_request_has_no_card(store: SqliteStore, clock: HandClock) -> None:
    request = opened(store, place=Place(kind="terminal"))
    assert store.move(request.id, State.WAITING, State.APPROVED, entry(), at=clock.now(), note=remark("hello"))
    assert store.claim(after(99), 60) is None
    assert store.next_due() is None
    opened(store, plan=plan(title="another"))
    assert claimed(store).request_id == "X-2"
