"""VMs made of others: templates provisioned, snapshots taken and gone back to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.storage.declared import Storage
from sandbox.xapi.values import NULL
from sandbox.xapi.world import PoolWorld
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import GIB, Client, ident, ref, refusal, sound


@pytest.fixture
def estate() -> Iterator[Estate]:
    made = Estate([PoolWorld("26.9.0", world.build())], password=world.PASSWORD, speed=400, storage=Storage())
    yield from sound(made)


def disks(client: Client, vm: str) -> list[str]:
    vbds = (client("VBD.get_record", vbd) for vbd in client("VM.get_VBDs", vm))
    return [vbd["VDI"] for vbd in vbds if vbd["type"] == "Disk"]


# Provisioning


def template(client: Client, disks: str) -> str:
    vm = str(client("VM.clone", ref("golden"), "new"))
    client("VM.add_to_other_config", vm, "disks", disks)
    return vm


def disk_xml(sr: str, size: int = 10 * GIB, device: int = 0) -> str:
    return f'<disk device="{device}" size="{size}" sr="{sr}" bootable="{str(device == 0).lower()}" type="system"/>'


def test_a_template_becomes_a_vm(client: Client) -> None:
    vm = template(client, f"<provision>{disk_xml(ident('nfs'))}{disk_xml(ident('nfs'), GIB, 1)}</provision>")
    client("VM.provision", vm)
    row = client("VM.get_record", vm)
    assert not row["is_a_template"]
    assert "disks" not in row["other_config"]
    vbds = sorted((client("VBD.get_record", vbd) for vbd in row["VBDs"]), key=lambda vbd: str(vbd["userdevice"]))
    assert [(v["userdevice"], v["bootable"], v["mode"], v["other_config"]) for v in vbds] == [
        ("0", True, "RW", {"owner": ""}),
        ("1", False, "RW", {"owner": ""}),
    ]
    made = [client("VDI.get_record", vbd["VDI"]) for vbd in vbds]
    assert [(d["SR"], d["virtual_size"], d["type"]) for d in made] == [
        (ref("nfs"), 10 * GIB, "system"),
        (ref("nfs"), GIB, "system"),
    ]
    client("VM.start", vm, False, False)
    assert refusal(lambda: client("VM.provision", vm))[0] == "VM_BAD_POWER_STATE"
    client("VM.hard_shutdown", vm)
    assert refusal(lambda: client("VM.provision", vm)) == ["PROVISION_ONLY_ALLOWED_ON_TEMPLATE"]


def test_nothing_to_provision_still_ends_the_template(client: Client) -> None:
    vm = client("VM.clone", ref("golden"), "plain")
    client("VM.provision", vm)
    assert not client("VM.get_is_a_template", vm)


BROKEN = [
    (disk_xml(""), ["UUID_INVALID", "sr", ""]),
    (disk_xml("nobody"), ["UUID_INVALID", "sr", "nobody"]),
    (disk_xml(ident("isos")), ["SR_OPERATION_NOT_SUPPORTED", ref("isos")]),
    (disk_xml(ident("local h1")) + disk_xml(ident("local h2"), device=1), ["NO_HOSTS_AVAILABLE"]),
    ('<disk device="0"/>', ["INTERNAL_ERROR", "Xapi_templates.Parse_failure"]),
    (disk_xml(ident("local h1"), 600 * GIB), ["SR_BACKEND_FAILURE_44"]),
]


@pytest.mark.parametrize(("text", "code"), BROKEN, ids=range(len(BROKEN)))
def test_what_cannot_be_provisioned_leaves_no_disk(client: Client, text: str, code: list[str]) -> None:
    before = set(client("VDI.get_all"))
    vm = template(
        client, f"<provision>{disk_xml(ident('nfs'), GIB, 5) if 'isos' in code[-1] else ''}{text}</provision>"
    )
    assert refusal(lambda: client("VM.provision", vm))[: len(code)] == code
    assert set(client("VDI.get_all")) == before
    assert client("VM.get_VBDs", vm) == []


# Snapshots


def test_a_snapshot_and_its_family(client: Client) -> None:
    first = client("VM.snapshot", ref("web"), "first", [])
    second = client("VM.snapshot", ref("web"), "second", [])
    rows = [client("VM.get_record", vm) for vm in (first, second)]
    assert [(r["is_a_snapshot"], r["is_a_template"], r["snapshot_of"]) for r in rows] == [(True, True, ref("web"))] * 2
    assert [r["power_state"] for r in rows] == ["Halted", "Halted"]
    assert rows[0]["snapshot_info"] == {"power-state-at-snapshot": "Running", "disk-snapshot-type": "crash_consistent"}
    assert rows[0]["snapshot_time"] > "2020"
    assert (rows[1]["parent"], client("VM.get_parent", ref("web"))) == (first, second)
    assert client("VM.get_children", first) == [second]
    (image,) = disks(client, first)
    disk = client("VDI.get_record", image)
    assert (disk["is_a_snapshot"], disk["snapshot_of"]) == (True, ref("web disk"))
    assert len(client("VDI.get_snapshots", ref("web disk"))) == 2
    assert client("VIF.get_MAC", client("VM.get_VIFs", first)[0]) == client("VIF.get_MAC", ref("web vif"))
    (vbd,) = client("VM.get_VBDs", first)
    assert client("VBD.get_other_config", vbd) == {"owner": ""}
    assert "revert" in rows[0]["allowed_operations"]
    assert refusal(lambda: client("VM.start", first, False, False))[0] in ("VM_IS_TEMPLATE", "VM_IS_SNAPSHOT")
    client("VM.destroy", first)
    assert client("VM.get_parent", second) == NULL


def test_a_disk_that_refuses_stops_the_snapshot(client: Client, estate: Estate) -> None:
    with estate.pools[0].db.lock:
        db = estate.pools[0].db
        second = db.create("VDI", {"SR": ref("nfs"), "virtual_size": GIB, "managed": True, "type": "user"})
        db.create("VBD", {"VM": ref("web"), "VDI": second, "type": "Disk", "mode": "RW", "userdevice": "1"})
        db.write("VDI", ref("web disk"), sharable=True)
    assert client("VM.get_VBDs", ref("web"))[-1] == ref("web vbd"), "the one that refuses comes last"
    before = [set(client(f"{cls}.get_all")) for cls in ("VM", "VDI", "VBD")]
    assert refusal(lambda: client("VM.snapshot", ref("web"), "no", [])) == ["VDI_IS_SHARABLE", ref("web disk")]
    assert [set(client(f"{cls}.get_all")) for cls in ("VM", "VDI", "VBD")] == before
    left_out = client("VM.snapshot", ref("web"), "without", [ref("web disk")])
    assert [client("VDI.get_snapshot_of", vdi) for vdi in disks(client, left_out)] == [second]


def test_going_back(client: Client) -> None:
    taken = client("VM.snapshot", ref("web"), "before", [])
    client("VM.add_tags", ref("web"), "later")
    client("VM.set_VCPUs_params", ref("web"), {"weight": "512"})
    extra = client(
        "VDI.create",
        {"SR": ref("nfs"), "name_label": "extra", "virtual_size": GIB, "type": "user", "sharable": False,
         "read_only": False, "other_config": {}},
    )  # fmt: skip
    client("VM.hard_shutdown", ref("web"))
    vbd = {"VM": ref("web"), "VDI": extra, "userdevice": "1", "bootable": False, "mode": "RW", "type": "Disk"}
    config: dict[str, Any] = {"other_config": {}, "qos_algorithm_type": "", "qos_algorithm_params": {}}
    client("VBD.create", {**vbd, "empty": False, **config})
    client("VM.revert", taken)
    row = client("VM.get_record", ref("web"))
    assert (row["power_state"], row["name_label"], row["parent"]) == ("Halted", "web", taken)
    assert row["VCPUs_params"] == {}
    assert row["tags"] == ["later"]
    (now,) = disks(client, ref("web"))
    assert now != ref("web disk")
    assert refusal(lambda: client("VDI.get_record", ref("web disk")))[0] == "HANDLE_INVALID"
    assert client("VDI.get_snapshot_of", disks(client, taken)[0]) == now, "the snapshot is of the new disk now"
    assert client("VDI.get_VBDs", extra) == [], "a disk that the snapshot does not know stays, in no VM"


def test_a_checkpoint_holds_the_memory(client: Client) -> None:
    before = set(client("SR.get_VDIs", ref("nfs")))
    taken = client("VM.checkpoint", ref("web"), "warm")
    row = client("VM.get_record", taken)
    assert row["power_state"] == "Suspended"
    image = client("VDI.get_record", row["suspend_VDI"])
    assert (image["type"], image["virtual_size"]) == ("suspend", 2 * GIB)
    assert set(client("SR.get_VDIs", ref("nfs"))) == before | {row["suspend_VDI"], *disks(client, taken)}
    assert client("VM.get_power_state", ref("web")) == "Running"
    client("VM.revert", taken)
    assert client("VM.get_power_state", ref("web")) == "Suspended"
    assert client("VM.get_suspend_VDI", ref("web")) not in (NULL, row["suspend_VDI"])
    client("VM.resume", ref("web"), False, False)
    assert client("VM.get_power_state", ref("web")) == "Running"


def test_quiesced_snapshots_ended_with_8_1() -> None:
    assert refusal(lambda: _ask("26.9.0")) == ["MESSAGE_REMOVED"]
    assert refusal(lambda: _ask("cream")) == ["VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED", ref("web")]


def _ask(release: str) -> None:
    old = world.estate(release=release)
    try:
        Client(old)("VM.snapshot_with_quiesce", ref("web"), "still")
    finally:
        old.close()


def test_a_copy_on_another_sr(client: Client) -> None:
    copy = client("VM.copy", ref("spare"), "moved", ref("local h1"))
    (disk,) = disks(client, copy)
    assert client("VDI.get_SR", disk) == ref("local h1")
    assert client("VDI.get_physical_utilisation", disk) == 8 * GIB, "LVM gives a disk its whole size"
    assert client("VM.get_uuid", copy) != client("VM.get_uuid", ref("spare"))
    assert client("VIF.get_MAC", client("VM.get_VIFs", copy)[0]) != client("VIF.get_MAC", ref("spare vif"))
