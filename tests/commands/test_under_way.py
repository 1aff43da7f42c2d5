"""What already goes on when something is asked: the bot foretells the code that the toolstack, really asked, gives.

The toolstack lets most calls wait behind what goes on, for two hours, and refuses then. The bot says it at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.commands.moves import TO_ISCSI
from tests.commands.world import Changed, Made, codes, world

HURRY = 20_000.0
"""A speed at which the toolstack's patience is at its end in half a second."""
LIMIT = 60.0
SENT = ("crm-1", "mail-1", "build-1")


def doing(cls: str, name: str, operation: str) -> Changed:
    def change(made: Made) -> None:
        made.row(cls, name)["current_operations"] = {"OpaqueRef:another-s-task": operation}

    return change


def emptied(operation: str) -> Changed:
    """xs2 is disabled, and nothing runs there; something is done with it."""

    def change(made: Made) -> None:
        made.row("host", "xs2")["enabled"] = False
        for vm in made.objects["VM"].values():
            if vm["resident_on"] == made.ref("host", "xs2") and not vm["is_control_domain"]:
                made.halt(vm["name_label"])
        doing("host", "xs2", operation)(made)

    return change


def drive_in_use(made: Made) -> None:
    drive = next(each for each in made.vbds("files-1") if each["type"] == "CD")
    drive["current_operations"] = {"OpaqueRef:another-s-task": "eject"}


def eventually(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not met():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("host reboot xs2", emptied("shutdown")),
        ("host shutdown xs2", emptied("reboot")),
        ("vm start wiki-1", doing("VM", "wiki-1", "start")),
        ("vm suspend web-1", doing("VM", "web-1", "pool_migrate")),
        ("vm snapshot web-1", doing("VM", "web-1", "clean_shutdown")),
        ("vm migrate web-1 to xs2", doing("VM", "web-1", "snapshot")),
        ("vm eject files-1", drive_in_use),
        (f"vm disk move web-1/0 {TO_ISCSI}", doing("VDI", "web-1 disk 0", "snapshot")),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_another_operation_keeps_waiting_is_foretold(text: str, change: Changed) -> None:
    with world(change=change, speed=HURRY) as found:
        plan = found.plan(text)
        assert codes(plan) == ["OTHER_OPERATION_IN_PROGRESS"]
        assert "now: " in plan.blockers[0].evidence
        assert "Wait" in plan.blockers[0].remedy
        assert found.code_of_plan(plan) == "OTHER_OPERATION_IN_PROGRESS"


def test_a_fourth_move_of_disks_from_one_host_is_foretold() -> None:
    with world(speed=1) as found:
        api, target = found.api, found.ref("SR", "NFS storage")
        assert {found.host_of(vm) for vm in (*SENT, "web-1")} == {"xs1"}
        before = len(api.SR.get_VDIs(target))
        moves = [api.Async.VDI.pool_migrate(found.ref("VDI", f"{vm} disk 0"), target, {}) for vm in SENT]
        eventually(lambda: len(api.SR.get_VDIs(target)) == before + len(SENT))
        plan = found.plan(f"vm disk move web-1/0 {TO_ISCSI}")
        assert codes(plan) == ["TOO_MANY_STORAGE_MIGRATES"]
        assert "the disks of 3 VMs already" in plan.blockers[0].evidence
        assert "Wait" in plan.blockers[0].remedy
        assert found.code_of_plan(plan) == "TOO_MANY_STORAGE_MIGRATES"
        found.lab.estate.speed = HURRY
        eventually(lambda: all(api.task.get_status(task) == "success" for task in moves))
        assert codes(found.replanned(plan)) == []
