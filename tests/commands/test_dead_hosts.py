"""Hosts that are dead: their VMs, and the host itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.errors import Refused
from bot.inventory import Host
from bot.model import Plan, Verdict
from bot.ports import KnownHost, Standpoint
from bot.run import Failed
from tests.commands.world import Made, World, codes, refused, world
from tests.waiting import eventually


@pytest.fixture
def lab() -> Iterator[World]:
    with world("tutorial", speed=300.0) as found:
        yield found


def warned(plan: Plan) -> set[str]:
    return {each.id for each in plan.warnings}


def running_on(found: World, host: str) -> list[str]:
    inventory = found.view.inventory()
    return [vm.name for vm in inventory.guests if vm.resident_on and vm.resident_on.name == host]


def test_vms_of_a_dead_host_count_as_halted_and_start_elsewhere(lab: World) -> None:
    there = running_on(lab, "xs2")
    assert there
    lab.lab.kill("xs2")
    plan = lab.plan("host dead xs2")
    assert not plan.blockers
    assert plan.confirm == "xs2 is off"
    assert plan.title == f"count {len(there)} VMs of xs2, which is dead, as halted"
    assert [step.call for step in plan.steps] == ["", "host.declare_dead"]
    assert "within ten minutes" in plan.impact[0]
    eventually(lambda: not lab.view.inventory().by_uuid(Host, plan.touches[0].uuid).live)  # type: ignore[union-attr]
    later = lab.replanned(plan)
    assert "within ten minutes" not in later.impact[0]
    assert later.digest() == plan.digest(), "that it counts as dead at last spoils no approval"
    evidence = lab.perform(plan)
    assert any(line.startswith("xs2 ") and "looks in 3" in line for line in evidence), evidence
    assert all(f"{name} is halted" in evidence for name in there)
    api = lab.api
    for touched in plan.touches:
        if touched.cls == "VM":
            assert api.VM.get_power_state(api.VM.get_by_uuid(touched.uuid)) == "Halted"
    assert "No VM is recorded as running on xs2" in refused(lab, "host dead xs2").message
    mobile = next(name for name in there if name.startswith("web") or name.startswith("crm"))
    lab.perform(lab.plan(f"vm start {mobile}"))
    assert lab.host_of(mobile) == "xs1"


def test_an_older_toolstack_resets_each_vm() -> None:
    def old(made: Made) -> None:
        for row in made.objects["host"].values():
            row["software_version"] = {**row["software_version"], "product_version": "6.1.0"}

    with world("tutorial", old, speed=300.0) as found:
        there = running_on(found, "xs2")
        found.lab.kill("xs2")
        eventually(lambda: not next(host for host in found.view.inventory().all(Host) if host.name == "xs2").live)
        plan = found.plan("host dead xs2")
        assert [step.call for step in plan.steps] == ["", *(["VM.power_state_reset"] * len(there))]
        assert {each.id for each in plan.warnings} == {"name.shared"}  # the lab has two VMs called jenkins
        found.perform(plan)
        assert running_on(found, "xs2") == []


def test_a_host_that_answers_is_not_given_up(lab: World) -> None:
    plan = lab.plan("host dead xs2")
    assert codes(plan) == ["HOST_IS_LIVE"]
    assert "host maintenance" in plan.blockers[0].remedy
    assert lab.code_of_plan(plan) == "HOST_IS_LIVE"
    assert codes(lab.plan("host forget xs2"))[0] == "HOST_IS_LIVE"


def test_the_coordinator_is_alive_by_definition(lab: World) -> None:
    plan = lab.plan("host dead xs1")
    assert codes(plan) == ["HOST_IS_LIVE", "HOST_IS_LIVE"]
    assert "pool coordinator xs2" in plan.blockers[1].remedy
    assert lab.code_of_plan(plan) == "HOST_IS_LIVE"


def test_a_host_that_answers_again_makes_the_plan_stale(lab: World) -> None:
    lab.view.inventory()
    lab.lab.kill("xs2")
    plan = lab.plan("host dead xs2")
    assert not plan.blockers
    lab.lab.start("xs2")
    try:
        again = lab.replanned(plan)
    except Refused as refusal:  # it has told already that none of its VMs runs any more
        assert "No VM is recorded as running on xs2" in refusal.message
    else:
        assert again.digest() != plan.digest()
        assert codes(again) == ["HOST_IS_LIVE"]


@pytest.mark.parametrize("command", ["host dead xs2", "host forget xs2"])
def test_one_that_answers_once_more_before_the_call_ends_it(lab: World, command: str) -> None:
    lab.view.inventory()
    lab.lab.kill("xs2")
    plan = lab.plan(command)
    lab.lab.start("xs2")
    eventually(lambda: lab.view.answer_of(at(lab, "xs2")).standpoint is not Standpoint.SILENT)
    with pytest.raises(Failed) as ended:
        lab.perform(plan)
    assert "xs2" in ended.value.reason
    assert "1 look in" in ended.value.reason
    calls = lab.lab.calls()
    assert not calls.get("Async.host.declare_dead")
    assert not calls.get("Async.host.destroy")


def at(found: World, host: str) -> KnownHost:
    inventory = found.view.inventory()
    (each,) = [each for each in inventory.hosts if each.name == host]
    return KnownHost(uuid=each.uuid, name=each.name, address=each.address)


def test_a_host_whose_toolstack_hangs_is_not_dead(lab: World) -> None:
    """Its VMs may run, whatever its toolstack does: what takes connections has power."""
    lab.view.inventory()
    lab.lab.pause("xs2")
    plan = lab.plan("host dead xs2")
    assert codes(plan) == ["HOST_IS_LIVE"]
    assert "takes requests but did not answer" in plan.blockers[0].evidence
    assert "switch it off" in plan.blockers[0].remedy


def test_with_high_availability_it_is_told_that_the_pool_does_it() -> None:
    with world("healthy", speed=20.0) as found:
        assert running_on(found, "xs33")
        plan = found.plan("host dead xs33")
        assert "dead.ha" in warned(plan)


def test_a_dead_host_is_forgotten_when_nothing_runs_there_any_more(lab: World) -> None:
    lab.view.inventory()
    lab.lab.kill("xs2")
    first = lab.plan("host forget xs2")
    assert codes(first) == ["HOST_HAS_RESIDENT_VMS"]
    assert "host dead xs2" in first.blockers[0].remedy
    assert lab.code_of_plan(first) == "HOST_HAS_RESIDENT_VMS"
    lab.perform(lab.plan("host dead xs2"))
    plan = lab.plan("host forget xs2")
    assert not plan.blockers
    assert plan.confirm == "xs2 is off"
    assert {each.id for each in plan.findings if each.verdict is Verdict.PASS} >= {
        "dead.silent", "dead.member", "dead.ha", "dead.resident",
    }  # fmt: skip
    storage = [each for each in plan.findings if each.id == "forget.storage"]
    assert storage
    assert "host add" in plan.go_back
    assert any("pool backup in lab" in line for line in plan.impact)
    evidence = lab.perform(plan)
    assert "xs2 is not among the pool's hosts" in evidence
    assert lab.api.host.get_by_name_label("xs2") == []


def test_what_is_lost_with_it_is_listed() -> None:
    with world("tutorial", speed=300.0) as found:
        found.view.inventory()
        lost = {
            vm.name
            for vm in found.view.inventory().guests
            for vbd in vm.vbds
            if vbd.vdi is not None and vbd.vdi.sr is not None and not vbd.is_cd
            and not vbd.vdi.sr.shared and [pbd.host.name for pbd in vbd.vdi.sr.pbds if pbd.host] == ["xs2"]
        }  # fmt: skip
        found.lab.kill("xs2")
        plan = found.plan("host forget xs2")
        told = " ".join(each.evidence for each in plan.findings if each.id == "forget.storage")
        assert all(name in told for name in lost), (lost, told)


def test_with_high_availability_no_host_is_forgotten() -> None:
    def quiet(made: Made) -> None:
        for row in made.objects["VM"].values():
            if row["resident_on"] == made.ref("host", "xs33") and not row["is_control_domain"]:
                row["power_state"], row["resident_on"] = "Halted", "OpaqueRef:NULL"

    with world("healthy", quiet, speed=20.0) as found:
        found.view.inventory()
        found.lab.kill("xs33")
        plan = found.plan("host forget xs33")
        assert codes(plan) == ["HA_IS_ENABLED"]
        assert found.code_of_plan(plan) == "HA_IS_ENABLED"
