"""CPU levels of pools, and masks of single hosts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.xapi.rules.cpu import is_subset, level
from tests.sandbox_xapi.core.two_pools import OLD, Lab, answer
from tests.sandbox_xapi.core.world import FEATURES, Client, ident, ref
from tests.waiting import eventually

WORDS = st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=20).map(
    lambda words: "-".join(f"{word:08x}" for word in words)
)
WEAKER = "1fcbfbff-f7fa3223-2d93fbff-00000121"


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_a_level_holds_what_all_have_and_nothing_else(hosts: list[str]) -> None:
    found = level(hosts)
    assert all(is_subset(found, host) for host in hosts)
    bits = [{(n, bit) for n, w in enumerate(h.split("-")) for bit in range(32) if int(w, 16) >> bit & 1} for h in hosts]
    common = set.intersection(*bits)
    assert common == {(n, b) for n, w in enumerate(found.split("-")) for b in range(32) if int(w, 16) >> b & 1}


@pytest.mark.parametrize(
    ("maskable", "features", "want"),
    [
        ("full", WEAKER, []),
        ("base", WEAKER, ["CPU_FEATURE_MASKING_NOT_SUPPORTED"]),
        ("base", FEATURES.replace("1fcb", "1fc0"), []),
        ("no", WEAKER, ["CPU_FEATURE_MASKING_NOT_SUPPORTED"]),
        ("full", "ffffffff-ffffffff-ffffffff-ffffffff", ["CPU_FEATURE_MASKING_NOT_SUPPORTED"]),
        ("full", "1fcbfbff", ["INVALID_FEATURE_STRING"]),
        ("full", "rubbish", ["INVALID_FEATURE_STRING"]),
    ],
    ids=["full", "base-beyond", "base-within", "no", "more", "short", "rubbish"],
)
def test_what_can_be_masked(maskable: str, features: str, want: list[str]) -> None:
    lab = Lab(OLD)
    lab.row("host", "h3")["cpu_info"] |= {"physical_features": FEATURES, "maskable": maskable}
    estate = lab.estate()
    client = Client(estate, "h3")
    assert answer(lambda: client("host.set_cpu_features", ref("h3"), features))[:1] == want
    info = client("host.get_cpu_info", ref("h3"))
    assert info["features"] == FEATURES, "not before a reboot"
    assert info.get("features_after_reboot", FEATURES) == (FEATURES if want else features)
    estate.close()


def test_a_mask_takes_effect_at_the_boot_and_can_be_taken_back() -> None:
    lab = Lab(OLD)
    lab.row("host", "h2")["cpu_info"] |= {"physical_features": FEATURES, "maskable": "full"}
    estate = lab.estate()
    client = Client(estate, "h1")
    for call, want in ((("host.set_cpu_features", WEAKER), WEAKER), (("host.reset_cpu_features",), FEATURES)):
        client(call[0], ref("h2"), *call[1:])
        client("host.disable", ref("h2"))
        client("host.reboot", ref("h2"))
        eventually(lambda: not estate.hosts[ident("h2")].alive)
        eventually(lambda: bool(client("host.get_enabled", ref("h2"))))
        assert client("host.get_cpu_info", ref("h2"))["features"] == want
    estate.close()


def test_masking_needs_its_licence() -> None:
    lab = Lab(OLD)
    lab.row("host", "h3")["license_params"] = {"restrict_cpu_masking": "true"}
    estate = lab.estate()
    client = Client(estate, "h3")
    assert answer(lambda: client("host.set_cpu_features", ref("h3"), WEAKER)) == ["FEATURE_RESTRICTED"]
    estate.close()


def test_today_there_are_no_masks() -> None:
    estate = Lab().estate()
    client = Client(estate, "h3")
    assert answer(lambda: client("host.set_cpu_features", ref("h3"), WEAKER)) == ["MESSAGE_REMOVED"]
    estate.close()
