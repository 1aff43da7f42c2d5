"""VMs that go to other storage with all their disks: every reason against it with the toolstack's own code, and the
token between the two calls, which nobody keeps.
"""

from __future__ import annotations

import pytest

from bot.execution.calls import is_needed
from bot.model import MapOf
from tests.commands.blocked import Case, compare
from tests.commands.changes import guest_says_no, host_dead, host_disabled, other_cpu, pci, storage_declared
from tests.commands.moves import (
    asked,
    blocked,
    encrypted,
    full,
    orphaned,
    reset,
    source_cannot,
    storage_of,
    target_cannot,
    tracked,
    unlicensed,
)
from tests.commands.world import Made, World, codes, refused, world

TO_ISCSI = "storage iSCSI storage"
TO_NFS = "storage NFS storage"


def too_big(made: Made) -> None:
    made.memory("web-1", 60)


def older(made: Made) -> None:
    version = made.row("host", "xs2")["software_version"]
    version.update(product_version="6.2.0", platform_version="1.8.0")


def everything(made: Made) -> None:
    for change in (blocked, pci, target_cannot, host_disabled, other_cpu, too_big, encrypted):
        change(made)


CASES = (
    Case(f"web-1 to xs2 {TO_ISCSI}", ("OPERATION_BLOCKED",), blocked),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("VM_NON_SUSPENDABLE",), guest_says_no),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("VM_HAS_PCI_ATTACHED",), pci),
    Case(f"legacy-1 to xs1 {TO_ISCSI}", ("VM_MISSING_PV_DRIVERS",)),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("LICENCE_RESTRICTION",), unlicensed),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("SR_DOES_NOT_SUPPORT_MIGRATION",), source_cannot),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("SR_DOES_NOT_SUPPORT_MIGRATION",), target_cannot),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("NOT_SUPPORTED_DURING_UPGRADE",), older),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("HOST_NOT_LIVE",), host_dead),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("HOST_DISABLED",), host_disabled),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("VM_INCOMPATIBLE_WITH_THIS_HOST",), other_cpu),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("HOST_NOT_ENOUGH_FREE_MEMORY",), too_big),
    Case("shop-2 storage NFS archive", ("VDI_CBT_ENABLED",), tracked, "current"),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",), reset),
    Case(f"web-1 to xs2 {TO_ISCSI}", ("VDI_IS_ENCRYPTED",), encrypted),
    Case(f"db-1 to xs2 {TO_NFS}", ("VDI_NOT_IN_MAP",), orphaned),
    Case("web-1 to xs1 storage @xs2", ("SR_NOT_ATTACHED",)),
    Case(
        f"web-1 to xs2 {TO_ISCSI}",
        (
            "OPERATION_BLOCKED",
            "VM_HAS_PCI_ATTACHED",
            "SR_DOES_NOT_SUPPORT_MIGRATION",
            "HOST_DISABLED",
            "VM_INCOMPATIBLE_WITH_THIS_HOST",
            "HOST_NOT_ENOUGH_FREE_MEMORY",
            "VDI_IS_ENCRYPTED",
        ),
        everything,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found, asked(found, f"vm migrate {case.text}"))


def test_storage_that_is_full_is_told_and_the_driver_says_so() -> None:
    with world(storage_declared(), full) as found:
        plan = found.plan(f"vm migrate db-1 {TO_NFS}")
        assert codes(plan) == ["SR_BACKEND_FAILURE_44"]
        assert found.code_of_plan(plan) == "SR_BACKEND_FAILURE_44"


@pytest.mark.parametrize(
    ("text", "vm", "there", "host"),
    [
        (f"build-1 to xs2 {TO_NFS}", "build-1", "NFS storage", "xs2"),
        (f"web-1 {TO_ISCSI}", "web-1", "iSCSI storage", "xs1"),
        ("web-2 storage @xs1", "web-2", "Local storage", "xs1"),
        (f"wiki-1 {TO_ISCSI}", "wiki-1", "iSCSI storage", ""),
    ],
)
def test_a_vm_goes_with_its_disks_and_comes_back_and_another_client_sees_it(
    text: str, vm: str, there: str, host: str
) -> None:
    with world() as found:
        before = storage_of(found, vm, "0"), found.host_of(vm), found.record("VM", vm)["power_state"]
        back = found.done(asked(found, f"vm migrate {text}")).go_back
        assert (storage_of(found, vm, "0"), found.host_of(vm)) == (there, host)
        assert found.record("VM", vm)["power_state"] == before[2]
        found.done(asked(found, back))
        assert (storage_of(found, vm, "0"), found.host_of(vm), found.record("VM", vm)["power_state"]) == before


def test_disks_that_are_there_already_stay_and_each_goes_back_by_itself() -> None:
    with world() as found:
        plan = found.plan(f"vm migrate files-1 {TO_NFS}")
        assert plan.title == "move files-1 with 1 disk to “NFS storage”"
        assert "vm disk move" in plan.go_back
        found.perform(plan)
        assert {storage_of(found, "files-1", position) for position in ("0", "1")} == {"NFS storage"}


def test_nothing_to_move_is_said(tutorial: World) -> None:
    assert "already" in refused(tutorial, f"vm migrate web-1 {TO_NFS}").message


def test_no_host_with_the_storage_is_refused_with_each_host_s_reasons() -> None:
    def apart(made: Made) -> None:
        host_disabled(made)
        for pbd in made.pbds("iSCSI storage", "xs1"):
            pbd["currently_attached"] = False

    with world(change=apart) as found:
        refusal = refused(found, f"vm migrate web-1 {TO_ISCSI}")
        assert ["xs2 cannot" in line for line in refusal.evidence] == [True]


def test_a_protected_vm_stays_where_every_host_sees_its_disk() -> None:
    with world("healthy") as found:
        plan = found.plan(asked(found, f"vm migrate shop-1 storage @{found.host_of('shop-1')}"))
        assert ("ha.agile", "") in [(finding.id, finding.code) for finding in plan.blockers]


def test_what_lets_the_sender_in_is_kept_by_nobody(tutorial: World) -> None:
    """The first call answers a session of the destination: it goes into the second call, and nowhere else."""
    plan = tutorial.plan(f"vm migrate web-1 to xs2 {TO_ISCSI}")
    assert plan.steps[0].call == "host.migrate_receive"
    assert plan.steps[0].prepares
    assert MapOf(0) in plan.steps[1].arguments
    assert not is_needed(plan, 0)
