"""Disks that move while their VM runs, within the pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.values import NULL
from tests.sandbox_xapi.core import motion, world
from tests.sandbox_xapi.core.motion import disk, receive, send
from tests.sandbox_xapi.core.world import GIB, Client, ref, refusal, sound
from tests.waiting import eventually


@pytest.fixture
def estate() -> Iterator[Estate]:
    yield from sound(motion.estate())


def test_a_disk_moves_under_a_running_vm(client: Client) -> None:
    old = client("VDI.get_record", ref("web disk"))
    full, empty = client("SR.get_record", ref("nfs")), client("SR.get_record", ref("fast"))
    new = client("VDI.pool_migrate", ref("web disk"), ref("fast"), {})
    assert disk(client, ref("web")) == new
    row = client("VDI.get_record", new)
    assert (row["SR"], row["name_label"], row["virtual_size"]) == (ref("fast"), "web disk", 8 * GIB)
    assert row["uuid"] != old["uuid"]
    assert refusal(lambda: client("VDI.get_record", ref("web disk")))[0] == "HANDLE_INVALID"
    vm = client("VM.get_record", ref("web"))
    assert (vm["power_state"], vm["resident_on"], vm["current_operations"]) == ("Running", ref("h1"), {})
    size, used = old["virtual_size"], old["physical_utilisation"]
    after, there = client("SR.get_record", ref("nfs")), client("SR.get_record", ref("fast"))
    assert full["physical_utilisation"] - after["physical_utilisation"] == used
    assert there["virtual_allocation"] - empty["virtual_allocation"] == size


def test_it_shows_while_it_moves_and_can_be_cancelled(client: Client, estate: Estate) -> None:
    estate.speed = 5
    before = set(client("VDI.get_all"))
    task = client("Async.VDI.pool_migrate", ref("web disk"), ref("fast"), {})
    eventually(lambda: client("VDI.get_current_operations", ref("web disk")) == {task: "mirror"})
    assert client("VM.get_current_operations", ref("web")) == {task: "migrate_send"}
    eventually(lambda: len(client("VDI.get_all")) == len(before) + 1)
    client("task.cancel", task)
    eventually(lambda: client("task.get_status", task) == "cancelled")
    assert set(client("VDI.get_all")) == before
    assert disk(client, ref("web")) == ref("web disk")
    assert client("VM.get_current_operations", ref("web")) == {}


def test_what_cannot_move(client: Client) -> None:
    loose = client(
        "VDI.create",
        {"SR": ref("nfs"), "name_label": "loose", "virtual_size": GIB, "type": "user", "sharable": False,
         "read_only": False, "other_config": {}},
    )  # fmt: skip
    move = "VDI.pool_migrate"
    assert refusal(lambda: client(move, loose, ref("fast"), {})) == ["VDI_NEEDS_VM_FOR_MIGRATE", loose]
    assert refusal(lambda: client(move, ref("web disk"), "OpaqueRef:x", {})) == ["HANDLE_INVALID", "SR", "OpaqueRef:x"]
    wrong = ["SR_DOES_NOT_SUPPORT_MIGRATION", ref("isos"), "VDI_SNAPSHOT;VDI_MIRROR_IN"]
    assert refusal(lambda: client(move, ref("web disk"), ref("isos"), {})) == wrong


def test_a_mirror_that_loses_its_sr_fails_and_leaves_nothing(client: Client, estate: Estate) -> None:
    estate.speed = 5
    before = set(client("VDI.get_all"))
    task = client("Async.VDI.pool_migrate", ref("web disk"), ref("fast"), {})
    eventually(lambda: len(client("VDI.get_all")) == len(before) + 1)
    estate.speed = 400
    client("PBD.unplug", ref("fast on h1"))
    eventually(lambda: client("task.get_status", task) == "failure")
    assert client("task.get_error_info", task) == ["MIRROR_FAILED", ref("web disk")]
    assert set(client("VDI.get_all")) == before


def test_a_full_sr_refuses(client: Client, estate: Estate) -> None:
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("VDI", ref("web disk"), physical_utilisation=600 * GIB)
    assert refusal(lambda: client("VDI.pool_migrate", ref("web disk"), ref("fast"), {}))[0] == "SR_BACKEND_FAILURE_44"
    assert client("SR.get_VDIs", ref("fast")) == []


def test_snapshots_disks_stay_with_their_origin(client: Client) -> None:
    taken = client("VM.snapshot", ref("spare"), "before", [])
    new = client("VDI.pool_migrate", ref("spare disk"), ref("fast"), {})
    image = disk(client, taken)
    assert client("VDI.get_SR", image) == ref("fast")
    assert client("VDI.get_snapshot_of", image) == new
    assert client("VDI.get_snapshots", new) == [image]


# VM.migrate_send within the pool


def test_the_map_of_a_destination(client: Client) -> None:
    dest = receive(client, "h2")
    assert set(dest) == {"SM", "host", "xenops", "session_id", "master"}
    assert dest["host"] == ref("h2")
    assert dest["SM"] == f"http://{client('PIF.get_IP', ref('eth0 h2'))}/services/SM?session_id={dest['session_id']}"
    refused = refusal(lambda: receive(client, "h2", "inside"))
    assert refused == ["HOST_CANNOT_ATTACH_NETWORK", ref("h2"), ref("inside")]
    broken = {**dest, "session_id": "OpaqueRef:none"}
    disks = {ref("web disk"): ref("fast")}
    assert refusal(lambda: send(client, "web", broken, disks)) == ["SESSION_INVALID", "OpaqueRef:none"]
    assert refusal(lambda: send(client, "web", {}, disks))[0] == "INTERNAL_ERROR"


def test_a_vm_off_local_storage(client: Client) -> None:
    """What only a storage migration can do: leave a host that alone has the disk."""
    here = ref("pinned disk")
    assert send(client, "pinned", receive(client, "h1"), {here: ref("nfs")}) == ref("pinned")
    vm = client("VM.get_record", ref("pinned"))
    assert (vm["resident_on"], vm["power_state"], vm["scheduled_to_be_resident_on"]) == (ref("h1"), "Running", NULL)
    assert client("VDI.get_SR", disk(client, ref("pinned"))) == ref("nfs")
    assert client("SR.get_VDIs", ref("local h2")) == []
    told = [m for m in client("message.get_all_records").values() if m["name"] == "VM_MIGRATED"]
    assert len(told) == 1
    assert "'h2'" in told[0]["body"]
    assert "'h1'" in told[0]["body"]


REFUSED: list[tuple[str, dict[str, str], dict[str, Any], list[str]]] = [
    ("web", {}, {}, ["VDI_NOT_IN_MAP", ref("web disk")]),
    ("web", {ref("web disk"): ref("isos")}, {}, ["SR_DOES_NOT_SUPPORT_MIGRATION", ref("isos")]),
    (
        "web",
        {ref("web disk"): ref("fast")},
        {"networks": {ref("web vif"): ref("lan")}},
        ["OPERATION_NOT_ALLOWED"],
    ),
]


@pytest.mark.parametrize(("vm", "disks", "more", "code"), REFUSED)
@pytest.mark.parametrize("call", ["VM.assert_can_migrate", "VM.migrate_send"])
def test_refusals_within_the_pool(
    client: Client, call: str, vm: str, disks: dict[str, str], more: dict[str, Any], code: list[str]
) -> None:
    dest = receive(client, "h3")
    found = refusal(lambda: send(client, vm, dest, disks, call=call, **more))
    assert found[: len(code)] == code


def test_checks_in_their_order(client: Client) -> None:
    """Each mistake mended shows the next check."""
    dest = receive(client, "h3")
    client("host.disable", ref("h3"))
    both = {"networks": {ref("web vif"): ref("lan")}, "call": "VM.assert_can_migrate"}
    to = {ref("web disk"): ref("fast")}
    assert refusal(lambda: send(client, "web", dest, {}, **both))[0] == "VDI_NOT_IN_MAP"
    assert refusal(lambda: send(client, "web", dest, to, **both)) == ["HOST_DISABLED", ref("h3")]
    client("host.enable", ref("h3"))
    assert refusal(lambda: send(client, "web", dest, to, **both))[0] == "OPERATION_NOT_ALLOWED"
    assert send(client, "web", dest, to, call="VM.assert_can_migrate") == "None"
    found = refusal(lambda: send(client, "web", dest, to, options={"copy": "true"}))
    assert found[0] == "OPERATION_NOT_ALLOWED"
    assert client("VDI.get_SR", ref("web disk")) == ref("nfs")


def test_a_destination_that_cannot_see_the_sr(client: Client) -> None:
    dest = receive(client, "h2")
    found = refusal(lambda: send(client, "web", dest, {ref("web disk"): ref("corner")}))
    assert found == ["SR_NOT_ATTACHED", world.ident("corner")]


def test_cds_are_ejected(client: Client, estate: Estate) -> None:
    with estate.pools[0].db.lock:
        db = estate.pools[0].db
        iso = db.create("VDI", {"SR": ref("isos"), "location": "a.iso", "read_only": True, "managed": True})
        drive = db.create("VBD", {"VM": ref("web"), "VDI": iso, "type": "CD", "mode": "RO", "userdevice": "3"})
    send(client, "web", receive(client, "h2"), {ref("web disk"): ref("fast")})
    assert client("VBD.get_empty", drive)


def test_a_guest_that_ends_on_the_way_ends(client: Client, estate: Estate) -> None:
    estate.speed = 10
    task = client(
        "Async.VM.migrate_send",
        ref("pinned"),
        receive(client, "h1"),
        True,
        {ref("pinned disk"): ref("nfs")},
        {},
        {},
        {},
    )
    eventually(lambda: client("VM.get_current_operations", ref("pinned")) == {task: "migrate_send"})
    client("VM.hard_shutdown", ref("pinned"))
    estate.speed = 400
    eventually(lambda: client("task.get_status", task) == "success")
    row = client("VM.get_record", ref("pinned"))
    assert (row["power_state"], row["resident_on"], row["domid"]) == ("Halted", NULL, -1)
    assert client("VDI.get_SR", disk(client, ref("pinned"))) == ref("nfs")


def test_three_at_a_time(client: Client, estate: Estate) -> None:
    vms = [client("VM.clone", ref("spare"), f"clone {n}") for n in range(4)]
    for vm in vms:
        client("VM.start_on", vm, ref("h1"), False, False)
    estate.speed = 5
    tasks = [client("Async.VDI.pool_migrate", disk(client, vm), ref("fast"), {}) for vm in vms[:3]]
    eventually(lambda: len(client("SR.get_VDIs", ref("fast"))) == 3)
    assert refusal(lambda: client("VDI.pool_migrate", disk(client, vms[3]), ref("fast"), {})) == [
        "TOO_MANY_STORAGE_MIGRATES",
        "3",
    ]
    estate.speed = 400
    eventually(lambda: all(client("task.get_status", task) == "success" for task in tasks))
    client("VDI.pool_migrate", disk(client, vms[3]), ref("fast"), {})
