"""VMs that move to another pool of the lab with their disks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.xapi.estate import Estate
from tests.sandbox_xapi.core import motion, world
from tests.sandbox_xapi.core.motion import disk, receive, send
from tests.sandbox_xapi.core.world import GIB, Client, ref, refusal, sound
from tests.waiting import eventually


@pytest.fixture
def estate() -> Iterator[Estate]:
    yield from sound(motion.estate())


@pytest.fixture
def far(estate: Estate) -> Client:
    return Client(estate, "f1")


def test_a_running_vm_goes_to_another_pool(client: Client, far: Client) -> None:
    taken = client("VM.snapshot", ref("web"), "before", [])
    uuids = [client("VM.get_uuid", vm) for vm in (ref("web"), taken)]
    told = [m["body"] for m in client("message.get", "VM", uuids[0], "19700101T00:00:00Z").values()]
    dest = receive(far, "f1", "far lan")
    task = client(
        "Async.VM.migrate_send", ref("web"), dest, True, {ref("web disk"): ref("far nfs")},
        {ref("web vif"): ref("far lan")}, {}, {},
    )  # fmt: skip
    eventually(lambda: client("task.get_status", task) in ("success", "failure"))
    assert client("task.get_error_info", task) == []
    vm = client("task.get_result", task).removeprefix("<value>").removesuffix("</value>")
    row = far("VM.get_record", vm)
    assert (row["uuid"], row["power_state"], row["resident_on"]) == (uuids[0], "Running", ref("f1"))
    assert row["version"] == 1
    assert [far("VIF.get_network", vif) for vif in row["VIFs"]] == [ref("far lan")]
    there = disk(far, vm)
    assert far("VDI.get_SR", there) == ref("far nfs")
    (snapshot,) = row["snapshots"]
    assert far("VM.get_uuid", snapshot) == uuids[1]
    assert far("VDI.get_snapshot_of", disk(far, snapshot)) == there
    assert [m["body"] for m in far("message.get", "VM", uuids[0], "19700101T00:00:00Z").values()] == told != []
    for gone in (ref("web"), taken):
        assert refusal(lambda gone=gone: client("VM.get_record", gone))[0] == "HANDLE_INVALID"  # type: ignore[misc]  # a lambda with a default
    assert client("VM.get_all_where", f'field "uuid" = "{uuids[0]}"') == []
    assert refusal(lambda: client("VDI.get_record", ref("web disk")))[0] == "HANDLE_INVALID"
    far("VM.clean_shutdown", vm)
    assert far("VM.get_power_state", vm) == "Halted"


def test_an_older_one_of_the_same_uuid_is_replaced(client: Client, far: Client, estate: Estate) -> None:
    """It goes with its devices, and its disk stays."""
    there = estate.pools[1].db
    uuid = client("VM.get_uuid", ref("spare"))
    with there.lock:
        old = there.create("VM", {"uuid": uuid, "name_label": "of old", "power_state": "Halted", "version": 0})
        left = there.create("VDI", {"SR": ref("far nfs"), "name_label": "of old", "managed": True})
        drive = there.create("VBD", {"VM": old, "VDI": left, "type": "Disk", "userdevice": "0"})
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("VM", ref("spare"), version=1)
    dest, disks = receive(far, "f1", "far lan"), {ref("spare disk"): ref("far nfs")}
    networks = {ref("spare vif"): ref("far lan")}
    with there.lock:
        there.write("VM", old, blocked_operations={"destroy": "kept"})
    found = refusal(lambda: send(client, "spare", dest, disks, networks=networks))
    assert found == ["OPERATION_BLOCKED", old, "kept"]
    assert far("VM.get_name_label", old) == "of old"
    with there.lock:
        there.write("VM", old, blocked_operations={})
    arrived = send(client, "spare", dest, disks, networks=networks)
    assert far("VM.get_by_uuid", uuid) == arrived != old
    assert far("VM.get_record", arrived)["version"] == 2
    for cls, gone in (("VM", old), ("VBD", drive)):
        assert refusal(lambda cls=cls, gone=gone: far(f"{cls}.get_record", gone)) == ["HANDLE_INVALID", cls, gone]  # type: ignore[misc]  # a lambda with defaults
    assert far("VDI.get_VBDs", left) == []


def test_a_halted_vm_is_copied_to_another_pool(client: Client, far: Client) -> None:
    dest, disks = receive(far, "f1", "far lan"), {ref("spare disk"): ref("far nfs")}
    networks, options = {ref("spare vif"): ref("far lan")}, {"copy": "true"}
    copy = send(client, "spare", dest, disks, networks=networks, options=options)
    assert far("VM.get_uuid", copy) != client("VM.get_uuid", ref("spare"))
    assert disk(client, ref("spare")) == ref("spare disk")
    found = refusal(lambda: send(client, "web", dest, {ref("web disk"): ref("far nfs")}, options=options))
    assert found == ["VM_BAD_POWER_STATE", ref("web"), "halted", "running"]


def test_refusals_to_another_pool(client: Client, far: Client, estate: Estate) -> None:
    dest, disks = receive(far, "f1", "far lan"), {ref("web disk"): ref("far nfs")}
    networks = {ref("web vif"): ref("far lan")}
    assert refusal(lambda: send(client, "web", dest, disks)) == ["VIF_NOT_IN_MAP", ref("web vif")]
    found = refusal(lambda: send(client, "web", dest, disks, networks={ref("web vif"): ref("lan")}))
    assert found == ["HANDLE_INVALID", "network", ref("lan")]
    with estate.pools[1].db.lock:
        row = estate.pools[1].db.get("host", ref("f1"))
        newer, older = row["software_version"], {**row["software_version"], "platform_version": "3.3.0"}
        estate.pools[1].db.write("host", ref("f1"), software_version=older)
    found = refusal(lambda: send(client, "web", dest, disks, networks=networks))
    assert found == ["VM_HOST_INCOMPATIBLE_VERSION_MIGRATE", ref("web"), ref("f1")]
    with estate.pools[1].db.lock:
        weaker = {**row["cpu_info"], "features_hvm": "00000000"}
        estate.pools[1].db.write("host", ref("f1"), software_version=newer, cpu_info=weaker)
    found = refusal(lambda: send(client, "web", dest, disks, networks=networks))
    assert found[:3] == ["VM_INCOMPATIBLE_WITH_THIS_HOST", ref("web"), ref("f1")]
    far("host.disable", ref("f1"))
    assert refusal(lambda: send(client, "web", dest, disks, networks=networks)) == ["HOST_DISABLED", ref("f1")]
    assert client("VM.get_resident_on", ref("web")) == ref("h1")


def test_what_the_other_pool_says_to_the_vm_s_metadata(client: Client, far: Client, estate: Estate) -> None:
    """Before anything is copied: who is there already, the memory, the CPU; then the disks' own properties."""
    dest, disks = receive(far, "f1", "far lan"), {ref("web disk"): ref("far nfs")}
    networks, there = {ref("web vif"): ref("far lan")}, estate.pools[1].db
    row = client("VM.get_record", ref("web"))

    def found() -> list[str]:
        return refusal(lambda: send(client, "web", dest, disks, networks=networks))

    with estate.pools[0].db.lock:
        estate.pools[0].db.write("VDI", ref("web disk"), cbt_enabled=True)
        estate.pools[0].db.write("VM", ref("web"), other_config={"mac_seed": "seed"})
    with there.lock:
        weaker = {**there.get("host", ref("f1"))["cpu_info"], "features_hvm": "00000000"}
        there.write("host", ref("f1"), cpu_info=weaker)
        twin = there.create(
            "VM", {"uuid": world.ident("twin"), "name_label": "twin", "other_config": {"mac_seed": "seed"}}
        )
    assert found() == ["DUPLICATE_MAC_SEED", "seed"]
    with there.lock:
        there.destroy("VM", twin)
        same = there.create("VM", {"uuid": row["uuid"], "name_label": "web", "power_state": "Suspended"})
    assert found() == ["VM_BAD_POWER_STATE", same, "Halted", "Suspended"]
    with there.lock:
        there.write("VM", same, power_state="Halted")
    assert found() == ["VM_TO_IMPORT_IS_NOT_NEWER_VERSION", same, "0", "0"]
    with there.lock:
        there.destroy("VM", same)
        total = there.get("host_metrics", there.value("host", ref("f1"), "metrics"))["memory_total"]
        there.write("host_metrics", there.value("host", ref("f1"), "metrics"), memory_total=2 * GIB)
    assert found()[0] == "HOST_NOT_ENOUGH_FREE_MEMORY"
    with there.lock:
        there.write("host_metrics", there.value("host", ref("f1"), "metrics"), memory_total=total)
    assert found()[0] == "VM_INCOMPATIBLE_WITH_THIS_HOST"
    with there.lock:
        there.write("host", ref("f1"), cpu_info={**weaker, "features_hvm": world.FEATURES})
    assert found()[0] == "VDI_CBT_ENABLED"
    assert client("VM.get_resident_on", ref("web")) == ref("h1")


def test_a_pool_without_the_licence_receives_nothing(far: Client, estate: Estate) -> None:
    with estate.pools[1].db.lock:
        estate.pools[1].db.write("host", ref("f1"), license_params={"restrict_storage_xen_motion": "true"})
    assert refusal(lambda: receive(far, "f1", "far lan")) == ["LICENCE_RESTRICTION", "Storage_motion"]


def test_a_pool_whose_coordinator_is_dead_cannot_be_contacted(client: Client, far: Client, estate: Estate) -> None:
    dest, disks = receive(far, "f1", "far lan"), {ref("web disk"): ref("far nfs")}
    estate.kill(world.ident("f1"))
    found = refusal(lambda: send(client, "web", dest, disks, networks={ref("web vif"): ref("far lan")}))
    assert found[0] == "CANNOT_CONTACT_HOST"
