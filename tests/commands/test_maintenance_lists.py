"""Who left a host is noted as XenCenter notes it; each tool brings back whom the other has sent away."""

from __future__ import annotations

from bot.model import Plan, Suggestion
from bot.rules.maintenance import HALTED_KEY, MIGRATED_KEY, SUSPENDED_KEY
from tests.commands.hosts import free_to_leave, living_on
from tests.commands.world import Made, World, codes, refused, world
from tests.waiting import eventually


def uuid(found: World, vm: str) -> str:
    return str(found.record("VM", vm)["uuid"])


def as_xencenter(made: Made) -> None:
    """xs2 was put into maintenance by XenCenter: web-2 moved away, wiki-1 was shut down, report-1 suspended."""
    free_to_leave(made)
    host = made.row("host", "xs2")
    host["enabled"] = False
    host["other_config"] = {
        **host["other_config"],
        "MAINTENANCE_MODE": "true",
        MIGRATED_KEY: ",".join([made.row("VM", "web-1")["uuid"], "00000000-0000-0000-0000-000000000000"]),
        HALTED_KEY: made.row("VM", "wiki-1")["uuid"],
        SUSPENDED_KEY: made.row("VM", "report-1")["uuid"],
    }


def test_whom_xencenter_sent_away_comes_back_each_in_its_way() -> None:
    with world(change=as_xencenter) as found:
        plan = found.done("host maintenance xs2 off")
        assert {step.call for step in plan.steps} >= {"VM.pool_migrate", "VM.start_on", "VM.resume_on"}
        assert {"web-1", "wiki-1", "report-1"} <= living_on(found, "xs2")
        host = found.record("host", "xs2")
        assert host["enabled"] is True
        assert not {key for key in host["other_config"] if key.startswith("MAINTENANCE_MODE")}
        assert "Started, since it was shut down for the maintenance: wiki-1." in plan.impact


def test_whom_somebody_dealt_with_meanwhile_is_left_alone() -> None:
    def change(made: Made) -> None:
        as_xencenter(made)
        host = made.row("host", "xs2")
        # wiki-1 is halted and on the list of those that were moved: somebody has shut it down since.
        host["other_config"] = {**host["other_config"], MIGRATED_KEY: made.row("VM", "wiki-1")["uuid"], HALTED_KEY: ""}

    with world(change=change) as found:
        plan = found.plan("host maintenance xs2 off")
        assert "wiki-1" not in " ".join(step.title for step in plan.steps)
        assert not [finding for finding in plan.findings if finding.id == "vm.returns"]


def test_who_cannot_come_back_is_told_and_keeps_nobody_else() -> None:
    def change(made: Made) -> None:
        as_xencenter(made)
        made.row("VM", "wiki-1")["blocked_operations"] = {"start_on": "under repair"}

    with world(change=change) as found:
        plan = found.plan("host maintenance xs2 off")
        assert not plan.blockers
        (told,) = [finding for finding in plan.warnings if finding.id == "vm.returns"]
        assert told.title == "wiki-1 stays halted"
        assert "under repair" in told.evidence
        assert "VM.resume_on" in {step.call for step in plan.steps}


def halfway(found: World) -> Plan:
    """An evacuation of xs2 that failed after its first VM was away, and was taken back as the runner does."""
    plan = found.plan("host maintenance xs2 on")
    assert not plan.blockers, plan.blockers
    kept = next(number for number, step in enumerate(plan.steps) if step.call == "VM.pool_migrate") + 1
    found.perform(plan, steps=kept)
    for step in reversed(plan.steps[:kept]):
        found.undo(step)
    return plan


def test_a_failed_evacuation_offers_to_go_on_and_to_bring_back() -> None:
    with world(change=free_to_leave) as found:
        plan = halfway(found)
        assert plan.on_failure == (
            Suggestion("Go on", "host maintenance xs2 on in lab"),
            Suggestion("Bring back", "host maintenance xs2 off in lab"),
        )


def test_going_on_keeps_on_the_list_who_had_left_before() -> None:
    with world(change=free_to_leave) as found:
        before = living_on(found, "xs2")
        halfway(found)
        moved = before - living_on(found, "xs2")
        assert len(moved) == 1
        found.done("host maintenance xs2 on")
        listed = found.record("host", "xs2")["other_config"][MIGRATED_KEY].split(",")
        assert len(listed) == len(set(listed)) == len(before)
        assert {uuid(found, name) for name in moved} <= set(listed)
        found.done("host maintenance xs2 off")
        assert living_on(found, "xs2") == before


def test_a_host_that_dies_in_the_middle_can_be_neither_emptied_nor_taken_back() -> None:
    with world(change=free_to_leave) as found:
        halfway(found)
        found.lab.kill("xs2")
        missed(found, "xs2")
        assert codes(found.plan("host maintenance xs2 on"))[0] == "HOST_OFFLINE"
        off = found.plan("host maintenance xs2 off")
        assert codes(off) == ["HOST_OFFLINE"]
        # Who had left is known still.
        assert len([step for step in off.steps if step.call == "VM.pool_migrate"]) == 1


def missed(found: World, host: str) -> None:
    """Wait until the pool has noticed."""
    eventually(lambda: not next(each for each in found.view.inventory().hosts if each.name == host).live, "its absence")


def test_bringing_back_names_no_new_coordinator() -> None:
    with world(change=as_xencenter) as found:
        assert "hands nothing over" in refused(found, "host maintenance xs2 off coordinator xs1").message
