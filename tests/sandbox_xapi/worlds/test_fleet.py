"""Fleets: any size, the same for the same seed, and possible."""

from datetime import UTC, datetime

import pytest

from sandbox.xapi import lab
from sandbox.xapi.world import LabError
from sandbox.xapi.worlds import check, fleet

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("size", "hosts", "vms"), [("1x0", 1, 0), ("1x1", 1, 1), ("4x30", 4, 30), (" 2X3 ", 2, 3)])
def test_a_fleet_has_its_size_and_is_possible(size: str, hosts: int, vms: int) -> None:
    (pool,) = lab.load(fleet=size, now=NOW).pools
    guests = [row for row in pool.objects["VM"].values() if not row["is_a_template"] and not row["is_control_domain"]]
    assert (len(pool.objects["host"]), len(guests)) == (hosts, vms)
    assert check.problems(pool) == []


def test_the_seed_decides() -> None:
    assert lab.load(fleet="3x20", seed=1, now=NOW) == lab.load(fleet="3x20", seed=1, now=NOW)
    assert lab.load(fleet="3x20", seed=1, now=NOW) != lab.load(fleet="3x20", seed=2, now=NOW)


def test_vms_are_spread_and_some_are_halted() -> None:
    (pool,) = lab.load(fleet="8x200", now=NOW).pools
    states = [row["power_state"] for row in pool.objects["VM"].values() if not row["is_a_template"]]
    assert {"Running", "Halted"} == set(states)
    loads = [sum(row["resident_on"] == ref for row in pool.objects["VM"].values()) for ref in pool.objects["host"]]
    assert max(loads) < 2 * min(loads)
    assert len({row["address"] for row in pool.objects["host"].values()}) == 8


def test_several_pools_are_different_pools() -> None:
    loaded = lab.load(pools=3, now=NOW)
    assert [len(pool.objects["host"]) for pool in loaded.pools] == [3, 3, 3]
    for field in ("uuid", "address", "name_label"):
        values = [row[field] for pool in loaded.pools for row in pool.objects["host"].values()]
        assert len(set(values)) == 9
    labels = [row["name_label"] for pool in loaded.pools for row in pool.objects["pool"].values()]
    assert labels == ["pool-01", "pool-02", "pool-03"]
    assert all(check.problems(pool) == [] for pool in loaded.pools)
    sized = lab.load(pools=2, fleet="2x5", now=NOW)
    assert [len(pool.objects["host"]) for pool in sized.pools] == [2, 2]


@pytest.mark.parametrize("size", ["", "x", "3", "3x", "x3", "3x4x5", "-1x2", "0x5", "65x1", "1x10001", "3x٣"])
def test_other_sizes_are_refused(size: str) -> None:
    with pytest.raises(LabError):
        fleet.parse_size(size)


@pytest.mark.parametrize("pools", [0, -1, 201])
def test_other_numbers_of_pools_are_refused(pools: int) -> None:
    with pytest.raises(LabError, match="between 1 and 200"):
        lab.load(pools=pools)


def test_a_pool_of_the_largest_number_of_hosts() -> None:
    (pool,) = lab.load(fleet="64x500", now=NOW).pools
    assert len(pool.objects["host"]) == 64
    assert check.problems(pool) == []
