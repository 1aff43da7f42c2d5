"""Snapshots taken, shown and gone back to, read by a second client; every reason against one, with the code that the
toolstack gives.
"""

from __future__ import annotations

import pytest

from bot.errors import NotFound, Refused
from bot.model import Lines, Risk
from tests.commands.blocked import Case, compare
from tests.commands.changes import storage_declared
from tests.commands.world import Made, World, codes, refused, world

OLD = "before the 5.6 upgrade"


def blocked(made: Made) -> None:
    made.row("VM", "web-1")["blocked_operations"]["snapshot"] = "the owner says no"


def reset(made: Made) -> None:
    made.row("VDI", "web-1 disk 0")["sm_config"]["on_boot"] = "reset"


def shared(made: Made) -> None:
    made.row("VDI", "web-1 disk 0")["sharable"] = True


def cannot(made: Made) -> None:
    row = next(row for row in made.objects["SM"].values() if row["type"] == "nfs")
    row["features"] = {name: at for name, at in row["features"].items() if name != "VDI_SNAPSHOT"}
    row["capabilities"] = [name for name in row["capabilities"] if name != "VDI_SNAPSHOT"]


def everything(made: Made) -> None:
    for change in (blocked, reset, shared, cannot):
        change(made)


def full(made: Made) -> None:
    row = made.row("SR", "iSCSI storage")
    row["physical_utilisation"] = row["physical_size"] - (100 << 30)


def nearly_full(made: Made) -> None:
    row = made.row("SR", "NFS storage")
    row["physical_utilisation"] = row["physical_size"] * 95 // 100


def unplugged(made: Made) -> None:
    for host in ("xs1", "xs2"):
        for pbd in made.pbds("NFS storage", host):
            pbd["currently_attached"] = False


def revert_blocked(made: Made) -> None:
    made.row("VM", "db-1")["blocked_operations"]["reverting"] = "the owner says no"


def snapshot_blocked(made: Made) -> None:
    made.row("VM", OLD)["blocked_operations"]["revert"] = "the owner says no"


CASES = (
    Case("vm snapshot web-1", ("OPERATION_BLOCKED",), blocked),
    Case("vm snapshot web-1", ("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",), reset),
    Case("vm snapshot web-1", ("VDI_IS_SHARABLE",), shared),
    Case("vm snapshot web-1", ("SR_OPERATION_NOT_SUPPORTED",), cannot),
    Case("vm snapshot wiki-1", ("NO_HOSTS_AVAILABLE",), unplugged),
    Case(
        "vm snapshot web-1",
        (
            "OPERATION_BLOCKED",
            "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",
            "SR_OPERATION_NOT_SUPPORTED",
            "VDI_IS_SHARABLE",
        ),
        everything,
    ),
    Case(f"vm revert db-1 to {OLD}", ("OPERATION_BLOCKED",), revert_blocked),
    Case(f"vm revert db-1 to {OLD}", ("OPERATION_BLOCKED",), snapshot_blocked, forecast=False),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found)


def test_a_snapshot_on_lvm_needs_the_disk_s_whole_size() -> None:
    with world(storage_declared(), full) as found:
        plan = found.plan("vm snapshot db-1")
        assert codes(plan) == ["SR_BACKEND_FAILURE_44"]
        assert "220 GiB needed" in plan.blockers[0].evidence
        assert found.code_of_plan(plan) == "SR_BACKEND_FAILURE_44"


def test_thin_storage_that_is_nearly_full_is_a_warning() -> None:
    with world(change=nearly_full) as found:
        plan = found.plan("vm snapshot web-1")
        assert [finding.id for finding in plan.warnings] == ["sr.crowded"]
        assert not plan.blockers


def snapshots_of(found: World, vm: str) -> set[str]:
    """As a plain client sees it."""
    api = found.api
    return {api.VM.get_name_label(ref) for ref in api.VM.get_snapshots(found.ref("VM", vm))}


def disks_of(found: World, vm: str) -> set[str]:
    api = found.api
    drives = (api.VBD.get_record(vbd) for vbd in api.VM.get_VBDs(found.ref("VM", vm)))
    return {api.VDI.get_uuid(drive["VDI"]) for drive in drives if drive["type"] == "Disk"}


def test_a_snapshot_is_taken_shown_and_gone_back_to() -> None:
    with world() as found:
        assert found.done("vm snapshot web-1 as before the update").risk is Risk.ROUTINE
        assert snapshots_of(found, "web-1") == {"before the update"}
        assert "already" in refused(found, "vm snapshot web-1 as before the update").message
        (part,) = found.report("vm snapshots web-1").parts
        assert isinstance(part, Lines)
        (taken,) = part.lines
        uuid = next(
            row["uuid"] for row in found.api.VM.get_all_records().values() if row["name_label"] == "before the update"
        )
        assert taken.text == "“before the update”"
        assert taken.detail.endswith(" UTC, 1 disk, 20 GiB")
        assert taken.remedy == f"To delete it: xe snapshot-uninstall uuid={uuid}", "whole, to be copied"
        before = disks_of(found, "web-1")
        plan = found.done("vm revert web-1 to before the update")
        assert plan.risk is Risk.DESTRUCTIVE
        assert any("switched off" in line for line in plan.impact)
        assert not before & disks_of(found, "web-1")
        assert found.record("VM", "web-1")["power_state"] == "Halted"
        assert snapshots_of(found, "web-1") == {"before the update"}
        (start,) = plan.on_success
        assert start.command == "vm start web-1 in lab"
        found.done(start.command)


def test_without_a_name_it_has_the_vm_s_and_the_time(tutorial: World) -> None:
    plan = tutorial.plan("vm snapshot web-1")
    name = dict(plan.arguments)["name"]
    assert name.startswith("web-1 20")
    assert tutorial.replanned(plan).title == plan.title
    assert f'“vm revert web-1 to "{name}"”' in "\n".join(plan.impact), "as it can be typed"


def test_a_vm_without_snapshots_says_so_and_offers_one(tutorial: World) -> None:
    report = tutorial.report("vm snapshots web-2")
    assert "no snapshots" in report.summary
    assert tutorial.plan(report.suggestions[0].command).command == "vm snapshot"


def test_a_snapshot_that_is_not_there_is_not_guessed(tutorial: World) -> None:
    with pytest.raises(NotFound) as caught:
        tutorial.answer("vm revert db-1 to before")
    (choice,) = caught.value.choices
    assert tutorial.plan(choice.command).command == "vm revert"


def test_two_snapshots_of_one_name_are_told_apart() -> None:
    with world() as found:
        for _ in range(2):
            found.api.VM.snapshot(found.ref("VM", "wiki-1"), "twice")
        with pytest.raises(Refused) as caught:
            found.answer("vm revert wiki-1 to twice")
        assert len({found.plan(choice.command).digest() for choice in caught.value.choices}) == 2


def test_a_disk_that_came_later_is_said_to_be_left_behind() -> None:
    with world() as found:
        found.done("vm snapshot wiki-1 as first")
        api = found.api
        vbd = next(vbd for vbd in api.VM.get_VBDs(found.ref("VM", "wiki-1")) if api.VBD.get_type(vbd) == "Disk")
        record = api.VDI.get_record(api.VBD.get_VDI(vbd))
        new = api.VDI.create({**record, "name_label": "wiki-1 later", "other_config": {}})
        api.VBD.create({**api.VBD.get_record(vbd), "VDI": new, "userdevice": "1", "other_config": {}})
        plan = found.plan("vm revert wiki-1 to first")
        assert [(each.id, "wiki-1 later" in each.evidence) for each in plan.warnings] == [("revert.left", True)]


def test_a_revert_that_did_not_happen_is_not_believed(tutorial: World) -> None:
    step = tutorial.plan(f"vm revert db-1 to {OLD}").steps[0]
    hands = tutorial.pools.hands(tutorial.name)
    assert [hands.holds(expect, {})[0] for expect in step.expect] == [False, False]
