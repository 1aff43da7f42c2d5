"""CPU levels of pools, and masks of single hosts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.xapi.rules.cpu import is_subset, level
from sandbox.xapi.rules.levelling import relevel
from tests.sandbox_xapi.core.two_pools import OLD, Lab, answer
from tests.sandbox_xapi.core.world import FEATURES, Client, ident, ref
from tests.waiting import eventually

WORDS = st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=20).map(
    lambda words: "-".join(f"{word:08x}" for word in words)
)
CANNOT = "CPU features cannot be masked to obtain given features"
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
        ("full", f" {WEAKER.upper().replace('-', '')}", []),
        ("base", WEAKER, ["INVALID_FEATURE_STRING", f"{CANNOT} (only base features can be masked)"]),
        ("base", FEATURES.replace("1fcb", "1fc0"), []),
        ("no", WEAKER, ["CPU_FEATURE_MASKING_NOT_SUPPORTED", "CPU does not have FlexMigration"]),
        ("no", FEATURES, ["CPU_FEATURE_MASKING_NOT_SUPPORTED", "CPU does not have FlexMigration"]),
        ("full", "ffffffff-ffffffff-ffffffff-ffffffff", ["INVALID_FEATURE_STRING", CANNOT]),
        ("full", "1fcbfbff", ["INVALID_FEATURE_STRING", "String is not of the right length"]),
        ("full", "rubbish", ["INVALID_FEATURE_STRING", "String contains illegal character"]),
    ],
    ids=["full", "spelt", "base-beyond", "base-within", "no", "no-change", "more", "short", "rubbish"],
)
def test_what_can_be_masked(maskable: str, features: str, want: list[str]) -> None:
    lab = Lab(OLD)
    lab.row("host", "h3")["cpu_info"] |= {"physical_features": FEATURES, "maskable": maskable}
    estate = lab.estate()
    client = Client(estate, "h3")
    assert answer(lambda: client("host.set_cpu_features", ref("h3"), features)) == want
    info = client("host.get_cpu_info", ref("h3"))
    assert info["features"] == FEATURES, "not before a reboot"
    assert info.get("features_after_reboot", FEATURES) == (
        FEATURES if want else WEAKER if "FB" in features else features
    )
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


CHANGED = "The pool-level CPU features have changed."
FALLEN = ("POOL_CPU_FEATURES_DOWN", 5, f"{CHANGED} Some features have gone away.")
RISEN = ("POOL_CPU_FEATURES_UP", 5, f"{CHANGED} Some features were added.")
OTHER = "1fcbfbff-f7fa3223-2d93fbff-00000243"
BOTH = ("POOL_CPU_FEATURES_DOWN", 5, f"{FALLEN[2]} Some features were added.")


@pytest.mark.parametrize(
    ("release", "levels", "want"),
    [
        ("dundee", [WEAKER, FEATURES], [FALLEN, RISEN]),
        ("dundee", [WEAKER, OTHER], [FALLEN, BOTH]),
        ("lima", [WEAKER, FEATURES], [FALLEN, RISEN]),
        ("naples", [WEAKER, FEATURES], [FALLEN]),
        ("naples", [WEAKER, OTHER], [FALLEN, FALLEN]),
        ("23.15.0", [WEAKER, FEATURES], [FALLEN]),
        ("23.16.0", [WEAKER, FEATURES], []),
    ],
)
def test_until_23_15_a_changed_level_is_told(release: str, levels: list[str], want: list[tuple[str, int, str]]) -> None:
    estate = Lab(release).estate()
    pool = estate.pools[0]
    with pool.db.lock:
        relevel(pool)
        for features in levels:
            for host in pool.db.rows("host"):
                pool.db.set_key("host", host, "cpu_info", "features_hvm", features)
            relevel(pool)
            relevel(pool)
    told = [(m["name"], m["priority"], m["body"]) for m in Client(estate, "h1")("message.get_all_records").values()]
    assert sorted(told) == sorted(want)
    estate.close()


def test_nothing_is_told_of_a_pool_that_is_one_host_or_upgraded() -> None:
    estate = Lab("ely").estate()
    for pool, config in ((estate.pools[1], {}), (estate.pools[0], {"rolling_upgrade_in_progress": "true"})):
        with pool.db.lock:
            relevel(pool)
            pool.db.write("pool", pool.ref, other_config=config)
            for host in pool.db.rows("host"):
                pool.db.set_key("host", host, "cpu_info", "features_hvm", WEAKER)
            relevel(pool)
        assert pool.record["cpu_info"]["features_hvm"] == WEAKER
        assert list(pool.messages.rows) == []
    estate.close()


@pytest.mark.parametrize(
    ("release", "keys"),
    [
        ("ely", {"features_pv", "features_hvm"}),
        ("stockholm", {"features_pv", "features_hvm", "features_pv_host", "features_hvm_host"}),
        ("24.19.0", {"features_pv_host", "features_hvm_host"}),
    ],
)
def test_which_words_a_pool_shows(release: str, keys: set[str]) -> None:
    estate = Lab(release).estate()
    pool = estate.pools[0]
    with pool.db.lock:
        pool.db.write("pool", pool.ref, cpu_info={})
        relevel(pool)
        assert {key for key in pool.record["cpu_info"] if key.startswith("features")} == keys
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
