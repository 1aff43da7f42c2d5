"""A snapshot taken and gone back to, by slash command, as a plain client sees it."""

from __future__ import annotations

from typing import Any

from bot.model import State
from tests.e2e.conftest import Town, text_of
from tests.e2e.people import approved_by_two


def disks_of(api: Any, vm: str) -> list[str]:
    """The uuids of a VM's disks."""
    drives = [vbd for vbd in api.VM.get_VBDs(vm) if api.VBD.get_type(vbd) == "Disk"]
    return sorted(api.VDI.get_uuid(api.VBD.get_VDI(vbd)) for vbd in drives)


def test_a_snapshot_is_taken_listed_and_gone_back_to(lab_town: Town) -> None:
    api = lab_town.xenapi()
    (vm,) = api.VM.get_by_name_label("web-1")
    before = disks_of(api, vm)

    taken = lab_town.ask('vm snapshot web-1 as "before the upgrade"')
    assert api.VM.get_snapshots(vm) == []
    lab_town.press("Approve", taken)
    assert lab_town.ended(taken, 60.0).state is State.SUCCEEDED
    (snapshot,) = api.VM.get_snapshots(vm)
    assert api.VM.get_name_label(snapshot) == "before the upgrade"
    assert (api.VM.get_power_state(vm), disks_of(api, vm)) == ("Running", before)
    assert "before the upgrade" in lab_town.say("vm snapshots web-1")

    request_id = approved_by_two(lab_town, 'vm revert web-1 to "before the upgrade"', "web-1")
    ended = lab_town.ended(request_id, 60.0)
    assert ended.state is State.SUCCEEDED, ended.result
    assert any("lost" in line for line in (*ended.plan.impact, *(each.title for each in ended.plan.findings)))
    card = lab_town.card(request_id)
    assert card is not None
    assert "OpaqueRef" not in text_of(card)
    now = disks_of(api, vm)
    assert len(now) == len(before)
    assert not set(now) & set(before)  # copies of the snapshot's disks
    assert api.VM.get_snapshots(vm) == [snapshot]  # going back keeps it


def test_a_snapshot_that_is_not_there_changes_nothing(lab_town: Town) -> None:
    told = lab_town.say("vm revert web-1 to yesterday")
    assert "web-1 has no snapshot called yesterday." in told
    assert lab_town.lab.calls().get("Async.VM.revert", 0) == 0
