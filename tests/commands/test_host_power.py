"""Hosts that go down and come back: emptied before, waited for, and filled again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Plan, Verdict
from tests.commands.blocked import Case, compare
from tests.commands.hosts import coordinator, free_to_leave, free_xs1, living_on
from tests.commands.world import Made, World, codes, refused, world


def dead(made: Made) -> None:
    free_to_leave(made)
    made.host_metrics("xs2")["live"] = False


def blind(made: Made) -> None:
    """xs32 does not see the storage of the heartbeat."""
    statefile = made.pool["ha_statefiles"][0]
    sr = made.objects["VDI"][statefile]["SR"]
    for pbd in made.objects["PBD"].values():
        if (pbd["SR"], pbd["host"]) == (sr, made.ref("host", "xs32")):
            pbd["currently_attached"] = False


def off(made: Made) -> None:
    """xs2 is off, and was emptied before."""
    made.host_metrics("xs2")["live"] = False
    made.row("host", "xs2").update(enabled=False)
    for row in made.objects["VM"].values():
        if row["resident_on"] == made.ref("host", "xs2") and not row["is_control_domain"]:
            made.halt(row["name_label"])


CASES = (
    Case("host reboot xs2", ("HOST_OFFLINE",), dead),
    Case("host shutdown xs2", ("HOST_OFFLINE",), dead),
    Case("host start xs2", ("HOST_POWER_ON_MODE_DISABLED",), off),
    Case("host reboot xs32", ("HA_LOST_STATEFILE",), blind, "healthy"),
    Case("host shutdown xs32", ("HA_LOST_STATEFILE",), blind, "healthy"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found)


def test_a_host_that_lost_the_heartbeat_storage_is_to_get_it_back() -> None:
    with world("healthy", blind) as found:
        (told,) = found.plan("host reboot xs32").blockers
        assert "“sr repair " in told.remedy


@pytest.mark.parametrize("verb", ["reboot", "shutdown"])
def test_what_cannot_leave_keeps_the_host_up(verb: str) -> None:
    with world() as found:
        plan = found.plan(f"host {verb} xs2")
        assert {finding.subject.name for finding in plan.blockers if finding.subject} == {"files-1", "legacy-1"}
        assert any("“vm eject files-1”" in finding.remedy for finding in plan.blockers)


def test_a_member_is_emptied_rebooted_and_filled_again() -> None:
    with world(change=free_to_leave) as found:
        before, boot = living_on(found, "xs2"), found.record("host", "xs2")["other_config"]["boot_time"]
        plan = found.done("host reboot xs2")
        host = found.record("host", "xs2")
        assert host["enabled"] is True
        assert host["other_config"]["boot_time"] != boot
        assert not {key for key in host["other_config"] if key.startswith("MAINTENANCE_MODE")}
        assert living_on(found, "xs2") == before
        assert coordinator(found) == "xs1"
        calls = [step.call for step in plan.steps]
        assert calls.index("host.disable") < calls.index("VM.pool_migrate") < calls.index("host.reboot")
        api = found.api
        assert all(api.PBD.get_currently_attached(pbd) for pbd in api.host.get_PBDs(found.ref("host", "xs2")))


def test_the_coordinator_hands_its_role_over_before_it_reboots() -> None:
    with world(change=free_xs1) as found:
        before = living_on(found, "xs1")
        plan = found.done("host reboot xs1")
        assert plan.steps[0].call == "pool.designate_new_master"
        assert coordinator(found) == "xs2"
        assert living_on(found, "xs1") == before
        assert found.record("host", "xs1")["enabled"] is True


def test_with_ha_on_the_number_is_lowered_for_the_time() -> None:
    with world("healthy") as found:
        plan = found.done("host reboot xs33")
        calls = [step.call for step in plan.steps]
        assert calls[1] == calls[-2] == "pool.set_ha_host_failures_to_tolerate"
        (pool,) = found.api.pool.get_all_records().values()
        assert pool["ha_host_failures_to_tolerate"] == "1"
        assert found.record("host", "xs33")["enabled"] is True


def test_ha_can_be_paused_so_that_the_coordinator_hands_its_role_over() -> None:
    with world("healthy") as found:
        plan = found.plan("host reboot xs31")
        (told,) = [finding for finding in plan.findings if finding.id == "coordinator.elected"]
        assert told.verdict is Verdict.WARN
        assert "“host reboot xs31 handover”" in told.remedy
        (before,) = found.api.pool.get_all_records().values()
        plan = found.done("host reboot xs31 handover")
        calls = [step.call for step in plan.steps]
        assert (calls[0], calls[1], calls[-1]) == ("pool.disable_ha", "pool.designate_new_master", "pool.enable_ha")
        assert "High availability is off meanwhile" in plan.impact[0]
        assert [each.label for each in plan.on_failure] == ["Take it back into service", "Turn HA on"]
        assert coordinator(found) != "xs31"
        (after,) = found.api.pool.get_all_records().values()
        assert after["ha_enabled"] is True
        assert after["ha_host_failures_to_tolerate"] == before["ha_host_failures_to_tolerate"]
        assert after["ha_plan_exists_for"] == before["ha_plan_exists_for"]


def test_with_ha_on_another_is_elected_while_the_coordinator_reboots() -> None:
    with world("healthy") as found:
        before = living_on(found, "xs31")
        plan = found.done("host reboot xs31")
        assert "pool.designate_new_master" not in [step.call for step in plan.steps]
        assert coordinator(found) in ("xs32", "xs33")
        assert living_on(found, "xs31") == before
        assert found.record("host", "xs31")["enabled"] is True


def test_handover_is_refused_where_there_is_nothing_to_hand_over() -> None:
    with world("healthy") as found:
        assert "not the coordinator" in refused(found, "host reboot xs33 handover").message
    with world() as found:
        assert "High availability is off" in refused(found, "host shutdown xs1 handover").message


def test_a_host_is_switched_off_and_on_again() -> None:
    def change(made: Made) -> None:
        free_to_leave(made)
        made.row("host", "xs2")["power_on_mode"] = "wake-on-lan"

    with world(change=change) as found:
        before = living_on(found, "xs2")
        plan = found.plan("host shutdown xs2")
        assert not plan.blockers
        emptied = next(number for number, step in enumerate(plan.steps) if step.call == "host.shutdown")
        found.perform(plan, steps=emptied)
        # The pool does not hear from it at once; its power goes seconds later.
        found.lab.set_speed(5.0)
        found.perform(replace(plan, steps=plan.steps[emptied:]))
        found.lab.set_speed(200.0)
        assert not _live(found, "xs2")
        uuid = found.record("host", "xs2")["uuid"]
        assert not found.lab.estate.hosts[uuid].alive, "it is off, not only about to be"
        assert living_on(found, "xs2") == set()
        assert before <= living_on(found, "xs1")
        assert "in maintenance already" in refused(found, "host maintenance xs2 on").message
        assert plan.go_back == "host start xs2 in lab"
        started = found.done(plan.go_back)
        assert "wake-on-LAN" in started.impact[0]
        assert _live(found, "xs2")
        assert found.record("host", "xs2")["enabled"] is True
        assert "is on" in refused(found, "host start xs2").message
        assert started.on_success[0].command == "host maintenance xs2 off in lab"
        found.done("host maintenance xs2 off")
        assert living_on(found, "xs2") == before


def test_whether_it_can_be_switched_on_again_is_said_before_it_is_off() -> None:
    with world(change=free_to_leave) as found:
        (told,) = [finding for finding in found.plan("host shutdown xs2").findings if finding.id == "host.power-on"]
        assert told.verdict is Verdict.WARN
        assert "xe host-set-power-on-mode host=" in told.remedy


@pytest.mark.parametrize(
    ("mode", "config", "words"),
    [
        ("wake-on-lan", {}, "by a wake-on-LAN packet to its management NIC"),
        ("DRAC", {"power_on_ip": "10.0.0.5"}, "through its Dell DRAC at 10.0.0.5"),
        ("iLO", {}, "through its HP iLO"),
        ("ipmi-lab", {}, "by the coordinator's own script ipmi-lab"),
    ],
)
def test_how_it_is_switched_on_is_told(mode: str, config: dict[str, str], words: str) -> None:
    def change(made: Made) -> None:
        off(made)
        made.row("host", "xs2").update(power_on_mode=mode, power_on_config=config)

    with world(change=change) as found:
        assert not codes(found.plan("host start xs2"))
        assert words in found.plan("host start xs2").impact[0]


def test_the_last_who_can_lead_is_not_switched_off() -> None:
    def alone(made: Made) -> None:
        made.pool["ha_enabled"] = False
        made.host_metrics("xs33")["live"] = False

    with world("healthy", alone) as found:
        plan = found.plan("host shutdown xs31")
        (told,) = [finding for finding in plan.blockers if finding.id == "coordinator.leads"]
        assert "“pool shutdown”" in told.remedy


def test_a_host_that_the_bot_runs_on_takes_it_along() -> None:
    with world(change=free_to_leave) as found:
        found.resolver = replace(found.resolver, runs_on="xs2")
        (told,) = [finding for finding in found.plan("host reboot xs2").findings if finding.id == "host.bot-inside"]
        assert told.verdict is Verdict.WARN
        assert [finding.id for finding in found.plan("host shutdown xs2").blockers] == ["host.bot-inside"]
        # A VM that it runs on moves away with the others.
        found.resolver = replace(found.resolver, runs_on="web-2")
        assert not found.plan("host shutdown xs2").blockers


def test_what_stays_done_when_the_host_does_not_come_back() -> None:
    """The reboot is final: nobody enables a host that is away."""
    with world(change=free_to_leave) as found:
        plan: Plan = found.plan("host reboot xs2")
        finals = [step.call for step in plan.steps if step.final]
        assert finals == ["host.reboot"]
        assert plan.on_failure[0].command == "host maintenance xs2 off in lab"


def _live(found: World, host: str) -> bool:
    api = found.api
    return bool(api.host_metrics.get_live(api.host.get_metrics(found.ref("host", host))))
