"""Disks on their way to other storage: every reason against it, and the toolstack, really asked, gives the first."""

from __future__ import annotations

import pytest

from bot.errors import Ambiguous
from bot.forms import Forms
from bot.scope import Scopes
from tests.commands.blocked import Case, compare
from tests.commands.changes import guest_says_no, host_dead, pci, storage_declared
from tests.commands.moves import (
    TO_ISCSI,
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
from tests.commands.world import HERE, OLGA, REGISTRY, Made, World, codes, refused, world

TO_NFS = "to NFS storage"


def host_full(made: Made) -> None:
    """web-1 fits on its host once, not twice."""
    made.memory("web-1", 25)


def of_no_vm(made: Made) -> None:
    row = made.row("VDI", "web-1 disk 0")
    made.objects["VDI"]["OpaqueRef:lone"] = dict(row, uuid="lone-disk", name_label="lone disk", VBDs=[])


def statefile(made: Made) -> None:
    of_no_vm(made)
    made.objects["VDI"]["OpaqueRef:lone"]["type"] = "ha_statefile"


def of_two_vms(made: Made) -> None:
    for vbd in made.vbds("jenkins"):
        if vbd["type"] == "Disk":
            vbd["VDI"] = made.ref("VDI", "web-1 disk 0")


def unplugged(made: Made) -> None:
    """No host has both of wiki-1's storages."""
    for sr, host in (("NFS storage", "xs1"), ("iSCSI storage", "xs2")):
        for pbd in made.pbds(sr, host):
            pbd["currently_attached"] = False


def half_plugged(made: Made) -> None:
    for pbd in made.pbds("iSCSI storage", "xs1"):
        pbd["currently_attached"] = False


def everything(made: Made) -> None:
    for change in (blocked, pci, reset, encrypted, target_cannot, host_full):
        change(made)


CASES = (
    Case(f"web-1/0 {TO_ISCSI}", ("OPERATION_BLOCKED",), blocked),
    Case(f"web-1/0 {TO_ISCSI}", ("VM_NON_SUSPENDABLE",), guest_says_no),
    Case(f"web-1/0 {TO_ISCSI}", ("VM_HAS_PCI_ATTACHED",), pci),
    Case(f"legacy-1/0 {TO_ISCSI}", ("VM_MISSING_PV_DRIVERS",)),
    Case(f"web-2/0 {TO_ISCSI}", ("HOST_OFFLINE",), host_dead),
    Case(f"web-1/0 {TO_ISCSI}", ("HOST_NOT_ENOUGH_FREE_MEMORY",), host_full),
    Case("shop-2/0 to NFS archive", ("VDI_CBT_ENABLED",), tracked, "current"),
    Case(f"web-1/0 {TO_ISCSI}", ("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",), reset),
    Case(f"web-1/0 {TO_ISCSI}", ("VDI_IS_ENCRYPTED",), encrypted),
    Case(f"web-1/0 {TO_ISCSI}", ("LICENCE_RESTRICTION",), unlicensed),
    Case(f"web-1/0 {TO_ISCSI}", ("SR_OPERATION_NOT_SUPPORTED", "SR_DOES_NOT_SUPPORT_MIGRATION"), source_cannot),
    Case(f"web-1/0 {TO_ISCSI}", ("SR_DOES_NOT_SUPPORT_MIGRATION",), target_cannot),
    Case(f"lone disk {TO_ISCSI}", ("VDI_NEEDS_VM_FOR_MIGRATE",), of_no_vm),
    Case(f"lone disk {TO_ISCSI}", ("VDI_NEEDS_VM_FOR_MIGRATE", ""), statefile),
    Case(f"build-1/0 {TO_NFS}", ("LICENCE_RESTRICTION",), unlicensed),
    Case("build-1/0 to @xs2", ("NO_HOSTS_AVAILABLE",)),
    Case(f"wiki-1/0 {TO_ISCSI}", ("NO_HOSTS_AVAILABLE",), unplugged),
    Case(f"db-1/0 {TO_NFS}", ("VDI_NOT_IN_MAP",), orphaned),
    Case(
        f"web-1/0 {TO_ISCSI}",
        (
            "OPERATION_BLOCKED",
            "VM_HAS_PCI_ATTACHED",
            "SR_DOES_NOT_SUPPORT_MIGRATION",
            "HOST_NOT_ENOUGH_FREE_MEMORY",
            "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",
            "VDI_IS_ENCRYPTED",
        ),
        everything,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found, asked(found, f"vm disk move {case.text}"))


def test_storage_that_is_full_is_told_and_the_driver_says_so() -> None:
    with world(storage_declared(), full) as found:
        plan = found.plan(f"vm disk move db-1/1 {TO_NFS}")
        assert codes(plan) == ["SR_BACKEND_FAILURE_44"]
        assert found.code_of_plan(plan) == "SR_BACKEND_FAILURE_44"


def test_a_disk_that_two_vms_have_would_be_lost_to_one() -> None:
    """The toolstack moves it all the same, and leaves the other VM without."""
    with world(change=of_two_vms) as found:
        plan = found.plan(f"vm disk move web-1/0 {TO_ISCSI}")
        assert [(finding.id, finding.code) for finding in plan.blockers] == [("disk.vm", "")]
        assert "jenkins" in plan.blockers[0].evidence


def test_a_vm_is_not_moved_along_unasked() -> None:
    """Where its host does not have the storage, the toolstack looks for another host; nobody has asked for that."""
    with world(change=half_plugged) as found:
        plan = found.plan(f"vm disk move web-1/0 {TO_ISCSI}")
        assert [(finding.id, finding.code) for finding in plan.blockers] == [("sr.reach", "")]
        assert "sr repair" in plan.blockers[0].remedy
        assert found.code_of_plan(plan) == ""
        assert found.host_of("web-1") == "xs2"


def test_a_protected_vm_stays_where_every_host_sees_its_disk() -> None:
    with world("healthy") as found:
        home = found.host_of("shop-1")
        plan = found.plan(asked(found, f"vm disk move shop-1/0 to @{home}"))
        assert [(finding.id, finding.code) for finding in plan.blockers] == [("ha.agile", "")]
        assert "ha protect shop-1 off" in plan.blockers[0].remedy


def test_a_host_that_sends_three_already_takes_no_fourth() -> None:
    def busy(made: Made) -> None:
        for vm in ("crm-1", "mail-1", "build-1"):
            made.row("VM", vm)["current_operations"] = {f"OpaqueRef:{vm}": "migrate_send"}

    with world(change=busy) as found:
        assert codes(found.plan(f"vm disk move web-1/0 {TO_ISCSI}")) == ["TOO_MANY_STORAGE_MIGRATES"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"web-1/0 {TO_NFS}", "already"),
        (f"files-1/3 {TO_NFS}", "is a CD"),
    ],
)
def test_what_is_no_move_is_said(tutorial: World, text: str, words: str) -> None:
    assert words in refused(tutorial, f"vm disk move {text}").message


def test_a_vm_with_several_disks_asks_which(tutorial: World) -> None:
    with pytest.raises(Ambiguous) as caught:
        tutorial.answer(f"vm disk move db-1 {TO_NFS}")
    labels = [choice.label for choice in caught.value.choices]
    assert ["db-1/0" in labels[0], "200 GiB" in labels[1]] == [True, True]
    for choice in caught.value.choices:
        assert tutorial.plan(choice.command).command == "vm disk move"


def test_storage_of_one_host_is_told_apart_by_that_host(tutorial: World) -> None:
    with pytest.raises(Ambiguous) as caught:
        tutorial.answer("vm disk move web-1/0 to Local storage")
    assert "2 storage repositories" in caught.value.message
    assert sorted(choice.label.split(" (")[0] for choice in caught.value.choices) == [
        "“Local storage” of xs1",
        "“Local storage” of xs2",
    ]


@pytest.mark.parametrize(
    ("text", "vm", "position", "there"),
    [
        (f"web-1/0 {TO_ISCSI}", "web-1", "0", "iSCSI storage"),
        (f"build-1 {TO_NFS}", "build-1", "0", "NFS storage"),
        (f"db-1 disk 1 {TO_NFS}", "db-1", "1", "NFS storage"),
        (f"wiki-1/0 {TO_ISCSI}", "wiki-1", "0", "iSCSI storage"),
        ("report-1/0 to NFS storage", "report-1", "0", "NFS storage"),
    ],
)
def test_a_disk_moves_and_goes_back_and_another_client_sees_it(text: str, vm: str, position: str, there: str) -> None:
    with world() as found:
        before = storage_of(found, vm, position)
        home, state = found.host_of(vm), found.record("VM", vm)["power_state"]

        def done(line: str) -> str:
            plan = found.plan(line)
            assert not plan.blockers
            assert found.replanned(plan).digest() == plan.digest()
            assert any(there in words or before in words for words in found.perform(plan))
            return plan.go_back

        back = done(f"vm disk move {text}")
        assert storage_of(found, vm, position) == there != before
        assert (found.host_of(vm), found.record("VM", vm)["power_state"]) == (home, state)
        done(back)
        assert storage_of(found, vm, position) == before


def test_what_comes_along_and_what_is_ejected_is_said() -> None:
    with world() as found:
        along = found.plan(f"vm disk move db-1/1 {TO_NFS}")
        assert "1 disk of its snapshots comes along." in along.impact
        found.perform(along)
        assert {storage_of(found, name, "1") for name in ("db-1", "before the 5.6 upgrade")} == {"NFS storage"}
        ejecting = found.plan(f"vm disk move files-1/1 {TO_ISCSI}")
        assert any("drivers.iso" in line for line in ejecting.impact)
        found.perform(ejecting)
        api = found.api
        drives = [vbd for vbd in api.VM.get_VBDs(found.ref("VM", "files-1")) if api.VBD.get_type(vbd) == "CD"]
        assert [api.VBD.get_empty(vbd) for vbd in drives] == [True]


def test_a_move_that_did_not_happen_is_not_believed(tutorial: World) -> None:
    step = tutorial.plan(f"vm disk move web-1/0 {TO_ISCSI}").steps[0]
    holds, words = tutorial.pools.hands(tutorial.name).holds(step.expect[0], {})
    assert not holds
    assert words == "“web-1 disk 0” is on “NFS storage”"


def test_a_form_offers_disks_with_their_vm_and_storage_with_its_host(tutorial: World) -> None:
    forms, command = Forms(tutorial.pools, Scopes()), REGISTRY["vm disk move"]

    def offered(field: str, typed: str) -> list[str]:
        choices = forms.options(command, field, typed, {"pool": tutorial.name}, HERE, OLGA)
        return [choice.label.split(" (")[0] for choice in choices]

    assert offered("disk", "web-1") == ["web-1 disk 0 – web-1"]
    assert offered("disk", "drivers.iso") == []
    assert offered("sr", "local") == ["Local storage – of xs1", "Local storage – of xs2"]
