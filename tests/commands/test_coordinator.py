"""The coordinator's role given to another host: asked for, and as the first part of maintenance."""

from __future__ import annotations

import pytest

from bot.model import Verdict
from tests.commands.blocked import Case, compare
from tests.commands.changes import host_dead
from tests.commands.hosts import coordinator, free_xs1, living_on
from tests.commands.world import Made, refused, world


def busy(made: Made) -> None:
    made.pool["current_operations"] = {"OpaqueRef:some-task": "ha_enable"}


def everything(made: Made) -> None:
    busy(made)
    made.host_metrics("xs32")["live"] = False


CASES = (
    Case("pool coordinator xs2", ("HOST_OFFLINE",), host_dead),
    Case("pool coordinator xs32", ("HA_IS_ENABLED",), lambda made: None, lab="healthy"),
    Case("pool coordinator xs22", ("HA_ENABLE_IN_PROGRESS",), busy, lab="current"),
    Case(
        "pool coordinator xs32", ("HA_ENABLE_IN_PROGRESS", "HA_IS_ENABLED", "HOST_OFFLINE"), everything, lab="healthy"
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found)


def test_the_role_is_handed_over_and_another_client_sees_it() -> None:
    with world() as found:
        assert coordinator(found) == "xs1"
        plan = found.done("pool coordinator xs2")
        assert plan.whole_pool
        assert coordinator(found) == "xs2"
        assert "coordinator already" in refused(found, "pool coordinator xs2").message
        found.done(plan.go_back)
        assert coordinator(found) == "xs1"


def test_a_host_of_another_version_or_out_of_service_is_told() -> None:
    def older(made: Made) -> None:
        row = made.row("host", "xs2")
        row["software_version"] = {**row["software_version"], "platform_version": "1.8.0", "product_version": "6.2.0"}
        row["enabled"] = False

    with world(change=older) as found:
        plan = found.plan("pool coordinator xs2")
        (blocker,) = plan.blockers
        assert (blocker.id, blocker.code) == ("coordinator.version", "")
        assert [finding.id for finding in plan.warnings] == ["coordinator.enabled"]


@pytest.mark.parametrize(
    ("text", "becomes"), [("host maintenance xs1 on", "xs2"), ("host maintenance xs1 on coordinator xs2", "xs2")]
)
def test_maintenance_of_the_coordinator_hands_the_role_over_first(text: str, becomes: str) -> None:
    with world(change=free_xs1) as found:
        plan = found.plan(text)
        assert not plan.blockers, plan.blockers
        assert plan.steps[0].call == "pool.designate_new_master"
        assert dict(plan.arguments)["member"] == found.record("host", becomes)["uuid"]
        assert found.replanned(plan).digest() == plan.digest()
        found.perform(plan)
        assert coordinator(found) == becomes
        assert living_on(found, "xs1") == set()
        found.done("host maintenance xs1 off")
        assert coordinator(found) == becomes


def test_with_ha_on_the_role_stays_and_naming_somebody_is_refused() -> None:
    with world("healthy") as found:
        plan = found.plan("host maintenance xs31 on")
        assert "pool.designate_new_master" not in [step.call for step in plan.steps]
        assert any("stays the coordinator" in line for line in plan.impact)
        refusal = refused(found, "host maintenance xs31 on coordinator xs32")
        assert "high availability on" in refusal.message
        assert "“ha disable”" in refusal.remedy
        assert "not the coordinator" in refused(found, "host maintenance xs32 on coordinator xs33").message


def test_where_a_host_is_dead_the_role_stays_and_it_is_told() -> None:
    def change(made: Made) -> None:
        made.pool["ha_enabled"] = False
        made.host_metrics("xs33")["live"] = False

    with world("healthy", change) as found:
        plan = found.plan("host maintenance xs31 on")
        (told,) = [finding for finding in plan.findings if finding.id == "coordinator.stays"]
        assert told.verdict is Verdict.WARN
        assert "xs33" in told.evidence
        assert "pool.designate_new_master" not in [step.call for step in plan.steps]


def test_the_proposal_prefers_who_is_in_service() -> None:
    def change(made: Made) -> None:
        made.pool["ha_enabled"] = False
        made.row("host", "xs32")["enabled"] = False

    with world("healthy", change) as found:
        plan = found.plan("host maintenance xs31 on")
        assert plan.steps[0].title == "Make xs33 the coordinator"
        assert any(reason.startswith("xs33 becomes the coordinator: xs33 takes VMs") for reason in plan.reasons)


def test_a_pool_with_repositories_has_to_be_synchronised_again() -> None:
    """The toolstack forgets when that was, on purpose."""
    told = "Before the next update the pool has to be synchronised with its repositories again."
    with world("current", lambda made: made.pool.update(repositories=["OpaqueRef:r"])) as found:
        assert told in found.plan("pool coordinator xs22").impact
    with world("current", lambda made: made.pool.update(repositories=[])) as found:
        assert told not in found.plan("pool coordinator xs22").impact
