"""SRs on a declared array: what drivers refuse, what they list, and what comes of creating, forgetting and scanning."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.storage.declared import Disk, Export, Lun, NfsServer, Storage, Target
from sandbox.xapi.values import NULL
from sandbox.xapi.world import PoolWorld
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import GIB, Client, ref, refusal, sound

IQN, LOCKED = "iqn.2020-01.com.example:fast", "iqn.2020-01.com.example:locked"
ARRAY = Storage(
    nfs=(
        NfsServer(
            "10.1.0.9",
            (
                Export("/vms", 1000 * GIB, used=100 * GIB),
                Export("/iso", 50 * GIB, images=("debian.iso", "drivers.iso")),
                Export("/private", GIB, access=("10.1.0.1", "10.1.0.2")),
            ),
            versions=("3",),
        ),
    ),
    targets=(
        Target(IQN, ("10.1.0.20", "10.1.0.21"), (Lun("36001", 200 * GIB), Lun("36002", 100 * GIB, 1))),
        Target(LOCKED, ("10.1.0.20",), (Lun("36003", GIB),), chap_user="xen", chap_password="open sesame"),
    ),
    disks=(Disk("/dev/sdb", 400 * GIB, "h1"), Disk("36009", 50 * GIB)),
)
ISCSI = {"target": "10.1.0.20", "targetIQN": IQN, "SCSIid": "36001"}


def objects() -> dict[str, dict[str, dict[str, Any]]]:
    found = world.build()
    for number, host in enumerate(found["host"].values(), 1):
        host["iscsi_iqn"] = f"iqn.2020-01.com.example:h{number}"
    for kind in ("lvmoiscsi", "lvmohba", "ext", "gfs2"):
        driver = {
            "uuid": world.ident(kind),
            "type": kind,
            "name_label": kind,
            "features": dict.fromkeys(world.DRIVER, 1),
        }
        found["SM"][ref(f"driver {kind}")] = driver
    return found


@pytest.fixture
def estate() -> Iterator[Estate]:
    made = Estate([PoolWorld("26.9.0", objects())], password=world.PASSWORD, speed=400, storage=ARRAY)
    yield from sound(made)


def create(client: Client, kind: str, config: dict[str, str], *, host: str = "h1", shared: bool = True) -> str:
    return str(client("SR.create", ref(host), config, "0", "new", "", kind, "user", shared, {}))


def probe(client: Client, kind: str, config: dict[str, str], host: str = "h1") -> str:
    return str(client("SR.probe", ref(host), config, kind, {}))


# One line per check, in the driver's order: each lacks or mistakes one thing more than the next.
WRONG = [
    ("nfs", {}, 102),
    ("nfs", {"server": "10.9.9.9"}, 108),
    ("nfs", {"server": "10.1.0.9"}, 101),
    ("nfs", {"server": "10.1.0.9", "serverpath": "vms"}, 103),
    ("nfs", {"server": "10.1.0.9", "serverpath": "/nothing", "nfsversion": "4"}, 72),
    ("nfs", {"server": "10.1.0.9", "serverpath": "/nothing"}, 73),
    ("lvmoiscsi", {}, 95),
    ("lvmoiscsi", {"target": "filer", "port": "none"}, 140),
    ("lvmoiscsi", {"target": "10.9.9.9", "port": "none"}, 142),
    ("lvmoiscsi", {"target": "10.9.9.9"}, 141),
    ("lvmoiscsi", {"target": "10.1.0.20", "port": "860"}, 141),
    ("lvmoiscsi", {"target": "10.1.0.20"}, 96),
    ("lvmoiscsi", {"target": "10.1.0.20", "targetIQN": "iqn.nobody"}, 83),
    ("lvmoiscsi", {"target": "10.1.0.20", "targetIQN": LOCKED}, 68),
    ("lvmoiscsi", {"target": "10.1.0.20", "targetIQN": LOCKED, "chapuser": "xen", "chappassword": "guess"}, 68),
    ("lvmoiscsi", {"target": "10.1.0.20", "targetIQN": IQN}, 107),
    ("lvmoiscsi", {**ISCSI, "SCSIid": "36003"}, 19),
    ("lvmohba", {}, 107),
    ("lvmohba", {"SCSIid": "36001"}, 19),
    ("lvm", {}, 90),
    ("lvm", {"device": "sdb"}, 91),
    ("ext", {"device": "/dev/sdz"}, 91),
]


@pytest.mark.parametrize(("kind", "config", "number"), WRONG)
def test_a_probe_says_what_is_wrong(client: Client, kind: str, config: dict[str, str], number: int) -> None:
    assert refusal(lambda: probe(client, kind, config))[0] == f"SR_BACKEND_FAILURE_{number}"


def test_choices_are_listed_in_the_error(client: Client) -> None:
    exports = ET.fromstring(refusal(lambda: probe(client, "nfs", {"server": "10.1.0.9"}))[3])
    assert [path.text for path in exports.iter("Path")] == ["/vms", "/iso", "/private", "/nfs", "/isos"]
    assert [who.text for who in exports.iter("Accesslist")][2] == "10.1.0.1,10.1.0.2"
    iqns = ET.fromstring(refusal(lambda: probe(client, "lvmoiscsi", {"target": "10.1.0.20"}))[3])
    assert [name.text for name in iqns.iter("TargetIQN")] == [IQN, LOCKED, "*"]
    found = ET.fromstring(refusal(lambda: probe(client, "lvmoiscsi", {"target": "10.1.0.20", "targetIQN": IQN}))[3])
    assert [(x.findtext("SCSIid"), x.findtext("LUNid")) for x in found] == [("36001", "0"), ("36002", "1")]
    assert found[0].findtext("size") == str(200 * GIB)


def test_a_failed_creation_leaves_nothing(client: Client, estate: Estate) -> None:
    tables = estate.pools[0].db.tables
    before = {cls: set(tables[cls].rows) for cls in ("SR", "PBD", "secret")}
    config = {"target": "10.1.0.20", "targetIQN": LOCKED, "SCSIid": "36003", "chapuser": "xen", "chappassword": "guess"}
    # Creating and attaching wrap what went wrong at the login.
    assert refusal(lambda: create(client, "lvmoiscsi", config))[0] == "SR_BACKEND_FAILURE_47"
    assert {cls: set(tables[cls].rows) for cls in before} == before


def test_unknown_and_unsimulated_types(client: Client) -> None:
    assert refusal(lambda: create(client, "zfs", {})) == ["SR_UNKNOWN_DRIVER", "zfs"]
    assert refusal(lambda: create(client, "gfs2", {})) == ["NOT_IMPLEMENTED", "SR.create"]
    assert refusal(lambda: client("SR.probe_ext", ref("h1"), {}, "nfs", {})) == ["SR_OPERATION_NOT_SUPPORTED"]
    assert refusal(lambda: probe(client, "iso", {}))[0] == "SR_BACKEND_FAILURE"


def test_an_nfs_sr_comes_to_every_host(client: Client) -> None:
    sr = create(client, "nfs", {"server": "10.1.0.9", "serverpath": "/vms"})
    row = client("SR.get_record", sr)
    assert (row["physical_size"], row["physical_utilisation"]) == (1000 * GIB, 100 * GIB)
    pbds = [client("PBD.get_record", pbd) for pbd in row["PBDs"]]
    assert {pbd["host"] for pbd in pbds} == {ref("h1"), ref("h2"), ref("h3")}
    assert all(pbd["currently_attached"] for pbd in pbds)
    assert "vdi_create" in row["allowed_operations"]
    listed = probe(client, "nfs", {"server": "10.1.0.9", "serverpath": "/vms"})
    assert [x.text for x in ET.fromstring(listed).iter("UUID")] == [row["uuid"]]


def test_a_host_without_access_stays_unplugged(client: Client) -> None:
    sr = create(client, "nfs", {"server": "10.1.0.9", "serverpath": "/private"})
    pbds = [client("PBD.get_record", pbd) for pbd in client("SR.get_PBDs", sr)]
    assert {pbd["host"]: pbd["currently_attached"] for pbd in pbds} == {
        ref("h1"): True,
        ref("h2"): True,
        ref("h3"): False,
    }
    lonely = next(p for p in client("SR.get_PBDs", sr) if client("PBD.get_host", p) == ref("h3"))
    assert refusal(lambda: client("PBD.plug", lonely))[0] == "SR_BACKEND_FAILURE_73"


def test_an_iscsi_sr_with_multipathing(client: Client) -> None:
    for host in ("h1", "h2"):
        client("host.set_multipathing", ref(host), True)
    sr = create(client, "lvmoiscsi", ISCSI)
    row = client("SR.get_record", sr)
    assert row["sm_config"]["devserial"] == "scsi-36001"
    assert 0 < 200 * GIB - row["physical_size"] < GIB // 8, "a little goes to the volume group itself"
    notes = {client("PBD.get_host", p): client("PBD.get_other_config", p) for p in row["PBDs"]}
    assert notes[ref("h2")]["mpath-36001"] == "[2, 2]"
    assert notes[ref("h3")] == {"iscsi_sessions": "1"}
    assert refusal(lambda: create(client, "lvmoiscsi", ISCSI))[0] == "SR_BACKEND_FAILURE_16"


def test_passwords_become_each_pbds_own_secret(client: Client) -> None:
    mine = client("secret.create", {"value": "open sesame", "other_config": {}})
    given = client("secret.get_uuid", mine)
    config = {"target": "10.1.0.20", "targetIQN": LOCKED, "SCSIid": "36003", "chapuser": "xen"}
    sr = create(client, "lvmoiscsi", {**config, "chappassword_secret": given})
    pbds = client("SR.get_PBDs", sr)
    kept = {client("PBD.get_device_config", pbd)["chappassword_secret"] for pbd in pbds}
    assert len(kept) == 3
    assert given not in kept
    client("secret.destroy", mine)
    for pbd in pbds:
        client("PBD.unplug", pbd)
        client("PBD.plug", pbd)
        client("PBD.unplug", pbd)
    client("SR.forget", sr)
    assert client("secret.get_all") == []


def test_forgotten_disks_are_found_again(client: Client) -> None:
    sr = create(client, "lvmoiscsi", ISCSI)
    fields = {"name_label": "data", "virtual_size": 10 * GIB, "type": "user", "sharable": False, "read_only": False}
    vdi = client("VDI.create", {"SR": sr, "other_config": {}, **fields})
    row, disk = client("SR.get_record", sr), client("VDI.get_record", vdi)
    assert row["virtual_allocation"] == 10 * GIB
    for pbd in row["PBDs"]:
        client("PBD.unplug", pbd)
    client("SR.forget", sr)
    listed = ET.fromstring(probe(client, "lvmoiscsi", ISCSI))
    assert [x.text for x in listed.iter("UUID")] == [row["uuid"]]
    again = client("SR.introduce", row["uuid"], "back", "", "lvmoiscsi", "user", True, {})
    assert client("SR.get_physical_size", again) == -1
    pbd = client("PBD.create", {"SR": again, "host": ref("h1"), "device_config": ISCSI})
    client("PBD.plug", pbd)
    assert client("SR.get_VDIs", again) == []
    client("SR.scan", again)
    (found,) = client("SR.get_VDIs", again)
    assert client("VDI.get_uuid", found) == disk["uuid"]
    assert client("VDI.get_name_label", found) == "data"
    figures = client("SR.get_record", again)
    assert [figures[f] for f in ("physical_size", "physical_utilisation", "virtual_allocation")] == [
        row[f] for f in ("physical_size", "physical_utilisation", "virtual_allocation")
    ]


def test_one_forgotten_disk_is_introduced(client: Client, estate: Estate) -> None:
    with estate.pools[0].db.lock:
        driver = estate.pools[0].db.get("SM", ref("driver lvmoiscsi"))
        features = {**driver["features"], "VDI_INTRODUCE": 1}
        estate.pools[0].db.write("SM", ref("driver lvmoiscsi"), features=features)
    sr = create(client, "lvmoiscsi", ISCSI)
    fields = {"name_label": "data", "virtual_size": GIB, "type": "user", "sharable": False, "read_only": False}
    vdi = client("VDI.create", {"SR": sr, "other_config": {}, **fields})
    place, uuid = client("VDI.get_location", vdi), client("VDI.get_uuid", vdi)

    def introduce(location: str, into: str = sr) -> str:
        return str(client("VDI.introduce", uuid, "back", "", into, "user", False, False, {}, location, {}, {}))

    assert refusal(lambda: introduce(place)) == ["LOCATION_NOT_UNIQUE", sr, place]
    client("VDI.forget", vdi)
    assert refusal(lambda: introduce("elsewhere"))[0] == "SR_BACKEND_FAILURE_46"
    assert refusal(lambda: introduce(place, ref("nfs"))) == ["SR_OPERATION_NOT_SUPPORTED", ref("nfs")]
    again = introduce(place)
    assert client("VDI.get_uuid", again) == uuid
    assert client("VDI.get_name_label", again) == "back"
    client("SR.scan", sr)
    assert client("SR.get_VDIs", sr) == [again]


def test_disks_count_against_their_sr(client: Client) -> None:
    sr = create(client, "lvmoiscsi", ISCSI)
    empty = client("SR.get_record", sr)
    fields = {"name_label": "data", "type": "user", "sharable": False, "read_only": False, "other_config": {}}
    vdi = client("VDI.create", {"SR": sr, "virtual_size": 150 * GIB, **fields})
    assert client("SR.get_physical_utilisation", sr) == empty["physical_utilisation"] + 150 * GIB
    full = refusal(lambda: client("VDI.create", {"SR": sr, "virtual_size": 60 * GIB, **fields}))
    assert full[0] == "SR_BACKEND_FAILURE_44"
    assert refusal(lambda: client("VDI.snapshot", vdi))[0] == "SR_BACKEND_FAILURE_44"
    assert refusal(lambda: client("VDI.resize", vdi, GIB))[0] == "SR_BACKEND_FAILURE_79"
    client("VDI.resize", vdi, 160 * GIB)
    assert client("SR.get_virtual_allocation", sr) == 160 * GIB
    client("VDI.destroy", vdi)
    assert {f: client("SR.get_record", sr)[f] for f in ("physical_utilisation", "virtual_allocation")} == {
        "physical_utilisation": empty["physical_utilisation"],
        "virtual_allocation": 0,
    }


def test_lvm_notes_how_a_disk_is_laid_out(client: Client) -> None:
    iscsi, nfs = create(client, "lvmoiscsi", ISCSI), create(client, "nfs", {"server": "10.1.0.9", "serverpath": "/vms"})
    record = {"virtual_size": GIB, "name_label": "new", "type": "user", "sharable": False, "read_only": False}

    def noted(sr: str, config: dict[str, str]) -> dict[str, str]:
        vdi = client("VDI.create", {**record, "SR": sr, "other_config": {}, "sm_config": config})
        return dict(client("VDI.get_sm_config", vdi))

    assert noted(iscsi, {}) == {"vdi_type": "vhd"}
    assert noted(iscsi, {"type": "raw"}) == {"type": "raw", "vdi_type": "aio"}
    assert noted(nfs, {}) == {}
    assert noted(nfs, {"type": "raw"}) == {"type": "raw"}
    there = client("VDI.copy", client("SR.get_VDIs", nfs)[0], iscsi)
    assert client("VDI.get_sm_config", there)["vdi_type"] in ("vhd", "aio")
    back = client("VDI.copy", there, nfs)
    assert "vdi_type" not in client("VDI.get_sm_config", back)
    assert client("VDI.get_sm_config", client("VDI.snapshot", there))["vdi_type"] in ("vhd", "aio")


def test_the_statefile_takes_its_place(client: Client) -> None:
    iscsi = create(client, "lvmoiscsi", ISCSI)
    before = int(client("SR.get_physical_utilisation", iscsi))
    client("pool.enable_ha", [iscsi], {})
    volumes = {client("VDI.get_type", vdi): client("VDI.get_record", vdi) for vdi in client("SR.get_VDIs", iscsi)}
    assert {row["sm_config"]["vdi_type"] for row in volumes.values()} == {"aio"}
    assert volumes["ha_statefile"]["location"] == volumes["ha_statefile"]["uuid"]
    taken = sum(row["virtual_size"] for row in volumes.values())
    assert int(client("SR.get_physical_utilisation", iscsi)) == before + taken


def test_what_was_formatted_over_is_lost(client: Client) -> None:
    old = create(client, "lvmoiscsi", ISCSI)
    uuid = client("SR.get_uuid", old)
    for pbd in client("SR.get_PBDs", old):
        client("PBD.unplug", pbd)
    client("SR.forget", old)
    create(client, "lvmoiscsi", ISCSI)
    back = client("SR.introduce", uuid, "back", "", "lvmoiscsi", "user", True, {})
    pbd = client("PBD.create", {"SR": back, "host": ref("h1"), "device_config": ISCSI})
    assert refusal(lambda: client("PBD.plug", pbd))[0] == "SR_BACKEND_FAILURE_47"


def test_a_local_sr_has_one_host(client: Client) -> None:
    assert refusal(lambda: create(client, "ext", {"device": "/dev/sdb"}, host="h2", shared=False))[0].endswith("_91")
    sr = create(client, "ext", {"device": "/dev/sdb"}, shared=False)
    (pbd,) = client("SR.get_PBDs", sr)
    assert client("PBD.get_host", pbd) == ref("h1")
    assert client("PBD.get_currently_attached", pbd)
    assert refusal(lambda: create(client, "lvm", {"device": "/dev/sdb"}, shared=False))[0] == "SR_BACKEND_FAILURE_77"


def test_an_iso_library_shows_its_images(client: Client) -> None:
    config = {"location": "10.1.0.9:/iso", "type": "nfs_iso"}
    sr = client("SR.create", ref("h1"), config, "0", "images", "", "iso", "iso", True, {})
    client("SR.scan", sr)
    client("SR.scan", sr)
    disks = [client("VDI.get_record", vdi) for vdi in client("SR.get_VDIs", sr)]
    assert sorted(disk["location"] for disk in disks) == ["debian.iso", "drivers.iso"]
    assert all(disk["read_only"] for disk in disks)
    wrong = {"location": "10.1.0.9:/nothing", "type": "nfs_iso"}
    assert refusal(lambda: create(client, "iso", wrong))[0] == "SR_BACKEND_FAILURE_222"


def test_the_array_outlives_a_dump(client: Client, estate: Estate) -> None:
    sr = create(client, "nfs", {"server": "10.1.0.9", "serverpath": "/vms"})
    uuid = client("SR.get_uuid", sr)
    for pbd in client("SR.get_PBDs", sr):
        client("PBD.unplug", pbd)
    client("SR.forget", sr)
    storage = estate.storage.declared(pool.db for pool in estate.pools)
    again = Estate(estate.dump(), password=world.PASSWORD, speed=400, storage=storage)
    listed = probe(Client(again), "nfs", {"server": "10.1.0.9", "serverpath": "/vms"})
    again.close()
    assert [x.text for x in ET.fromstring(listed).iter("UUID")] == [uuid]
    assert NULL not in listed
