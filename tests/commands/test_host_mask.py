"""Masking a host's CPU like a pool's, so that it can join: the tutorial's third host."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot import locks
from bot.model import HostTarget
from tests.commands.hosts import role
from tests.commands.world import codes, refused, world
from tests.rules.joining import NEW, OLD, Half, Pair


def different(pair: Pair, **info: str) -> None:
    """The host's CPU has a feature more than the pool's (fma)."""
    shown = pair.pool.host["cpu_info"]["features"].split("-")
    shown[0] = f"{int(shown[0], 16) | 1 << 12:08x}"
    more = "-".join(shown)
    pair.own.host["cpu_info"].update(features=more, features_after_reboot=more, physical_features=more, **info)


def test_the_third_host_is_masked_rebooted_and_can_join() -> None:
    with world("tutorial-start") as found:
        plan = found.plan("host mask-cpu xs3 like xs1")
        assert plan.blockers == ()
        assert [step.call for step in plan.steps if step.call] == [
            "host.set_cpu_features", "host.disable", "host.reboot",
        ]  # fmt: skip
        assert all(isinstance(step.target, HostTarget) and step.target.host == "xs3" for step in plan.steps)
        assert any("movbe" in line for line in plan.impact)
        assert found.replanned(plan).digest() == plan.digest()
        target = plan.steps[0].target
        assert isinstance(target, HostTarget)
        alone = (f"{target.pool_uuid}/*",)
        assert locks.keys(plan) == alone
        found.perform(plan)
        ((_, shown),) = found.host_api("xs3").host.get_all_records().items()
        ((_, wanted),) = found.api.host.get_all_records().items()
        assert shown["cpu_info"]["features"] == wanted["cpu_info"]["features"]
        assert shown["enabled"] is True
        assert "already" in refused(found, "host mask-cpu xs3 like xs1").message
        joined = found.plan(plan.on_success[0].command)
        assert joined.blockers == ()
        assert locks.keys(joined) == (f"{joined.pool.uuid}/*", *alone)
        found.perform(joined)
        assert role(found, "xs3") == "HOST_IS_SLAVE"


def test_the_mask_is_taken_back_when_a_later_step_fails() -> None:
    with world("tutorial-start") as found:
        ((ref, before),) = found.host_api("xs3").host.get_all_records().items()
        plan = found.plan("host mask-cpu xs3 like xs1")
        found.perform(plan, steps=1)
        after = found.host_api("xs3").host.get_cpu_info(ref)["features_after_reboot"]
        assert after != before["cpu_info"]["features_after_reboot"]
        found.undo(plan.steps[0])
        assert found.host_api("xs3").host.get_cpu_info(ref) == before["cpu_info"]


def _only_base(pair: Pair) -> None:
    different(pair, maskable="base")
    words = pair.own.host["cpu_info"]["physical_features"].split("-")
    words[2] = "00000021"
    pair.own.host["cpu_info"]["physical_features"] = "-".join(words)


def _weaker(pair: Pair) -> None:
    different(pair)
    words = pair.own.host["cpu_info"]["physical_features"].split("-")
    words[0] = f"{int(words[0], 16) & ~(1 << 25):08x}"  # no aes
    pair.own.host["cpu_info"].update(dict.fromkeys(("features", "physical_features"), "-".join(words)))


CASES: tuple[tuple[str, Callable[[Pair], None]], ...] = (
    ("CPU_FEATURE_MASKING_NOT_SUPPORTED", lambda pair: different(pair, maskable="no")),
    ("INVALID_FEATURE_STRING", _only_base),
    ("INVALID_FEATURE_STRING", _weaker),
    ("INVALID_FEATURE_STRING", lambda pair: pair.pool.host["cpu_info"].update(features="0098e3fd-bfebfbff")),
)


@pytest.mark.parametrize(("code", "change"), CASES, ids=["not maskable", "base only", "weaker", "two words"])
def test_what_cannot_be_masked_is_refused_with_the_toolstack_s_code(code: str, change: Callable[[Pair], None]) -> None:
    pair = Pair.of(OLD)
    change(pair)
    with world(pair.lab()) as found:
        plan = found.plan("host mask-cpu xs2 like xs1")
        assert codes(plan) == [code]
        assert plan.blockers[0].evidence
        assert plan.blockers[0].remedy
        assert found.code_of_plan(plan) == code


def _runs(half: Half) -> None:
    half.guest("Running", "db-9")


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("mask.running", _runs),
        ("mask.alone", lambda half: half.another_host(1)),
        ("mask.ha", lambda half: half.pool.update(ha_enabled=True)),
        ("mask.vendor", lambda half: half.host["cpu_info"].update(vendor="AuthenticAMD")),
    ],
)
def test_what_the_reboot_or_the_mask_would_spoil_stops_it(check: str, change: Callable[[Half], None]) -> None:
    """Where the toolstack would not ask."""
    pair = Pair.of(OLD)
    different(pair)
    change(pair.own)
    with world(pair.lab()) as found:
        plan = found.plan("host mask-cpu xs2 like xs1")
        assert [(finding.id, finding.code) for finding in plan.blockers] == [(check, "")]


def test_a_mask_that_only_waits_for_the_reboot_is_not_set_again() -> None:
    pair = Pair.of(OLD)
    different(pair)
    pair.own.host["cpu_info"]["features_after_reboot"] = pair.pool.host["cpu_info"]["features"]
    with world(pair.lab()) as found:
        plan = found.plan("host mask-cpu xs2 like xs1")
        assert [step.call for step in plan.steps if step.call] == ["host.disable", "host.reboot"]
        (blocker,) = found.plan("host add xs2").blockers
        assert "masked already" in blocker.remedy


def test_since_7_there_is_nothing_to_mask() -> None:
    pair = Pair.of(NEW)
    with world(pair.lab()) as found:
        told = refused(found, f"host mask-cpu {pair.own.host['name_label']} like {found.name}")
        assert "7.0 or later" in told.message
        ref = found.host_api(pair.own.host["name_label"]).host.get_all()[0]
        assert found.code_of("host.set_cpu_features", ref, "0-0-0-0") == "MESSAGE_REMOVED"
