"""A name stands for one pool: another one that answers under it is refused until a person says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Refused
from bot.model import BOT, Entry
from bot.ports import KnownHost, KnownPool
from bot.store import SqliteStore
from bot.xapi import XapiPools
from tests.bot_xapi.conftest import PoolsWith, Serve, plain
from tests.bot_xapi.hosts import MIGRATE, PretendPool, WallClock


def another(pool: PretendPool) -> None:
    pool.put("pool", "OpaqueRef:p", uuid="q-uuid", name_label="other")


@pytest.fixture
def pool() -> PretendPool:
    return PretendPool()


def test_a_pinned_pool_is_the_only_one(serve: Serve, pool: PretendPool, pools_with: PoolsWith) -> None:
    pools = pools_with(plain(serve(pool), uuid="p-uuid"))
    pools.view("lab").inventory()
    another(pool)
    with pytest.raises(Refused) as refused:
        pools.view("lab").inventory()
    told = " ".join((refused.value.message, *refused.value.evidence, refused.value.remedy))
    for word in ("lab", "other", "p-uuid", "q-uuid", "pools.lab"):
        assert word in told


def test_nothing_is_sent_to_another_pool(serve: Serve, pool: PretendPool, pools_with: PoolsWith) -> None:
    host = serve(pool)
    hands = pools_with(plain(host)).hands("lab")
    hands.mark(MIGRATE)
    another(pool)
    with pytest.raises(Refused, match="Another pool answers"):
        hands.mark(MIGRATE)
    with pytest.raises(Refused, match="Another pool answers"):
        hands.send(MIGRATE, {})
    assert not host.requests["Async.VM.pool_migrate"]


def test_the_first_contact_is_remembered_over_restarts_until_a_person_accepts(
    serve: Serve, pool: PretendPool, tmp_path: Path
) -> None:
    clock, settings = WallClock(), plain(serve(pool))
    store = SqliteStore(tmp_path / "x.sqlite3", clock=clock)

    def restarted() -> XapiPools:
        return XapiPools([settings], clock, memory=store.pools)

    first = restarted()
    first.view("lab").inventory()
    first.close()
    known = store.pools.known("lab")
    assert known is not None
    assert (known.uuid, known.label) == ("p-uuid", "lab")
    assert known.hosts[0] == KnownHost(uuid="h1-uuid", name="xs1", address="10.0.0.101")

    another(pool)
    second = restarted()
    with pytest.raises(Refused) as refused:
        second.view("lab").inventory()
    assert "xenia config accept-pool lab q-uuid" in refused.value.remedy
    assert store.pools.known("lab") == known

    accepted = KnownPool(name="lab", uuid="q-uuid", label="other")
    store.pools.accept(accepted, Entry(kind="pool accepted", actor=BOT, pool="lab"))
    assert second.view("lab").inventory().pool.uuid == "q-uuid", "without a restart"
    assert [row.kind for row in store.ledger(pools=None, last=1)] == ["pool accepted"]
    second.close()
    store.close()


def test_what_the_configuration_pins_replaces_what_was_remembered(
    serve: Serve, pool: PretendPool, tmp_path: Path
) -> None:
    clock, host = WallClock(), serve(pool)
    store = SqliteStore(tmp_path / "x.sqlite3", clock=clock)
    for settings in (plain(host), plain(host, uuid="q-uuid")):
        pools = XapiPools([settings], clock, memory=store.pools)
        pools.view("lab").inventory()
        pools.close()
        another(pool)
    known = store.pools.known("lab")
    assert known is not None
    assert known.uuid == "q-uuid"
    store.close()


def test_new_hosts_are_remembered(serve: Serve, pool: PretendPool, pools_with: PoolsWith, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "x.sqlite3", clock=WallClock())
    pools = pools_with(plain(serve(pool)), memory=store.pools)
    pools.view("lab").inventory()
    pool.put("host", "OpaqueRef:h3", uuid="h3-uuid", name_label="xs3", address="10.0.0.103", metrics="OpaqueRef:NULL")
    pools.view("lab").inventory()
    known = store.pools.known("lab")
    assert known is not None
    assert {host.name for host in known.hosts} == {"xs1", "xs2", "xs3"}
    store.close()


def test_one_pool_under_two_names_is_refused_under_both(serve: Serve, pool: PretendPool, tmp_path: Path) -> None:
    """Else the milder rules of one name would hold for the other's pool."""
    clock, one = WallClock(), plain(serve(pool), name="prod")
    other, third = plain(serve(pool), name="play"), plain(serve(elsewhere()), name="south")
    store = SqliteStore(tmp_path / "x.sqlite3", clock=clock)
    pools = XapiPools([one, other, third], clock, memory=store.pools)
    pools.view("play").inventory()
    for name in ("prod", "play", "prod"):
        with pytest.raises(Refused, match="play and prod of the configuration are one pool"):
            pools.view(name).inventory()
    assert pools.view("south").inventory().pool.uuid == "q-uuid"
    pools.close()

    again = XapiPools([other, one], clock, memory=store.pools)
    with pytest.raises(Refused, match="one pool"):
        again.view("play").inventory()  # before anybody has asked for the other
    again.close()

    alone = XapiPools([one, third], clock, memory=store.pools)
    assert alone.view("prod").inventory().pool.uuid == "p-uuid", "one name is left"
    alone.close()
    store.close()


def test_two_names_that_are_pinned_to_one_pool_are_refused_at_once(
    serve: Serve, pool: PretendPool, pools_with: PoolsWith
) -> None:
    host = serve(pool)
    pools = pools_with(*(plain(host, name=name, uuid="p-uuid") for name in ("prod", "play")))
    for name in ("play", "prod"):
        with pytest.raises(Refused, match="one pool"):
            pools.view(name).inventory()


def elsewhere() -> PretendPool:
    pool = PretendPool()
    another(pool)
    return pool
