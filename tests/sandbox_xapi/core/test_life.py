"""Hosts that go, come back and are missed; clocks."""

from __future__ import annotations

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure
from sandbox.xapi.values import Time
from tests.sandbox_xapi.core.world import Client, build, ref
from tests.waiting import eventually


def uuid_of(estate: Estate, name: str) -> str:
    return next(h.uuid for h in estate.hosts.values() if h.name == name)


def live(client: Client, host: str) -> bool:
    return bool(client("host_metrics.get_live", client("host.get_metrics", ref(host))))


def test_a_dead_host_is_missed_after_ten_minutes(estate: Estate, client: Client) -> None:
    estate.kill(uuid_of(estate, "h2"))
    assert live(client, "h2"), "not noticed yet"
    with pytest.raises(Failure) as caught:
        client("host.get_servertime", ref("h2"))
    assert caught.value.description == ["CANNOT_CONTACT_HOST", ref("h2")]
    estate.speed = 4000
    eventually(lambda: not live(client, "h2"))
    with pytest.raises(Failure) as offline:
        client("host.disable", ref("h2"))
    assert offline.value.description == ["HOST_OFFLINE", ref("h2")]
    assert client("VM.get_power_state", ref("db")) == "Running", "nobody has said otherwise"
    client("host.declare_dead", ref("h2"))
    assert client("VM.get_power_state", ref("db")) == "Halted"


def test_declare_dead_wants_a_dead_host(client: Client) -> None:
    for call in ("host.declare_dead", "host.destroy"):
        with pytest.raises(Failure) as caught:
            client(call, ref("h2"))
        assert caught.value.description == ["HOST_IS_LIVE", ref("h2")]


def test_a_host_comes_back_and_plugs_its_storage(estate: Estate, client: Client) -> None:
    uuid = uuid_of(estate, "h2")
    estate.kill(uuid)
    estate.start(uuid)
    eventually(lambda: bool(client("host.get_enabled", ref("h2"))))
    assert client("PBD.get_currently_attached", ref("nfs on h2"))
    assert client("VM.get_power_state", ref("db")) == "Halted", "its domain is gone"
    assert "boot_time" in client("host.get_other_config", ref("h2"))


def test_a_reboot_wants_a_disabled_host_and_takes_it_away_for_a_while(estate: Estate, client: Client) -> None:
    with pytest.raises(Failure) as caught:
        client("host.reboot", ref("h3"))
    assert caught.value.description == ["HOST_NOT_DISABLED"]
    client("host.disable", ref("h3"))
    assert "reboot" in client("host.get_allowed_operations", ref("h3"))
    client("host.reboot", ref("h3"))
    assert not live(client, "h3")
    assert list(client("host.get_current_operations", ref("h3")).values()) == ["shutdown"]
    eventually(lambda: not estate.hosts[uuid_of(estate, "h3")].alive)
    eventually(lambda: live(client, "h3") and bool(client("host.get_enabled", ref("h3"))))
    assert client("host.get_current_operations", ref("h3")) == {}


def test_a_shutdown_waits_behind_what_else_is_done_with_the_host(estate: Estate, client: Client) -> None:
    client("host.disable", ref("h3"))
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("host", ref("h3"), current_operations={"OpaqueRef:another": "reboot"})
    task = client("Async.host.shutdown", ref("h3"))
    eventually(lambda: client("task.get_allowed_operations", task) == ["cancel"])
    assert client("task.get_status", task) == "pending"
    assert live(client, "h3")
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("host", ref("h3"), current_operations={})
    eventually(lambda: client("task.get_status", task) == "success")
    assert list(client("host.get_current_operations", ref("h3")).values()) == ["shutdown"]


@pytest.mark.parametrize("call", ["host.reboot", "host.shutdown"])
def test_under_ha_nobody_goes_down_without_the_statefile(estate: Estate, client: Client, call: str) -> None:
    client("pool.enable_ha", [ref("nfs")], {})
    client("host.disable", ref("h3"))
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("PBD", ref("nfs on h3"), currently_attached=False)
    with pytest.raises(Failure) as caught:
        client(call, ref("h3"))
    assert caught.value.description == ["HA_LOST_STATEFILE"]
    assert client("host.get_current_operations", ref("h3")) == {}
    assert live(client, "h3")
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("PBD", ref("nfs on h3"), currently_attached=True)
    client(call, ref("h3"))


def test_ha_restarts_what_it_protects(estate: Estate, client: Client) -> None:
    client("pool.enable_ha", [ref("nfs")], {})
    client("pool.set_ha_host_failures_to_tolerate", ref("pool"), 1)
    estate.kill(uuid_of(estate, "h2"))
    eventually(lambda: not live(client, "h2"))
    eventually(lambda: client("VM.get_power_state", ref("db")) == "Running")
    assert client("VM.get_resident_on", ref("db")) in (ref("h1"), ref("h3"))
    assert client("VM.get_power_state", ref("pinned")) == "Halted"
    assert client("host.get_enabled", ref("h2")) is True
    bodies = [m["body"] for m in client("message.get_all_records").values() if m["name"] == "HA_HOST_FAILED"]
    assert bodies == ["Server 'h2' has failed"]


def fences(client: Client) -> list[tuple[str, str, int]]:
    found = client("message.get_all_records").values()
    return [(m["obj_uuid"], m["body"], m["priority"]) for m in found if m["name"] == "HA_HOST_WAS_FENCED"]


def test_under_ha_a_boot_without_a_shutdown_is_taken_for_a_fence(estate: Estate, client: Client) -> None:
    uuid = uuid_of(estate, "h3")
    estate.kill(uuid)
    estate.start(uuid)
    eventually(lambda: bool(client("host.get_enabled", ref("h3"))))
    assert fences(client) == [], "HA was off"
    client("pool.enable_ha", [ref("nfs")], {})
    client("host.disable", ref("h3"))
    client("host.reboot", ref("h3"))
    eventually(lambda: not estate.hosts[uuid].alive)
    eventually(lambda: live(client, "h3") and bool(client("host.get_enabled", ref("h3"))))
    assert fences(client) == [], "it was told to"
    estate.kill(uuid)
    eventually(lambda: not live(client, "h3"))
    estate.start(uuid)
    eventually(lambda: bool(fences(client)))
    assert fences(client) == [(uuid, "", 4)]


def test_ha_finds_a_new_coordinator(estate: Estate, client: Client) -> None:
    client("pool.enable_ha", [ref("nfs")], {})
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("pool", ref("pool"), last_update_sync=Time("20261101T00:00:00Z"))
    estate.kill(uuid_of(estate, "h1"))
    eventually(lambda: estate.pools[0].coordinator.alive)
    fresh = Client(estate, estate.pools[0].coordinator.name)
    assert fresh("pool.get_last_update_sync", ref("pool")) == "20261101T00:00:00Z", "only a handover resets it"
    names = {m["name"] for m in fresh("message.get_all_records").values()}
    assert {"POOL_MASTER_TRANSITION", "HA_HOST_FAILED"} <= names


def test_with_ha_a_coordinator_that_is_told_to_go_down_is_replaced_and_nothing_has_failed(
    estate: Estate, client: Client
) -> None:
    client("pool.enable_ha", [ref("nfs")], {})
    client("host.disable", ref("h1"))
    client("host.shutdown", ref("h1"))
    survivor = min(("h2", "h3"), key=lambda name: uuid_of(estate, name))
    eventually(lambda: estate.hosts[uuid_of(estate, survivor)].is_coordinator)
    there = Client(estate, survivor)
    assert not live(there, "h1")
    assert "HA_HOST_FAILED" not in {m["name"] for m in there("message.get_all_records").values()}
    estate.start(uuid_of(estate, "h1"))
    eventually(lambda: live(there, "h1") and bool(there("host.get_enabled", ref("h1"))))
    assert there("pool.get_master", ref("pool")) == ref(survivor)


def test_each_host_has_its_own_clock(estate: Estate, client: Client) -> None:
    estate.hosts[uuid_of(estate, "h2")].clock.set(offset=3600)
    here = client("host.get_servertime", ref("h1")).unix()
    there = client("host.get_servertime", ref("h2")).unix()
    assert 3599 <= there - here <= 3602
    local = client("host.get_server_localtime", ref("h1"))
    assert not local.endswith("Z")


def test_a_clock_drifts() -> None:
    from sandbox.xapi.timing import HostClock

    clock = HostClock()
    clock.set(ppm=1e9)  # a thousand seconds a second
    first = clock.unix()
    eventually(lambda: clock.unix() - first > 5)


def test_dump_and_load_again_is_the_same_world(estate: Estate, client: Client) -> None:
    client("VM.start", ref("spare"), False, False)
    (dumped,) = estate.dump()
    again = Estate([dumped])
    (second,) = again.dump()
    assert second == dumped
    assert set(build()["VM"]) == set(second.objects["VM"])
    again.close()
