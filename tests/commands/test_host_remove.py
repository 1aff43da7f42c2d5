"""Taking a host out of its pool: what is lost is listed, what stands against it is told as the toolstack does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot import outcome
from bot.model import Plan, Risk, Verdict
from sandbox.xapi.lab import load
from tests.commands.hosts import role
from tests.commands.world import NULL, REGISTRY, Changed, Made, World, codes, world


def idle(made: Made) -> None:
    """Nothing runs on xs2."""
    ref = made.ref("host", "xs2")
    for row in made.objects["VM"].values():
        if row["resident_on"] == ref and not row["is_control_domain"]:
            row.update(power_state="Halted", resident_on=NULL, domid=-1)
            for cls in ("VBD", "VIF"):
                for device in made.objects[cls].values():
                    if made.objects["VM"].get(device["VM"]) is row:
                        device["currently_attached"] = False


def local_sr(made: Made, host: str) -> str:
    mine = {row["SR"] for row in made.objects["PBD"].values() if row["host"] == made.ref("host", host)}
    return next(str(ref) for ref in mine if made.objects["SR"][ref]["type"] == "lvm")


def with_local_disks(made: Made) -> None:
    """wiki-1 has its disk on xs2's own storage, and there is one of nobody."""
    idle(made)
    (vbd,) = (row for row in made.vbds("wiki-1") if row["type"] == "Disk")
    disk = made.objects["VDI"][vbd["VDI"]]
    disk["SR"] = local_sr(made, "xs2")
    made.objects["VDI"]["OpaqueRef:stray"] = {
        **disk, "uuid": "00000000-0000-4000-8000-00000000e001", "name_label": "old backup",
    }  # fmt: skip


def told(plan: Plan, verdict: Verdict = Verdict.WARN) -> list[str]:
    return [finding.title for finding in plan.findings if finding.verdict is verdict]


def test_every_disk_and_vm_that_is_lost_is_listed() -> None:
    with world(change=with_local_disks) as found:
        plan = found.plan("host remove xs2")
        assert plan.blockers == ()
        assert plan.risk is Risk.DESTRUCTIVE
        titles = told(plan)
        assert "the VM wiki-1 is lost, with 1 disk" in titles
        assert "1 disk of no VM is lost" in titles
        assert "2 images of no VM are lost" in titles
        assert any("old backup" in finding.evidence for finding in plan.warnings if finding.id == "leave.disks")
        wiki = next(finding for finding in plan.warnings if finding.id == "leave.vm")
        assert found.record("VM", "wiki-1")["uuid"] in wiki.remedy
        # What is on shared storage, or on another host's, is not.
        assert not any("build-1" in title or "db-1" in title for title in titles)
        assert found.replanned(plan).digest() == plan.digest()


def test_a_host_leaves_and_is_a_pool_of_its_own_for_another_client() -> None:
    """The whole way: two hosts become a pool, and one of them goes again."""
    with world("tutorial-start") as found:
        found.perform(found.plan("host add xs2 to xs1"))
        assert role(found, "xs2") == "HOST_IS_SLAVE"
        plan = found.plan("host remove xs2")
        assert plan.blockers == ()
        assert [step.call for step in plan.steps] == ["host.disable", "pool.eject", ""]
        found.perform(plan)
        assert [row["name_label"] for row in found.api.host.get_all_records().values()] == ["xs1"]
        assert role(found, "xs2") == ""
        (own,) = found.host_api("xs2").host.get_all_records().values()
        assert own["uuid"] == next(touched.uuid for touched in plan.touches if touched.cls == "host")
        again = found.plan("host add xs2 to xs1")
        assert again.blockers == ()


@dataclass(frozen=True)
class Case:
    code: str
    change: Changed
    host: str = "xs2"


def dead(made: Made) -> None:
    idle(made)
    made.host_metrics("xs2")["live"] = False


def protected_pool(made: Made) -> None:
    idle(made)
    made.pool["ha_enabled"] = True


CASES = (
    Case("HOST_OFFLINE", dead),
    Case("INTERNAL_ERROR", lambda made: None, "xs1"),
    Case("OPERATION_NOT_ALLOWED", lambda made: None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.host}")
def test_what_stands_against_it_has_the_toolstack_s_code(case: Case) -> None:
    with world(change=case.change) as found:
        plan = found.plan(f"host remove {case.host}")
        assert codes(plan)[0] == case.code
        assert all(finding.evidence and finding.remedy for finding in plan.blockers)
        assert sent(found, plan) == case.code


def test_with_high_availability_on_it_is_off_meanwhile_and_on_again() -> None:
    with world("healthy") as found:
        found.perform(found.plan("host maintenance xs33 on"))
        api = found.api
        ((pool, before),) = api.pool.get_all_records().items()
        assert (before["ha_enabled"], before["ha_host_failures_to_tolerate"]) == (True, "0")
        plan = found.plan("host remove xs33")
        assert plan.blockers == ()
        assert "leave.ha" in [finding.id for finding in plan.warnings]
        assert "no host failures can be tolerated without xs33" in told(plan, Verdict.PASS)
        assert [step.call for step in plan.steps] == ["pool.disable_ha", "pool.eject", "pool.enable_ha"]
        assert found.replanned(plan).digest() == plan.digest()
        assert found.code_of("pool.eject", found.ref("host", "xs33")) == "HA_IS_ENABLED"
        heartbeat = {api.VDI.get_SR(vdi) for vdi in before["ha_statefiles"]}
        found.perform(plan)
        after = found.api.pool.get_record(pool)
        assert (after["ha_enabled"], after["ha_host_failures_to_tolerate"]) == (True, "0")
        assert {found.api.VDI.get_SR(vdi) for vdi in after["ha_statefiles"]} == heartbeat
        assert after["ha_overcommitted"] is False
        assert len(found.api.host.get_all()) == 2


def test_with_too_few_hosts_left_for_the_number_it_is_told_which_is_possible() -> None:
    def two(made: Made) -> None:
        made.pool["ha_host_failures_to_tolerate"] = made.pool["ha_plan_exists_for"] = 2

    with world("healthy", two) as found:
        plan = found.plan("host remove xs33")
        (blocker,) = [finding for finding in plan.blockers if finding.id == "leave.tolerates"]
        assert "at most 0: if xs32 fails" in blocker.evidence
        assert "“ha tolerate 0” first" in blocker.remedy


def test_where_it_cannot_leave_high_availability_comes_back() -> None:
    """What is undone, and what is offered where even that fails."""
    with world(change=protected_pool) as found:
        plan = found.plan("host remove xs2")
        off = plan.steps[0]
        assert [each.call for each in off.undo] == ["pool.enable_ha"]
        assert outcome.undoable(plan.steps, [0, 1]) == [1, 0]
        (offered,) = [each.command for each in plan.on_failure if each.command.startswith("ha ")]
        assert offered == "ha enable tolerate 0 in lab"
        assert REGISTRY.knows(offered)


def sent(found: World, plan: Plan) -> str:
    """What pool.eject itself answers."""
    uuid = dict(plan.arguments)["host"]
    return found.code_of("pool.eject", found.api.host.get_by_uuid(uuid))


def test_updates_being_applied_stop_it() -> None:
    def updating(made: Made) -> None:
        made.pool["current_operations"] = {"OpaqueRef:t": "apply_updates"}

    with world("current", updating) as found:
        assert "NOT_SUPPORTED_DURING_UPGRADE" in codes(found.plan("host remove xs22"))


def test_with_one_host_there_is_nothing_to_leave() -> None:
    with world(load("tutorial-start")) as found:
        (blocker,) = found.plan("host remove xs1").blockers
        assert (blocker.code, "nothing to leave" in blocker.remedy) == ("INTERNAL_ERROR", True)


def test_a_default_storage_that_goes_is_told() -> None:
    def change(made: Made) -> None:
        idle(made)
        made.pool["default_SR"] = local_sr(made, "xs2")

    with world(change=change) as found:
        assert "leave.defaults" in [finding.id for finding in found.plan("host remove xs2").warnings]


def test_what_the_directory_keeps_is_said() -> None:
    def joined_to(made: Made) -> None:
        made.row("host", "xs2").update(external_auth_type="AD", external_auth_service_name="corp.example")

    with world(change=joined_to) as found:
        told = "It forgets the directory corp.example; its computer account stays there until somebody deletes it."
        assert told in found.plan("host remove xs2").impact
    with world() as found:
        assert not any("directory" in line for line in found.plan("host remove xs2").impact)


def test_what_a_failed_leave_has_unplugged_can_be_looked_for() -> None:
    with world() as found:
        assert "pool status in lab" in [each.command for each in found.plan("host remove xs2").on_failure]
