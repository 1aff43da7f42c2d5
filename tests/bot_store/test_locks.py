from __future__ import annotations

from pathlib import Path

import pytest

from bot.approval import HOLDING_STATES
from bot.model import Entry, State
from bot.ports import Conflict
from bot.store import SqliteStore
from tests.bot_store.helpers import ANNA, after, dump, entry, look, opened

LEASE = 30.0


def take(store: SqliteStore, request_id: str, *keys: str, owner: str = "one", seconds: float = 0) -> list[str]:
    """The ids of those who hold what is wanted."""
    return [each.request_id for each in store.lock(request_id, keys, owner, after(seconds), LEASE)]


def held(path: Path) -> set[tuple[str, str]]:
    return set(look(path, "SELECT key, request_id FROM locks"))


@pytest.mark.parametrize(
    ("held_key", "wanted", "conflicts"),
    [
        ("lab/vm1", "lab/vm1", True),
        ("lab/vm1", "lab/vm2", False),
        ("lab/vm1", "prod/vm1", False),
        ("lab/*", "lab/vm1", True),
        ("lab/vm1", "lab/*", True),
        ("lab/*", "lab/*", True),
        ("lab/*", "prod/*", False),
        ("lab/*", "lab/east/vm1", False),
        ("lab/east/vm1", "lab/*", False),
        ("lab%/vm1", "lab_/*", False),
    ],
)
def test_what_excludes_what(
    store: SqliteStore, other: SqliteStore, held_key: str, wanted: str, conflicts: bool
) -> None:
    first, second = opened(store), opened(store)
    assert take(store, first.id, held_key) == []
    found = other.lock(second.id, [wanted], "two", after(1), LEASE)
    assert found == ((Conflict(request_id=first.id, key=held_key),) if conflicts else ())


def test_all_or_none(store: SqliteStore, path: Path) -> None:
    first, second, third = opened(store), opened(store), opened(store)
    assert take(store, first.id, "lab/b") == []
    assert take(store, second.id, "lab/c") == []
    before = dump(path)
    assert take(store, third.id, "lab/a", "lab/b", "lab/c", "lab/d") == [first.id, second.id]
    assert dump(path) == before


def test_reentrant_for_the_request(store: SqliteStore, path: Path) -> None:
    request = opened(store)
    assert take(store, request.id, "lab/a") == []
    assert take(store, request.id, "lab/a", "lab/b", "lab/*", seconds=5) == []
    assert held(path) == {("lab/a", request.id), ("lab/b", request.id), ("lab/*", request.id)}
    assert look(path, "SELECT expires_at FROM leases") == [("2026-03-01T12:00:35.000000+00:00",)]


def test_another_owner_cannot_take_the_same_request_while_its_lease_lasts(
    store: SqliteStore, other: SqliteStore
) -> None:
    request = opened(store)
    assert take(store, request.id, "lab/a", owner="one") == []
    assert take(other, request.id, "lab/a", owner="two", seconds=LEASE - 1) == [request.id]
    assert take(other, request.id, owner="two", seconds=LEASE - 1) == [request.id]
    assert take(other, request.id, "lab/a", owner="two", seconds=LEASE) == []


def test_unlocking_frees(store: SqliteStore, other: SqliteStore, path: Path) -> None:
    first, second = opened(store), opened(store)
    assert take(store, first.id, "lab/a", "lab/b") == []
    store.unlock(first.id, "somebody else")
    assert take(other, second.id, "lab/b") == [first.id]
    store.unlock(first.id)
    store.unlock(first.id)
    assert held(path) == set()
    assert take(other, second.id, "lab/b") == []


def test_a_lease_that_ran_out_is_taken_whole(store: SqliteStore, other: SqliteStore, path: Path) -> None:
    first, second = opened(store, State.APPROVED), opened(store)
    assert take(store, first.id, "lab/a", "lab/b") == []
    assert take(other, second.id, "lab/b", owner="two", seconds=LEASE - 0.001) == [first.id]
    assert take(other, second.id, "lab/b", owner="two", seconds=LEASE) == []
    assert held(path) == {("lab/b", second.id)}
    assert not store.renew(first.id, "one", after(LEASE), LEASE)


@pytest.mark.parametrize("state", State)
def test_but_not_from_under_a_request_that_the_pool_may_be_at(
    store: SqliteStore, other: SqliteStore, state: State
) -> None:
    first, second = opened(store, state), opened(store)
    assert take(store, first.id, "lab/a") == []
    assert take(other, second.id, "lab/*", owner="two", seconds=10 * LEASE) == (
        [first.id] if state in HOLDING_STATES else []
    )


def test_renewing(store: SqliteStore, other: SqliteStore) -> None:
    first, second = opened(store), opened(store)
    assert not store.renew(first.id, "one", after(0), LEASE)
    assert take(store, first.id, "lab/a") == []
    assert not other.renew(first.id, "two", after(1), LEASE)
    assert store.renew(first.id, "one", after(LEASE + 5), LEASE)  # late, but nobody took it
    assert take(other, second.id, "lab/a", owner="two", seconds=2 * LEASE) == [first.id]


def test_adopting(store: SqliteStore, other: SqliteStore, path: Path) -> None:
    request, rival = opened(store, State.RUNNING), opened(store)
    assert take(store, request.id, "lab/a") == []
    assert not other.adopt(request.id, "two", after(LEASE - 1), LEASE)
    assert store.adopt(request.id, "one", after(1), LEASE)
    assert other.adopt(request.id, "two", after(LEASE + 1), LEASE)
    assert not store.renew(request.id, "one", after(LEASE + 2), LEASE)
    assert not store.adopt(request.id, "one", after(LEASE + 2), LEASE)
    assert held(path) == {("lab/a", request.id)}
    assert take(store, rival.id, "lab/a", seconds=LEASE + 2) == [request.id]


def test_what_has_no_lease_can_be_adopted_and_what_has_ended_cannot(store: SqliteStore) -> None:
    bare, ended = opened(store, State.RUNNING), opened(store, State.FAILED)
    assert store.adopt(bare.id, "one", after(0), LEASE)
    assert not store.adopt(bare.id, "two", after(0), LEASE)
    assert not store.adopt(ended.id, "one", after(0), LEASE)
    assert not store.adopt("X-99", "one", after(0), LEASE)


def test_a_request_that_touches_nothing_has_a_lease_all_the_same(store: SqliteStore) -> None:
    request = opened(store)
    assert take(store, request.id) == []
    assert store.renew(request.id, "one", after(1), LEASE)


def test_a_key_must_name_its_pool(store: SqliteStore) -> None:
    request = opened(store)
    with pytest.raises(ValueError, match="POOL/UUID"):
        take(store, request.id, "vm1")


def test_locks_leave_the_ledger_alone(store: SqliteStore) -> None:
    store.record(Entry(kind="x", actor=ANNA))
    request = opened(store)
    head = store.head()
    assert take(store, request.id, "lab/a") == []
    store.unlock(request.id)
    assert store.head() == head
    store.record(entry())
    assert store.head().seq == head.seq + 1
