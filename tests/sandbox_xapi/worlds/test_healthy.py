"""The healthy lab: nothing to find, each virtue written down."""

from collections import Counter

import pytest

from sandbox.xapi import lab
from sandbox.xapi.values import NULL
from sandbox.xapi.world import Record
from sandbox.xapi.worlds import check

LAB = lab.load("healthy")
(WORLD,) = LAB.pools


def rows(cls: str) -> list[Record]:
    return list(WORLD.objects.get(cls, {}).values())


POOL = rows("pool")[0]
HOSTS = WORLD.objects["host"]
GUESTS = [row for row in rows("VM") if not row["is_control_domain"] and not row["is_a_template"]]


def test_it_is_possible_and_has_no_flaws() -> None:
    assert check.problems(WORLD) == []
    assert LAB.flaws == ()
    assert rows("message") == []


@pytest.mark.parametrize(
    "field",
    [
        "software_version",
        "last_update_hash",
        "latest_synced_updates_applied",
        "edition",
        "cpu_info",
        "ntp_mode",
        "ntp_custom_servers",
        "timezone",
        "multipathing",
        "tls_verification_enabled",
        "enabled",
        "API_version_minor",
    ],
)
def test_the_hosts_are_equal(field: str) -> None:
    first, *others = [host[field] for host in HOSTS.values()]
    assert len(others) == 2
    assert all(value == first for value in others)


def test_the_hosts_are_up_and_current() -> None:
    for host in HOSTS.values():
        assert host["enabled"]
        assert WORLD.objects["host_metrics"][host["metrics"]]["live"]
        assert host["latest_synced_updates_applied"] == "yes"
        assert host["last_update_hash"] == rows("Repository")[0]["hash"]
        guidance = ("pending_guidances", "pending_guidances_recommended", "pending_guidances_full")
        assert [host[name] for name in guidance] == [[], [], []]
        assert host["ntp_mode"] == "Custom"
        assert len(host["ntp_custom_servers"]) >= 3
        assert host["tls_verification_enabled"]
    assert POOL["tls_verification_enabled"]
    assert len({host["iscsi_iqn"] for host in HOSTS.values()}) == len(HOSTS)


def test_management_is_bonded_and_every_link_is_up() -> None:
    for ref in HOSTS:
        (management,) = [row for row in rows("PIF") if row["host"] == ref and row["management"]]
        (bond_ref,) = [
            b for b, row in WORLD.objects["Bond"].items() if WORLD.objects["PIF"][row["master"]] is management
        ]
        members = [row for row in rows("PIF") if row["bond_slave_of"] == bond_ref]
        assert sorted(row["device"] for row in members) == ["eth0", "eth1"]
        assert WORLD.objects["Bond"][bond_ref]["links_up"] == 2
        assert management["currently_attached"]
        assert not any(row["currently_attached"] for row in members), "a bond's members are not plugged themselves"
    assert all(row["carrier"] for row in rows("PIF_metrics"))


def test_every_network_interface_is_on_every_host() -> None:
    counts = Counter(row["network"] for row in rows("PIF"))
    assert set(counts.values()) == {len(HOSTS)}


def test_storage_is_shared_connected_and_multipathed() -> None:
    shared = {ref for ref, row in WORLD.objects["SR"].items() if row["shared"] and row["content_type"] == "user"}
    assert POOL["default_SR"] in shared
    assert POOL["suspend_image_SR"] in shared
    for sr in shared:
        pbds = [row for row in rows("PBD") if row["SR"] == sr]
        assert {row["host"] for row in pbds} == HOSTS.keys()
        for pbd in pbds:
            assert pbd["currently_attached"]
            (paths,) = [value for key, value in pbd["other_config"].items() if key.startswith("mpath-")]
            assert paths == "[2, 2]"
            assert pbd["device_config"]["multihomed"] == "true"
            assert len(pbd["device_config"]["target"].split(",")) == 2
    assert all(row["currently_attached"] for row in rows("PBD"))
    subnets = {row["IP"].rpartition(".")[0] for row in rows("PIF") if row["other_config"].get("management_purpose")}
    assert len(subnets) == 2
    default = WORLD.objects["SR"][POOL["default_SR"]]
    assert default["physical_utilisation"] < 0.7 * default["physical_size"]


def test_high_availability_protects_every_vm() -> None:
    assert POOL["ha_enabled"]
    assert not POOL["ha_overcommitted"]
    assert POOL["ha_plan_exists_for"] == POOL["ha_host_failures_to_tolerate"] == 1
    (statefile,) = POOL["ha_statefiles"]
    assert WORLD.objects["VDI"][statefile]["type"] == "ha_statefile"
    assert {row["type"] for row in rows("VDI")} >= {"ha_statefile", "redo_log"}
    for host in HOSTS.values():
        assert host["ha_statefiles"] == [statefile]
        assert sorted(host["ha_network_peers"]) == sorted(other["uuid"] for other in HOSTS.values())
    for vm in GUESTS:
        assert (vm["power_state"], vm["ha_restart_priority"], vm["ha_always_run"]) == ("Running", "restart", True)


@pytest.mark.parametrize("failed", HOSTS, ids=[host["name_label"] for host in HOSTS.values()])
def test_any_two_hosts_carry_all_vms(failed: str) -> None:
    """Biggest first onto the host with the most free memory, as the toolstack plans."""
    room = {
        ref: WORLD.objects["host_metrics"][host["metrics"]]["memory_free"]
        for ref, host in HOSTS.items()
        if ref != failed
    }
    homeless = [row for row in GUESTS if row["resident_on"] == failed]
    for vm in sorted(homeless, key=lambda row: -int(row["memory_static_max"])):
        target = max(room, key=lambda ref: int(room[ref]))
        room[target] -= vm["memory_static_max"] + vm["memory_overhead"]
        assert room[target] >= 0


def test_every_vm_is_agile_and_has_current_tools() -> None:
    srs = WORLD.objects["SR"]
    for drive in rows("VBD"):
        if not drive["empty"]:
            assert srs[WORLD.objects["VDI"][drive["VDI"]]["SR"]]["shared"]
    for vm in GUESTS:
        tools = WORLD.objects["VM_guest_metrics"][vm["guest_metrics"]]
        assert tools["PV_drivers_up_to_date"]
        assert vm["resident_on"] != NULL
    assert len({vm["name_label"] for vm in GUESTS}) == len(GUESTS)


def test_no_certificate_is_near_its_end() -> None:
    by_host = Counter(row["host"] for row in rows("Certificate"))
    assert by_host.keys() == HOSTS.keys()
    assert all(row["not_after"] > "20300101T00:00:00Z" for row in rows("Certificate"))
