"""Disks that move while their VM runs: within the pool, and to another pool of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.storage.declared import Storage
from sandbox.xapi.values import NULL
from sandbox.xapi.world import PoolWorld
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import GIB, Client, ref, refusal, sound
from tests.waiting import eventually

PATIENCE = 30.0
Objects = dict[str, dict[str, dict[str, Any]]]


def objects() -> Objects:
    """The cases' pool with drivers that can mirror, a second shared SR `fast`, and addresses for migrations."""
    b = world.Builder()
    b.objects = world.build()
    for driver in b.objects["SM"].values():
        driver["features"] |= {"VDI_MIRROR": 1} if driver["type"] != "iso" else {}
    b.sr("fast", "nfs", ["h1", "h2", "h3"], shared=True)
    b.sr("corner", "nfs", ["h3"], shared=True)
    for number, pif in enumerate(b.objects["PIF"].values(), 1):
        pif |= {"IP": f"10.1.0.{number}", "ip_configuration_mode": "Static"}
    for host in b.objects["host"].values():
        host["software_version"] |= {"platform_version": "3.4.0"}
    return b.objects


def other_pool() -> Objects:
    """A pool of one host, far away."""
    b = world.Builder()
    b.add("pool", "far", name_label="far", master=ref("f1"), default_SR=ref("far nfs"))
    b.add("network", "far lan", name_label="far lan", bridge="xenbr0", managed=True)
    b.host("f1", 51)
    for pif in b.objects["PIF"].values():
        pif |= {"network": ref("far lan"), "IP": "10.1.0.51", "ip_configuration_mode": "Static"}
    features = dict.fromkeys((*world.DRIVER, "VDI_MIRROR"), 1)
    for kind in ("nfs", "lvm"):
        b.add("SM", f"far driver {kind}", name_label=kind, type=kind, features=features)
    b.sr("far nfs", "nfs", ["f1"], shared=True)
    return b.objects


@pytest.fixture
def estate() -> Iterator[Estate]:
    pools = [PoolWorld("26.9.0", objects()), PoolWorld("26.9.0", other_pool())]
    made = Estate(pools, password=world.PASSWORD, speed=400, storage=Storage())
    yield from sound(made)


@pytest.fixture
def far(estate: Estate) -> Client:
    return Client(estate, "f1")


def disk(client: Client, vm: str) -> str:
    """The VM's only disk."""
    vbds = (client("VBD.get_record", vbd) for vbd in client("VM.get_VBDs", vm))
    (found,) = [vbd["VDI"] for vbd in vbds if vbd["type"] == "Disk"]
    return str(found)


# VDI.pool_migrate


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


def receive(client: Client, host: str, network: str = "lan") -> dict[str, str]:
    return dict(client("host.migrate_receive", ref(host), ref(network), {}))


def send(client: Client, vm: str, dest: dict[str, str], disks: dict[str, str], **more: Any) -> str:
    networks, options = more.get("networks", {}), more.get("options", {})
    call = more.get("call", "VM.migrate_send")
    return str(client(call, ref(vm), dest, True, disks, networks, options, {}))


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


# To another pool


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


def test_three_at_a_time(client: Client, far: Client, estate: Estate) -> None:
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
