"""Disks that move, from the slash command to the verified result."""

from __future__ import annotations

import logging

import pytest

from bot.model import State
from tests.e2e.conftest import Town, text_of
from tests.waiting import eventually

MOVE = "Async.VDI.pool_migrate"


def storage_of(town: Town, vm: str) -> str:
    """Where the VM's first disk lies, as a plain client sees it."""
    api = town.xenapi()
    (ref,) = api.VM.get_by_name_label(vm)
    vbd = next(vbd for vbd in api.VM.get_VBDs(ref) if api.VBD.get_userdevice(vbd) == "0")
    return str(api.SR.get_name_label(api.VDI.get_SR(api.VBD.get_VDI(vbd))))


def card_of(town: Town, request_id: str) -> str:
    return text_of(town.card(request_id) or {"blocks": [], "text": ""})


def test_a_disk_moves_while_its_vm_runs_and_the_card_says_how_to_go_back(lab_town: Town) -> None:
    request_id = lab_town.ask("vm disk move build-1/0 to NFS storage")
    asked = card_of(lab_town, request_id)
    assert "120 GiB are copied" in asked
    assert "OpaqueRef" not in asked
    assert "yourself" in lab_town.press("Approve", request_id, who="olga")
    assert storage_of(lab_town, "build-1") == "Local storage"
    assert lab_town.lab.calls().get(MOVE, 0) == 0
    lab_town.press("Approve", request_id)
    request = lab_town.ended(request_id, 60)
    assert request.state is State.SUCCEEDED
    assert (storage_of(lab_town, "build-1"), lab_town.host_of("build-1")) == ("NFS storage", "xs1")
    assert lab_town.lab.calls()[MOVE] == 1
    assert request.plan.go_back.startswith("vm disk move build-1/0 to ")
    eventually(lambda: "Done in" in card_of(lab_town, request_id), "the card's last words")


def test_a_disk_whose_answer_was_lost_is_found_where_it_went(lab_town: Town) -> None:
    """The disk has another uuid then; it is found by its place in the VM, and the call is not sent again."""
    request_id = lab_town.ask("vm disk move web-1/0 to iSCSI storage")
    lab_town.lab.drop("xs1", "after", 1, MOVE)
    lab_town.press("Approve", request_id)
    assert lab_town.ended(request_id, 60).state is State.SUCCEEDED
    assert storage_of(lab_town, "web-1") == "iSCSI storage"
    assert lab_town.lab.calls()[MOVE] == 1


def test_a_vm_with_two_disks_asks_which_and_a_button_is_the_answer(lab_town: Town) -> None:
    answer = lab_town.say("vm disk move db-1 to NFS storage")
    assert "Say which one is meant" in answer
    assert "db-1/0" in answer
    assert "db-1/1" in answer


def test_what_lets_a_sender_in_is_nowhere_afterwards(lab_town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """The destination answers a session of its own. It is in no message, no file of the bot's and no log."""
    caplog.set_level(logging.DEBUG)
    request_id = lab_town.ask("vm migrate build-1 to xs2 storage NFS storage")
    before = sessions(lab_town)
    lab_town.press("Approve", request_id)
    assert lab_town.ended(request_id, 60).state is State.SUCCEEDED
    assert (storage_of(lab_town, "build-1"), lab_town.host_of("build-1")) == ("NFS storage", "xs2")
    tokens = sessions(lab_town) - before
    assert tokens
    eventually(lambda: "Done in" in card_of(lab_town, request_id), "the card's last words")
    files = [path for path in lab_town.config.parent.rglob("*") if path.is_file()]
    left = b"".join(path.read_bytes() for path in files) + caplog.text.encode()
    left += repr(lab_town.workspace.messages("#infra", "olga")).encode()
    assert b"host.migrate_receive" in left
    assert not [token for token in tokens if token.removeprefix("OpaqueRef:").encode() in left]


def sessions(town: Town) -> set[str]:
    (pool,) = [pool for pool in town.lab.estate.pools if any(host.name == "xs1" for host in pool.hosts.values())]
    return set(pool.db.rows("session"))
