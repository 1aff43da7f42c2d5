"""A host in maintenance that starts anew: where its version can, it stays disabled; else that it does not is said."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model import Plan, Value
from tests.commands.hosts import free_to_leave
from tests.commands.world import Made, World, world


def without_vms(made: Made) -> None:
    """Nothing runs on xs23."""
    for row in list(made.objects["VM"].values()):
        if row["resident_on"] == made.ref("host", "xs23") and not row["is_control_domain"]:
            made.halt(row["name_label"])


def disabling(plan: Plan) -> tuple[Any, ...]:
    (step,) = [step for step in plan.steps if step.call == "host.disable"]
    return step.arguments[1:]


def in_maintenance(found: World) -> None:
    plan = found.done("host maintenance xs23 on")
    assert disabling(plan) == (Value(False),)
    assert "starts anew" not in str(plan.impact)


def test_a_host_in_maintenance_is_rebooted_and_stays_in_it() -> None:
    with world("current", without_vms, speed=200) as found:
        in_maintenance(found)
        plan = found.done("host reboot xs23")
        assert "unless it was disabled for good" in str(plan.impact)
        host = found.record("host", "xs23")
        assert host["enabled"] is False
        assert host["other_config"]["MAINTENANCE_MODE"] == "true"
        found.done("host maintenance xs23 off")
        found.done("host reboot xs23")
        assert found.record("host", "xs23")["enabled"] is True


def test_a_run_that_brings_the_host_back_itself_disables_it_for_as_long_as_it_is_up() -> None:
    with world("current", without_vms) as found:
        assert disabling(found.plan("host reboot xs23")) == ()
        assert disabling(found.plan("host shutdown xs23")) == ()


@pytest.mark.parametrize("side", ["xs23", "xs21"])
def test_an_older_toolstack_is_not_sent_what_it_does_not_know(side: str) -> None:
    """Neither to the host itself, nor to the coordinator, which passes the call on."""

    def change(made: Made) -> None:
        without_vms(made)
        made.row("host", side)["software_version"]["xapi_build"] = "25.30.9"

    with world("current", change) as found:
        assert made_coordinator(found) == "xs21"
        plan = found.plan("host maintenance xs23 on")
        assert disabling(plan) == ()
        assert any("or starts anew: then its toolstack enables it by itself" in line for line in plan.impact)


def made_coordinator(found: World) -> str:
    coordinator = found.view.inventory().pool.coordinator
    assert coordinator is not None
    return coordinator.name


def test_on_6_5_it_is_said() -> None:
    with world(change=free_to_leave) as found:
        plan = found.plan("host maintenance xs2 on")
        assert disabling(plan) == ()
        assert any("starts anew" in line for line in plan.impact)


def test_a_host_that_was_disabled_for_good_is_waited_for_until_it_is_back_not_until_it_takes_vms() -> None:
    def off(made: Made) -> None:
        without_vms(made)
        made.host_metrics("xs23")["live"] = False
        made.row("host", "xs23").update(enabled=False, power_on_mode="wake-on-lan")

    with world("current", off) as found:
        plan = found.plan("host start xs23")
        assert plan.steps[-1].title == "Wait until xs23 is back and has its storage"
        assert [(each.label, each.command) for each in plan.on_success] == [
            ("Take it into service", "host maintenance xs23 off in current")
        ]
