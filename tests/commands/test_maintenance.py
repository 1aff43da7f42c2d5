"""Emptying a host and bringing its VMs back; taking CDs out; plugging storage."""

from __future__ import annotations

import re

from tests.commands.hosts import free_to_leave, living_on
from tests.commands.world import Made, codes, refused, world


def test_a_host_is_emptied_and_its_vms_come_back_and_another_client_sees_it() -> None:
    with world(change=free_to_leave) as found:
        before = living_on(found, "xs2")
        plan = found.done("host maintenance xs2 on")
        host = found.record("host", "xs2")
        assert host["enabled"] is False
        assert host["other_config"]["MAINTENANCE_MODE"] == "true"
        listed = set(host["other_config"]["MAINTENANCE_MODE_EVACUATED_VMS_MIGRATED"].split(","))
        assert listed == {found.record("VM", name)["uuid"] for name in before if name != "jenkins"} | {
            record["uuid"] for record in found.api.VM.get_all_records().values()
            if record["name_label"] == "jenkins" and record["power_state"] == "Running"
        }  # fmt: skip
        assert living_on(found, "xs2") == set()
        assert before <= living_on(found, "xs1")
        assert "in maintenance already" in refused(found, "host maintenance xs2 on").message
        found.done(plan.go_back)
        host = found.record("host", "xs2")
        assert host["enabled"] is True
        assert not {key for key in host["other_config"] if key.startswith("MAINTENANCE_MODE")}
        assert living_on(found, "xs2") == before
        assert "in service" in refused(found, "host maintenance xs2 off").message


def test_every_vm_that_cannot_leave_is_told_with_every_reason_and_a_way_out() -> None:
    with world() as found:
        plan = found.plan("host maintenance xs2 on")
        about = {finding.subject.name: finding for finding in plan.blockers if finding.subject}
        assert set(about) == {"files-1", "legacy-1"}
        assert "vm eject files-1" in about["files-1"].remedy
        assert about["files-1"].code == "VM_REQUIRES_SR"
        prevented = found.api.host.get_vms_which_prevent_evacuation(found.ref("host", "xs2"))
        theirs = {found.api.VM.get_name_label(vm): error[0] for vm, error in prevented.items()}
        assert theirs == {name: finding.code for name, finding in about.items()}


def test_a_disk_that_one_host_alone_has_is_moved_by_the_command_that_is_named() -> None:
    with world() as found:
        (blocker,) = [each for each in found.plan("host maintenance xs1 on").blockers if each.subject]
        assert blocker.subject is not None
        assert blocker.subject.name == "build-1"
        command = re.search("“(vm disk move [^”]+)”", blocker.remedy)
        assert command is not None, blocker.remedy
        assert not found.plan(command[1]).blockers


def test_with_ha_on_the_number_is_lowered_first_or_the_host_is_kept() -> None:
    with world("healthy") as found:
        plan = found.plan("host maintenance xs33 on")
        assert not plan.blockers
        # Two hosts hold everything, one does not: without xs33 no further failure can be borne.
        assert [step.call for step in plan.steps[:2]] == [
            "pool.add_to_other_config",
            "pool.set_ha_host_failures_to_tolerate",
        ]
        assert found.code_of("host.disable", found.ref("host", "xs33")) == "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN"
        found.perform(plan)
        assert living_on(found, "xs33") == set()
        assert found.record("host", "xs33")["enabled"] is False


def test_a_failed_evacuation_leaves_the_host_in_service() -> None:
    with world(change=free_to_leave) as found:
        plan = found.plan("host maintenance xs2 on")
        kept = next(number for number, step in enumerate(plan.steps) if step.call == "VM.pool_migrate") + 1
        found.perform(plan, steps=kept)
        for step in reversed(plan.steps[:kept]):
            found.undo(step)
        host = found.record("host", "xs2")
        assert "MAINTENANCE_MODE" not in host["other_config"]
        # Who has left is still noted, and comes back.
        found.done("host maintenance xs2 off")
        assert found.record("host", "xs2")["enabled"] is True
        assert living_on(found, "xs2") == {"web-2", "db-2", "dc-1", "files-1", "legacy-1", "jenkins"}


def test_a_dead_host_cannot_be_emptied() -> None:
    def dead(made: Made) -> None:
        free_to_leave(made)
        made.host_metrics("xs2")["live"] = False

    with world(change=dead) as found:
        plan = found.plan("host maintenance xs2 on")
        assert codes(plan)[0] == "HOST_OFFLINE"
        assert found.code_of_plan(plan) == "HOST_OFFLINE"


def test_a_cd_is_taken_out_and_the_vm_can_leave() -> None:
    with world() as found:
        assert codes(found.plan("vm migrate files-1 to xs1")) == ["VM_REQUIRES_SR"]
        done, uuid = found.done("vm eject files-1"), found.record("VM", "files-1")["uuid"]
        assert done.go_back == f"Insert it again: xe vm-cd-insert uuid={uuid} cd-name=drivers.iso"
        assert codes(found.plan("vm migrate files-1 to xs1")) == []
        assert "nothing in a CD drive" in refused(found, "vm eject files-1").message


def test_a_storage_is_plugged_where_it_is_not() -> None:
    with world("current") as found:
        assert codes(found.plan("vm migrate archive-1 to xs23")) == ["VM_REQUIRES_SR"]
        plan = found.done("sr repair NFS archive")
        assert plan.title == "plug “NFS archive” on xs23"
        api = found.api
        sr = found.ref("SR", "NFS archive")
        assert all(api.PBD.get_currently_attached(pbd) for pbd in api.SR.get_PBDs(sr))
        assert "plugged on every host" in refused(found, "sr repair NFS archive").message


def test_room_that_one_vm_takes_is_not_there_for_the_next() -> None:
    def tight(made: Made) -> None:
        made.pool["ha_enabled"] = False
        for vm, gib in (("sql-1", 150), ("sql-2", 150), ("shop-3", 30), ("sql-3", 48), ("cache-3", 40)):
            made.memory(vm, gib)

    with world("healthy", tight) as found:
        plan = found.plan("host maintenance xs33 on")
        (blocker,) = plan.blockers
        assert blocker.subject is not None
        assert blocker.subject.name == "shop-3"
        assert blocker.code == "HOST_NOT_ENOUGH_FREE_MEMORY"
        prevented = found.api.host.get_vms_which_prevent_evacuation(found.ref("host", "xs33"))
        theirs = {found.api.VM.get_name_label(vm): error[0] for vm, error in prevented.items()}
        assert theirs == {"shop-3": "HOST_NOT_ENOUGH_FREE_MEMORY"}
        ways = {step.title.split(" to ")[1] for step in plan.steps if step.call == "VM.pool_migrate"}
        assert ways == {"xs31", "xs32"}
