"""Turning high availability on and off, and saying whom it restarts."""

from __future__ import annotations

from unittest import mock

import pytest

from bot.errors import ToolstackRefusal
from bot.model import Lines
from tests.commands.blocked import Case, compare
from tests.commands.changes import host_dead
from tests.commands.world import Made, World, codes, refused, world

UNBONDED = "network.management-bonded"
DENIED = ToolstackRefusal("The account may not do that.", code="RBAC_PERMISSION_DENIED")


def unplugged(made: Made) -> None:
    for pbd in made.pbds("iSCSI storage", "xs2"):
        pbd["currently_attached"] = False


def full(made: Made) -> None:
    sr = made.row("SR", "iSCSI storage")
    sr["physical_utilisation"] = sr["physical_size"] - (1 << 20)


def nic_down(made: Made) -> None:
    pif = next(row for row in made.objects["PIF"].values() if row["host"] == made.ref("host", "xs2"))
    pif.update(disallow_unplug=True, currently_attached=False)


def everything(made: Made) -> None:
    for change in (host_dead, unplugged, full, nic_down):
        change(made)


CASES = (
    Case("ha enable on iSCSI storage", ("HOST_OFFLINE",), host_dead),
    Case("ha enable on iSCSI storage", ("SR_HAS_NO_PBDS",), unplugged),
    Case("ha enable on iSCSI storage", ("SR_SOURCE_SPACE_INSUFFICIENT",), full),
    Case("ha enable on iSCSI storage", ("REQUIRED_PIF_IS_UNPLUGGED",), nic_down),
    Case(
        "ha enable on iSCSI storage",
        ("REQUIRED_PIF_IS_UNPLUGGED", "HOST_OFFLINE", "SR_HAS_NO_PBDS", "SR_SOURCE_SPACE_INSUFFICIENT"),
        everything,
    ),
    Case("ha tolerate 2", ("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN",), lambda made: _big(made), lab="healthy"),
)


def _big(made: Made) -> None:
    for number in (1, 2, 3):
        made.memory(f"sql-{number}", 60)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found)


def test_storage_that_does_not_suit_is_refused_with_the_toolstack_s_code(tutorial: World) -> None:
    """Of each kind of storage in the lab, shared and local: the same first reason as the toolstack's own check."""
    inventory = tutorial.view.inventory()
    seen = set()
    for ref, row in tutorial.api.SR.get_all_records().items():
        plan = tutorial.plan(f"ha enable on {row['uuid']} tolerate 0")
        theirs = tutorial.code_of("SR.assert_can_host_ha_statefile", ref)
        assert (codes(plan) or [""])[0] == theirs, row["name_label"]
        seen.add(theirs)
    assert {"", "SR_HAS_NO_PBDS"} <= seen
    assert inventory.pool.ha_enabled is False


def test_all_that_can_be_enabled_is_and_another_client_sees_it() -> None:
    with world() as found:
        found.done("ha protect web-1 restart order 2 delay 5")
        vm = found.record("VM", "web-1")
        assert (vm["ha_restart_priority"], vm["order"], vm["start_delay"], vm["ha_always_run"]) == (
            "restart", "2", "5", True,
        )  # fmt: skip
        found.done("ha protect mail-1 best-effort")
        plan = found.done("ha enable")
        assert "iSCSI storage" in plan.title
        assert plan.go_back == "ha disable in lab"
        assert {finding.id for finding in plan.warnings} == {"ha.three-hosts", "ha.unprotected", UNBONDED}
        (pool,) = found.api.pool.get_all_records().values()
        assert pool["ha_enabled"] is True
        assert pool["ha_host_failures_to_tolerate"] == pool["ha_plan_exists_for"] == "1"
        assert found.report("ha status").title == "lab: high availability is on and tolerates 1 host failure"
        with mock.patch.object(type(found.view), "ask", side_effect=DENIED):
            shown = found.report("ha status")
        assert "1 host failure by the bot's reckoning" in str(shown.parts)
        assert "on already" in refused(found, "ha enable").message
        assert found.code_of("pool.enable_ha", [], {}) == "HA_IS_ENABLED"
        assert found.done("ha disable").go_back == 'ha enable on "iSCSI storage" tolerate 1 in lab'
        (pool,) = found.api.pool.get_all_records().values()
        assert pool["ha_enabled"] is False
        assert "off already" in refused(found, "ha disable").message
        assert found.code_of("pool.disable_ha") == "HA_NOT_ENABLED"
        found.done("ha protect web-1 off")
        assert found.record("VM", "web-1")["ha_restart_priority"] == ""


def test_nfs_and_too_few_hosts_are_advised_against(tutorial: World) -> None:
    plan = tutorial.plan("ha enable on NFS storage")
    assert {"ha.storage", "ha.three-hosts", "ha.unprotected", UNBONDED} == {finding.id for finding in plan.warnings}
    assert not plan.blockers


def test_more_failures_than_possible_is_refused_with_the_reason() -> None:
    def protected(made: Made) -> None:
        made.protect("web-1", "db-1")

    with world(change=protected) as found:
        plan = found.plan("ha enable tolerate 2")
        (blocker,) = plan.blockers
        assert blocker.id == "ha.possible"
        assert "at most 1" in blocker.evidence
        assert "xs1 and then xs2" in blocker.evidence or "xs2 and then xs1" in blocker.evidence


def test_a_vm_that_is_not_agile_is_not_protected_and_the_way_out_is_told(tutorial: World) -> None:
    """The toolstack would take it, and be overcommitted from then on."""
    plan = tutorial.plan("ha protect build-1 restart")
    (blocker,) = plan.blockers
    assert "Local storage" in blocker.evidence
    assert blocker.code == ""
    assert tutorial.plan("ha protect files-1 restart").blockers[0].remedy.endswith("“vm eject files-1”")
    assert not tutorial.plan("ha protect build-1 best-effort").blockers


def test_protecting_what_is_protected_already_is_said() -> None:
    with world("healthy") as found:
        assert "already" in refused(found, "ha protect sql-1 restart").message
        plan = found.plan("ha protect sql-1 restart order 3")
        assert [step.call for step in plan.steps] == ["VM.set_order"]
        assert plan.go_back == "ha protect sql-1 restart order 0 in healthy"


def test_protecting_what_breaks_the_plan_is_the_toolstack_s_refusal_too() -> None:
    def giant(made: Made) -> None:
        made.protect("shop-1", priority="")
        made.memory("shop-1", 165)

    with world("healthy", giant) as found:
        plan = found.plan("ha protect shop-1 restart")
        assert codes(plan) == ["HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"]
        assert found.code_of_plan(plan) == "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"


def test_a_failed_enable_takes_the_number_back() -> None:
    with world() as found:
        plan = found.plan("ha enable tolerate 1")
        found.perform(plan, steps=1)
        (pool,) = found.api.pool.get_all_records().values()
        assert pool["ha_host_failures_to_tolerate"] == "1"
        found.undo(plan.steps[0])
        deadline = 50
        while deadline and next(iter(found.api.pool.get_all_records().values()))["ha_host_failures_to_tolerate"] != "0":
            deadline -= 1
        assert deadline


@pytest.mark.parametrize(
    ("had", "kept"),
    [({"timeout": "90"}, {"timeout": "90"}), ({}, {}), ({"timeout": "soon"}, {})],
    ids=["a timeout", "nothing", "what the toolstack cannot read"],
)
def test_what_it_was_configured_with_is_kept_for_the_next_time(had: dict[str, str], kept: dict[str, str]) -> None:
    """Enabling replaces the configuration; the toolstack fails inside over a timeout that is no number."""
    with world(change=lambda made: made.pool.update(ha_configuration=had)) as found:
        plan = found.done("ha enable tolerate 0")
        (pool,) = found.api.pool.get_all_records().values()
        assert pool["ha_configuration"] == kept
        assert any("silent for 90 s" in reason for reason in plan.reasons) is bool(kept)


def test_what_a_shutdown_from_inside_comes_to_is_said() -> None:
    """Since 25.16 the pool may leave such a VM down; before, it never did."""
    inside = "Shut down from inside, it is started again as well; “vm shutdown web-1” keeps it down."
    with world() as found:
        assert inside in found.plan("ha protect web-1 restart").impact
        assert inside not in found.plan("ha protect web-1 best-effort").impact
    with world("current", lambda made: made.pool.update(ha_reboot_vm_on_internal_shutdown=False)) as found:
        plan = found.plan(f"ha protect {next(iter(found.view.inventory().guests)).uuid} restart")
        assert not any("from inside" in line for line in plan.impact)


def test_the_plan_says_of_a_host_without_vms_that_nothing_has_to_start_anew() -> None:
    with world("healthy") as found:
        for name in ("sql-3", "cache-3", "shop-3"):
            found.done(f"vm migrate {name}")
        (part,) = found.report("ha plan for xs33").parts
        assert isinstance(part, Lines)
        assert [line.text for line in part.lines] == ["Nothing has to start anew."]
