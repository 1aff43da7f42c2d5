"""A request that is about two pools: it is told of both, and its locks exclude what goes on in either."""

from __future__ import annotations

from pathlib import Path

from bot import locks
from bot.model import Elsewhere, ObjectId, State
from bot.store import SqliteStore
from tests.bot_store.helpers import POOL, START, VM, entry, look, opened, plan

PROD = ObjectId("pool", "dddddddd-0000-4000-8000-000000000004", "prod")
CROSSING = plan(elsewhere=(Elsewhere(pool=PROD, touches=(VM,)),), touches=(VM,))


def crossing(store: SqliteStore) -> str:
    return opened(store, State.APPROVED, plan=CROSSING).id


def test_it_is_open_in_both_pools_and_in_no_other(store: SqliteStore) -> None:
    request_id = crossing(store)
    other = opened(store).id
    assert [each.id for each in store.open_requests("prod")] == [request_id]
    assert [each.id for each in store.open_requests("lab")] == [request_id, other]
    assert store.open_requests("test") == ()
    assert store.open_requests()[0].plan == CROSSING


def test_its_rows_of_the_ledger_are_told_of_both(store: SqliteStore, path: Path) -> None:
    request_id = crossing(store)
    opened(store)
    store.record(entry("call done", request_id=request_id))
    assert [row.kind for row in store.ledger(pools=["prod"], last=9)] == ["call done", "request.opened"]
    assert {row.pool for row in store.ledger(pools=["prod"], last=9)} == {"lab"}
    assert len(store.ledger(pools=["lab"], last=9)) == 3
    assert [row.kind for row in store.ledger(pools=["prod"], last=1)] == ["call done"]
    assert look(path, "SELECT request_id, pool FROM request_pools") == [(request_id, "prod")]


def test_what_takes_the_whole_of_the_other_pool_excludes_it_and_the_other_way_round(store: SqliteStore) -> None:
    move = crossing(store)
    whole = opened(store, State.APPROVED, plan=plan(pool=PROD, whole_pool=True)).id
    assert store.lock(move, locks.keys(CROSSING), "a", START, 60) == ()
    (conflict,) = store.lock(whole, (f"{PROD.uuid}/*",), "b", START, 60)
    assert conflict.request_id == move
    store.unlock(move, "a")
    assert store.lock(whole, (f"{PROD.uuid}/*",), "b", START, 60) == ()
    assert {each.request_id for each in store.lock(move, locks.keys(CROSSING), "a", START, 60)} == {whole}
    assert look_free(store), "the other objects of its own pool are free"


def look_free(store: SqliteStore) -> bool:
    another = opened(store, State.APPROVED).id
    return store.lock(another, (f"{POOL.uuid}/another",), "c", START, 60) == ()
