"""A database that is a copy is not carried on: what waits in it may have happened since."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.model import Ballot, State
from bot.store import Head, SqliteStore
from bot.store.mark import Mark, path_of, read
from tests.bot_store.helpers import HandClock, after, claimed, entry, look, new, opened, reopened, running, vote


def copied(path: Path, target: Path) -> Path:
    """As `cp` does: the file alone, after the bot has stopped."""
    return Path(shutil.copy(path, target))


@pytest.fixture
def waiting(path: Path, clock: HandClock) -> Path:
    """A closed database with a request in each open state, one in UNKNOWN and one that has ended."""
    store = reopened(path, clock)
    approved = opened(store)
    assert store.vote(approved.id, vote(), entry("vote"))
    assert store.move(approved.id, State.WAITING, State.APPROVED, entry("approved"), at=after(2))
    opened(store)
    queued = opened(store, State.APPROVED)
    assert store.move(queued.id, State.APPROVED, State.QUEUED, entry(), at=after(2))
    in_work = running(store)
    assert store.intend(in_work.id, 0, False, "VM.pool_migrate", "mark", entry("call intended"), after(3))
    lost = running(store)
    assert store.move(lost.id, State.RUNNING, State.UNKNOWN, entry(), at=after(3))
    over = running(store)
    assert store.move(over.id, State.RUNNING, State.SUCCEEDED, entry(), at=after(3))
    store.close()
    return path


UNFINISHED = ("X-1", "X-2", "X-3", "X-4")


def assert_closed(store: SqliteStore, why: str, lost: str) -> None:
    assert store.restored is not None
    assert why in store.restored.why
    assert store.restored.closed == UNFINISHED
    assert {request.state for request in store.open_requests()} == {State.UNKNOWN}
    assert [request.id for request in store.open_requests()] == [*UNFINISHED, "X-5"]
    (row,) = [row for row in store.ledger(pools=None, last=99) if row.kind == "database restored"]
    assert why in row.body["why"]
    assert row.body["lost"] == lost
    assert row.body["closed"] == list(UNFINISHED)
    told = [row.request_id for row in store.ledger(pools=None, last=99) if row.kind == "unknown"]
    assert sorted(told) == sorted(UNFINISHED)
    assert store.verify().ok


def test_a_restart_is_no_restore(waiting: Path, clock: HandClock) -> None:
    before = look(waiting, "SELECT id, state FROM requests")
    store = reopened(waiting, clock)
    assert store.restored is None
    assert look(waiting, "SELECT id, state FROM requests") == before
    store.close()


def test_nor_is_a_crash(path: Path, clock: HandClock) -> None:
    """A row may be there of which the mark does not know yet."""
    store = reopened(path, clock)
    early = path_of(path).read_bytes()
    opened(store, State.APPROVED)
    store.close()
    path_of(path).write_bytes(early)
    again = reopened(path, clock)
    assert again.restored is None
    again.close()


def test_an_older_copy_in_its_place(waiting: Path, clock: HandClock, tmp_path: Path) -> None:
    copy = copied(waiting, tmp_path / "copy")
    last = look(waiting, "SELECT max(seq) FROM ledger")[0][0]
    store = reopened(waiting, clock)
    assert store.move("X-1", State.APPROVED, State.RUNNING, entry(), at=after(9))
    assert store.intend("X-1", 0, False, "VM.pool_migrate", "mark", entry("call intended"), after(9))
    store.close()
    copied(copy, waiting)
    store = reopened(waiting, clock)
    assert_closed(store, f"has seen row {last + 2}", f"rows {last + 1} to {last + 2}")
    store.close()
    once = reopened(waiting, clock)
    assert once.restored is None  # from now on this is the one
    once.close()


def test_a_copy_elsewhere(waiting: Path, clock: HandClock, tmp_path: Path) -> None:
    store = reopened(copied(waiting, tmp_path / "elsewhere.sqlite3"), clock)
    assert_closed(store, "no mark beside it", "not known")
    store.close()


def test_another_database_in_its_place(waiting: Path, clock: HandClock, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    store = reopened(other, clock)
    opened(store)
    store.close()
    copied(waiting, other)
    store = reopened(other, clock)
    assert_closed(store, "another database's", "not known")
    store.close()


def test_a_mark_that_says_nothing(waiting: Path, clock: HandClock) -> None:
    path_of(waiting).write_text("xenia-mark-1")
    store = reopened(waiting, clock)
    assert_closed(store, "says nothing", "not known")
    store.close()


def test_a_redone_row_under_the_mark(waiting: Path, clock: HandClock) -> None:
    """As long as before, but not the same: the other branch of a copy that both lives went on from."""
    found = read(waiting)
    assert found is not None
    mark = Mark(waiting)
    mark.begin(found.instance, Head(found.head.seq, "f" * 64))
    mark.close()
    store = reopened(waiting, clock)
    assert_closed(store, f"has seen row {found.head.seq}", "not known")
    store.close()


def test_a_database_that_was_lost(waiting: Path, clock: HandClock) -> None:
    last = look(waiting, "SELECT max(seq) FROM ledger")[0][0]
    waiting.unlink()
    store = reopened(waiting, clock)
    row = store.ledger(pools=None, last=9)[0]
    assert (row.kind, row.body["lost"], row.body["closed"]) == ("database restored", f"rows 1 to {last}", [])
    store.close()


def test_a_head_seen_in_slack_that_is_not_there(waiting: Path, clock: HandClock) -> None:
    """The copy and its mark were put back together: only somebody else can tell."""
    store = reopened(waiting, clock)
    head = store.head()
    assert store.noted([head, Head(1, store.ledger(pools=None, last=99)[-1].hash)]) is None
    assert_closed_by_slack = store.noted([head, Head(head.seq + 7, "a" * 64)])
    assert assert_closed_by_slack is not None
    assert assert_closed_by_slack.closed == UNFINISHED
    assert store.begun() == clock.now()
    store.close()


def test_no_vote_and_no_run_afterwards(waiting: Path, clock: HandClock, tmp_path: Path) -> None:
    store = reopened(copied(waiting, tmp_path / "copy.sqlite3"), clock)
    for request_id, state in (("X-1", State.APPROVED), ("X-2", State.WAITING), ("X-3", State.QUEUED)):
        assert not store.move(request_id, state, State.RUNNING, entry(), at=after(9))
        assert not store.vote(request_id, vote(Ballot.APPROVE), entry("vote"))
        assert not store.intend(request_id, 0, False, "VM.start", "", entry(), after(9))
    assert store.ledger(pools=None, last=1)[0].kind == "unknown"
    store.close()


def test_what_was_not_posted_is_looked_for_before_it_is_posted(waiting: Path, clock: HandClock, tmp_path: Path) -> None:
    store = reopened(copied(waiting, tmp_path / "copy.sqlite3"), clock)
    delivery = claimed(store, 60)
    assert delivery.in_doubt
    assert not delivery.ts
    store.close()


def test_numbers_that_may_have_been_given_are_left_out(waiting: Path, clock: HandClock, tmp_path: Path) -> None:
    store = reopened(copied(waiting, tmp_path / "copy.sqlite3"), clock)
    assert store.open(new(), entry())[0].id == "X-1001"
    assert store.open(new(), entry())[0].id == "X-1002"
    store.close()


def test_the_mark_is_on_the_disk_before_a_call(store: SqliteStore, path: Path) -> None:
    request = running(store)
    assert store.intend(request.id, 0, False, "VM.start", "", entry(), after(1))
    found = read(path)
    assert found is not None
    assert found.head == store.head()


def test_no_call_without_its_mark(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = running(store)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.store.mark.os.pwrite", full)
    with pytest.raises(Unavailable, match=r"mark .* cannot be written: No space left"):
        store.intend(request.id, 0, False, "VM.start", "", entry(), after(1))
    store.record(entry())  # what sends nothing goes on


def test_two_processes_share_a_mark(store: SqliteStore, other: SqliteStore, path: Path) -> None:
    assert other.restored is None
    for number in range(6):
        (store, other)[number % 2].record(entry())
        found = read(path)
        assert found is not None
        assert found.head == store.head()
    with pytest.raises(Unavailable, match="is in use"):
        Mark(path, alone=True)


def test_only_one_may_hold_it_alone(path: Path, clock: HandClock) -> None:
    reopened(path, clock).close()
    alone = Mark(path, alone=True)
    with pytest.raises(Unavailable, match="is being restored"):
        reopened(path, clock)
    alone.close()
    reopened(path, clock).close()
