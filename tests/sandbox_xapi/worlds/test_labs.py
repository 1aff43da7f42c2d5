"""What each lab holds, and that it is possible."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.xapi import lab
from sandbox.xapi.model import model, release_key
from sandbox.xapi.values import NULL
from sandbox.xapi.world import Lab, LabError, PoolWorld, Record
from sandbox.xapi.worlds import check
from sandbox.xapi.worlds.builder import GIB, PoolBuilder, stored_defaults

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def rows(world: PoolWorld, cls: str) -> list[Record]:
    return list(world.objects.get(cls, {}).values())


def named(world: PoolWorld, cls: str, name: str) -> Record:
    (found,) = [row for row in rows(world, cls) if row["name_label"] == name]
    return found


def guests(world: PoolWorld) -> list[Record]:
    return [row for row in rows(world, "VM") if not row["is_control_domain"] and not row["is_a_template"]]


def needs(world: PoolWorld, vm: Record) -> int:
    return int(vm["memory_dynamic_min"] + vm["memory_overhead"])


def free(world: PoolWorld, host: Record) -> int:
    return int(world.objects["host_metrics"][host["metrics"]]["memory_free"])


@pytest.fixture(scope="module")
def tutorial() -> Lab:
    return lab.load("tutorial", now=NOW)


@pytest.mark.parametrize("name", lab.names())
def test_every_lab_is_possible(name: str) -> None:
    for world in lab.load(name, now=NOW).pools:
        assert check.problems(world) == []


@pytest.mark.parametrize("name", lab.names())
def test_records_are_complete(name: str) -> None:
    for world in lab.load(name, now=NOW).pools:
        for cls, table in world.objects.items():
            for row in table.values():
                assert row.keys() == stored_defaults(world.release, cls).keys()


@pytest.mark.parametrize("name", lab.names())
def test_a_lab_is_the_same_in_every_run(name: str) -> None:
    assert lab.load(name, now=NOW) == lab.load(name, now=NOW)


def test_times_are_relative_to_now() -> None:
    later = lab.load("tutorial", now=NOW.replace(year=2027))
    (host,) = [row for row in rows(later.pools[0], "host") if row["name_label"] == "xs1"]
    boot = float(host["other_config"]["boot_time"])
    assert 0 < NOW.replace(year=2027).timestamp() - boot < 100 * 86400


def test_no_two_hosts_of_a_lab_share_an_address_or_uuid() -> None:
    for name in lab.names():
        hosts = [row for world in lab.load(name).pools for row in rows(world, "host")]
        for field in ("address", "uuid", "name_label"):
            assert len({row[field] for row in hosts}) == len(hosts)


def test_the_default_is_the_tutorial() -> None:
    assert lab.names()[0] == "tutorial"
    assert lab.load(now=NOW) == lab.load("tutorial", now=NOW)


def test_the_tutorial_starts_with_three_hosts_alone() -> None:
    start = lab.load("tutorial-start", now=NOW)
    addresses = [rows(world, "host")[0]["address"] for world in start.pools]
    assert addresses == ["10.0.0.101", "10.0.0.102", "10.0.0.103"]
    for world in start.pools:
        assert (world.release, len(rows(world, "host")), len(rows(world, "pool"))) == ("cream", 1, 1)
        assert guests(world) == []
        assert [row for row in rows(world, "SR") if row["shared"] and row["content_type"] != "iso"] == []
        assert [row["name_label"] for row in rows(world, "pool")] == [""]


def test_the_tutorial_has_a_pool_of_two_and_a_host_alone(tutorial: Lab) -> None:
    pool, alone = tutorial.pools
    assert (pool.release, alone.release) == ("cream", "cream")
    assert [(row["name_label"], row["address"]) for row in rows(pool, "host")] == [
        ("xs1", "10.0.0.101"),
        ("xs2", "10.0.0.102"),
    ]
    assert named(alone, "host", "xs3")["address"] == "10.0.0.103"
    assert pool.objects["host"][rows(pool, "pool")[0]["master"]]["name_label"] == "xs1"
    assert all(row["software_version"]["product_version"] == "6.5.0" for row in rows(pool, "host"))


def test_the_tutorials_hosts_look_as_6_5_did(tutorial: Lab) -> None:
    for world in tutorial.pools:
        for host in rows(world, "host"):
            assert {"features", "features_after_reboot", "physical_features", "maskable"} <= host["cpu_info"].keys()
            assert not any(key.startswith("features_hvm") for key in host["cpu_info"])
            assert "ntp_mode" not in host
            applied = [row for row in rows(world, "host_patch") if row["applied"]]
            assert {row["name_label"] for row in applied} >= {"XS65ESP1"}


def test_xs1_and_xs2_are_alike_and_xs3_can_be_masked_to_them(tutorial: Lab) -> None:
    pool, alone = tutorial.pools
    cpu1, cpu2 = (named(pool, "host", name)["cpu_info"] for name in ("xs1", "xs2"))
    cpu3 = named(alone, "host", "xs3")["cpu_info"]
    assert cpu1["features"] == cpu2["features"]
    assert (cpu3["vendor"], cpu3["maskable"]) == (cpu1["vendor"], "full")
    pairs = list(zip(cpu1["features"].split("-"), cpu3["features"].split("-"), strict=True))
    assert all(int(a, 16) & int(b, 16) == int(a, 16) for a, b in pairs)
    assert cpu3["features"] != cpu1["features"]
    patches = [{row["name_label"] for row in rows(world, "pool_patch")} for world in tutorial.pools]
    assert patches[0] == patches[1]


def test_xs3_is_free_to_join(tutorial: Lab) -> None:
    alone = tutorial.pools[1]
    assert {row["power_state"] for row in guests(alone)} == {"Halted"}
    assert [row["name_label"] for row in rows(alone, "SR") if row["shared"]] == ["XenServer Tools"]


def test_the_tutorials_storage(tutorial: Lab) -> None:
    pool = tutorial.pools[0]
    nfs = next(row for row in rows(pool, "SR") if row["type"] == "nfs")
    iscsi_ref = next(ref for ref, row in pool.objects["SR"].items() if row["type"] == "lvmoiscsi")
    assert nfs["shared"]
    assert rows(pool, "pool")[0]["default_SR"] == iscsi_ref
    configs = {row["SR"]: row for row in rows(pool, "PBD")}
    assert configs[iscsi_ref]["device_config"]["target"] == "10.0.0.112"
    assert configs[iscsi_ref]["other_config"]["multipathed"] == "true"
    assert all(row["other_config"]["multipathing"] == "true" for row in rows(pool, "host"))
    assert any(row["device_config"].get("server") == "10.0.0.111" for row in rows(pool, "PBD"))
    for host in rows(pool, "host"):
        cards = [row for row in rows(pool, "PIF") if pool.objects["host"][row["host"]] is host]
        assert sorted(row["device"] for row in cards) == ["eth0", "eth1"]


def test_the_tutorials_flaws_are_there(tutorial: Lab) -> None:
    pool = tutorial.pools[0]
    local = {ref for ref, row in pool.objects["SR"].items() if not row["shared"]}
    pinned = {
        pool.objects["VM"][row["VM"]]["name_label"]
        for row in rows(pool, "VBD")
        if not row["empty"] and pool.objects["VDI"][row["VDI"]]["SR"] in local
    }
    assert pinned == {"files-1", "build-1"}
    assert len(rows(pool, "host")) == 2
    assert len(tutorial.flaws) == 3


def test_the_tutorials_machines(tutorial: Lab) -> None:
    pool = tutorial.pools[0]
    states = {row["power_state"] for row in guests(pool)}
    assert states == {"Running", "Halted", "Suspended"}
    assert len([row for row in guests(pool) if row["name_label"] == "jenkins"]) == 2
    metrics = pool.objects["VM_guest_metrics"]
    assert named(pool, "VM", "legacy-1")["guest_metrics"] == NULL
    assert not metrics[named(pool, "VM", "crm-1")["guest_metrics"]]["PV_drivers_up_to_date"]
    (snapshot,) = [row for row in rows(pool, "VM") if row["is_a_snapshot"]]
    assert pool.objects["VM"][snapshot["snapshot_of"]]["name_label"] == "db-1"
    templates = [row for row in rows(pool, "VM") if row["is_a_template"] and not row["is_a_snapshot"]]
    own = [row for row in templates if row["other_config"].get("default_template") != "true"]
    assert [row["name_label"] for row in own] == ["debian-base"]
    assert "Other install media" in {row["name_label"] for row in templates}
    assert {row["priority"] for row in rows(pool, "message")} == {1, 3, 5}


def test_either_host_could_carry_the_other_but_not_everything(tutorial: Lab) -> None:
    pool = tutorial.pools[0]
    hosts = pool.objects["host"]
    for ref in hosts:
        (other,) = [row for other_ref, row in hosts.items() if other_ref != ref]
        leaving = [row for row in guests(pool) if row["resident_on"] == ref]
        assert sum(needs(pool, row) for row in leaving) < free(pool, other)
    big = named(pool, "VM", "analysis-1")
    assert big["power_state"] == "Halted"
    assert all(needs(pool, big) > free(pool, host) for host in hosts.values())


def test_the_current_lab_is_of_today() -> None:
    (world,) = lab.load("current", now=NOW).pools
    assert release_key(world.release) >= release_key("26.0.0")
    for host in rows(world, "host"):
        assert {"features_hvm_host", "features_pv_host"} <= host["cpu_info"].keys()
        assert "features" not in host["cpu_info"]
        assert host["control_domain"] in world.objects["VM"]
    level = rows(world, "pool")[0]["cpu_info"]
    assert level["features_hvm_host"] == rows(world, "host")[0]["cpu_info"]["features_hvm_host"]
    assert (level["cpu_count"], level["socket_count"]) == ("96", "6")
    assert {key for key in level if key.startswith("features")} == {"features_hvm_host", "features_pv_host"}
    assert {row["type"] for row in rows(world, "Certificate")} == {"host", "host_internal"}


def test_the_current_labs_alerts_are_such_as_its_release_raises() -> None:
    (world,) = lab.load("current", now=NOW).pools
    alerts = {row["name"]: row for row in rows(world, "message")}
    assert {(row["name"], row["priority"], row["cls"]) for row in alerts.values()} == {
        ("PBD_PLUG_FAILED_ON_SERVER_START", 3, "Host"),
        ("VM_MIGRATED", 5, "VM"),
    }
    vm, origin, target = named(world, "VM", "monitor-1"), named(world, "host", "xs22"), named(world, "host", "xs23")
    assert alerts["VM_MIGRATED"]["obj_uuid"] == vm["uuid"]
    assert alerts["VM_MIGRATED"]["body"] == (
        f"VM 'monitor-1' (uuid: {vm['uuid']}) migrated from host 'xs22' (uuid: {origin['uuid']})"
        f" to host 'xs23' (uuid: {target['uuid']})"
    )


def test_the_current_labs_flaws_are_there() -> None:
    loaded = lab.load("current", now=NOW)
    (world,) = loaded.pools
    hashes = {row["name_label"]: row["last_update_hash"] for row in rows(world, "host")}
    assert hashes["xs21"] == hashes["xs22"] != hashes["xs23"]
    assert named(world, "host", "xs23")["pending_guidances_recommended"] == ["restart_toolstack"]
    assert named(world, "host", "xs22")["ntp_mode"] == "Disabled"
    (lost,) = [row for row in rows(world, "PBD") if not row["currently_attached"]]
    assert world.objects["host"][lost["host"]]["name_label"] == "xs23"
    assert world.objects["SR"][lost["SR"]]["type"] == "nfs"
    (dark,) = [row for row in rows(world, "PIF") if not world.objects["PIF_metrics"][row["metrics"]]["carrier"]]
    assert (world.objects["host"][dark["host"]]["name_label"], dark["device"]) == ("xs22", "eth1")
    elsewhere = [row for row in guests(world) if row["power_state"] == "Running"]
    elsewhere = [row for row in elsewhere if row["resident_on"] != rows(world, "pool")[0]["master"]]
    coordinator = named(world, "host", "xs21")
    assert sum(needs(world, row) > free(world, coordinator) for row in elsewhere) > len(elsewhere) / 2
    assert not rows(world, "pool")[0]["ha_enabled"]
    assert len(loaded.flaws) == 7


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "moon"}, "There is no lab 'moon'. The labs are: tutorial, "),
        ({"name": "healthy", "fleet": "2x2"}, "Choose one"),
        ({"upgrade": True}, "Only a database file"),
        ({"name": "healthy", "upgrade": True}, "Only a database file"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(LabError, match=reason):
        lab.load(**options)


def test_the_builder_refuses_a_field_that_never_was() -> None:
    pool = PoolBuilder("p", "cream", NOW)
    with pytest.raises(TypeError, match="ntp_mod"):
        pool.add("host", "h", ntp_mod="Factory")
    pool.add("host", "h", ntp_mode="Factory", name_label="xs1")
    with pytest.raises(ValueError, match="two objects"):
        pool.add("host", "h")
    ((record),) = pool.objects["host"].values()
    assert "ntp_mode" not in record
    assert "ntp_mode" in model("26.9.0").classes["host"].fields


def test_records_do_not_share_their_values() -> None:
    pool = PoolBuilder("p", "cream", NOW)
    first, second = pool.add("VM", "a"), pool.add("VM", "b")
    pool.record("VM", first)["tags"].append("x")
    pool.record("VM", first)["other_config"]["k"] = "v"
    assert (pool.record("VM", second)["tags"], pool.record("VM", second)["other_config"]) == ([], {})


def test_memory_is_in_bytes(tutorial: Lab) -> None:
    assert named(tutorial.pools[0], "VM", "web-1")["memory_static_max"] == 2 * GIB
