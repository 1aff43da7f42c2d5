"""Levels of CPU features: what a pool loses and gains by a host, in the words of either generation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inventory import Host, Inventory
from bot.rules import cpu, cpu_features, cpu_levels
from tests.audits.worlds import World, higher, lower


def bits(features: str) -> set[tuple[int, int]]:
    """(word, bit) of everything that is set, read here without our rules."""
    return {
        (index, bit)
        for index, word in enumerate(features.split("-"))
        for bit in range(32)
        if features and int(word, 16) >> bit & 1
    }


def _strings(least: int, most: int) -> st.SearchStrategy[str]:
    words = st.lists(st.integers(0, 0xFFFFFFFF), min_size=least, max_size=most)
    return words.map(lambda found: "-".join(f"{word:08x}" for word in found))


FEATURES = _strings(1, 20)
PAIRS = st.one_of(
    st.tuples(_strings(4, 4), _strings(4, 4)),  # 6.x
    st.tuples(_strings(9, 20), _strings(9, 20)),  # 7.0 and later; newer releases know more words
)


@given(st.lists(FEATURES, min_size=1, max_size=8))
def test_the_level_holds_no_bit_that_a_host_lacks_and_every_bit_that_all_have(hosts: list[str]) -> None:
    level = bits(cpu_levels.common(hosts))
    assert level == set.intersection(*(bits(each) for each in hosts))


@given(PAIRS)
def test_lost_and_unused_features_are_named_from_the_two_differences(pair: tuple[str, str]) -> None:
    level, own = pair
    after = cpu_levels.common((level, own))
    assert not cpu_features.lacking(after, level)
    assert not cpu_features.lacking(after, own)
    # Nothing is lost or unused but what really differs.
    if level == own:
        assert not cpu_features.lacking(level, after)
        assert not cpu_features.lacking(own, after)


@given(FEATURES)
def test_a_host_without_that_kind_of_guest_does_not_lower_the_level(features: str) -> None:
    assert cpu.words(cpu_levels.common((features, ""))) == cpu.words(features)


def joining(change: str) -> tuple[Inventory, Host]:
    """The pool of the current lab, and a copy of one of its hosts with other features in its hvm level."""
    pool, other = World("current"), World("current")
    info = other.host("xs21")["cpu_info"]
    for key in ("features_hvm_host", "features_hvm"):
        info[key] = change
    found = other.inventory().pool.coordinator
    assert found is not None
    return pool.inventory(), found


@pytest.fixture
def features() -> str:
    return str(World("current").host("xs21")["cpu_info"]["features_hvm_host"])


def test_a_weaker_host_takes_named_features_from_the_pool(features: str) -> None:
    inventory, host = joining(lower(features, 5, 1 << 5 | 1 << 16))  # avx2, avx512f
    found = cpu_levels.forecast(inventory, host)
    assert found.lost == ("avx2", "avx512f")
    assert found.unused == ()
    running = {vm.name for vm in inventory.guests if vm.power_state != "Halted"}
    assert running
    assert {vm.name for vm in found.stuck} <= running


def test_a_stronger_host_is_not_used_in_full(features: str) -> None:
    inventory, host = joining(higher(features, 6, 1 << 8 | 1 << 9))  # gfni, vaes
    found = cpu_levels.forecast(inventory, host)
    assert (found.lost, found.unused, found.stuck) == ((), ("gfni", "vaes"), ())


def test_only_what_a_running_vm_was_started_with_keeps_it_from_the_host(features: str) -> None:
    world = World("current")
    weak = lower(features, 5, 1 << 5)
    for row in world.objects["VM"].values():
        if row["power_state"] == "Running" and row["last_boot_CPU_flags"]:
            kept = row["name_label"] == "shop-1"
            row["last_boot_CPU_flags"] = {"vendor": "GenuineIntel", "features": features if kept else weak}
    _, host = joining(weak)
    assert [vm.name for vm in cpu_levels.forecast(world.inventory(), host).stuck] == ["shop-1"]


def test_words_of_6_x_are_named_in_their_own_order() -> None:
    """The tutorial's third host has a newer CPU; leaf 1's ECX comes first there."""
    pool, third = World("tutorial"), World("tutorial", 1)
    host = third.inventory().pool.coordinator
    assert host is not None
    found = cpu_levels.forecast(pool.inventory(), host)
    assert found.lost == ()
    assert {"fma", "movbe", "lzcnt"} <= set(found.unused)
    leader = pool.inventory().pool.coordinator
    assert leader is not None
    back = cpu_levels.forecast(third.inventory(), leader)
    assert {"fma", "movbe", "lzcnt"} <= set(back.lost)
