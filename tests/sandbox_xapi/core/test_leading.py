"""Who leads a pool: handing the role over, and what survivors do when its coordinator is gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure
from sandbox.xapi.values import Time
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.two_pools import answer
from tests.sandbox_xapi.core.world import Client, ident, login_answer, ref
from tests.waiting import eventually


@pytest.fixture
def estate() -> Iterator[Estate]:
    """h1 leads h2 and h3; a toolstack is away for a third of a second."""
    made = world.estate(speed=100)
    yield made
    made.close()
    assert made.bugs == []


def local(estate: Estate, host: str) -> Client:
    """A client with a session of that host alone, at a member whose coordinator may be gone."""
    client = Client.__new__(Client)
    client.estate = estate
    client.at(host)
    client.session = client.raw("session.slave_local_login_with_password", "root", world.PASSWORD)
    return client


def in_emergency(estate: Estate, host: str) -> Client:
    client = local(estate, host)
    eventually(lambda: client("host.is_in_emergency_mode") is True)
    return client


def led_by(estate: Estate, host: str) -> Client:
    """A client of the pool that `host` leads, when it does."""
    eventually(lambda: login_answer(estate, host) == [])
    return Client(estate, host)


def enabled(client: Client, host: str) -> bool:
    return bool(client("host.get_enabled", client("host.get_by_uuid", ident(host))))


# The role handed over


def test_nobody_leads_while_both_toolstacks_start_anew(estate: Estate) -> None:
    old = Client(estate, "h1")
    with estate.pools[0].db.lock:
        estate.pools[0].db.write("pool", ref("pool"), last_update_sync=Time("20261101T00:00:00Z"))
    old("pool.designate_new_master", ref("h3"))
    eventually(lambda: login_answer(estate, "h3") == ["off"])
    assert login_answer(estate, "h1") == ["off"]
    new = led_by(estate, "h3")
    assert estate.hosts[ident("h2")].lost_coordinator_at is None, "the third was told, and looks for nobody"
    assert new("pool.get_master", ref("pool")) == ref("h3")
    assert new("pool.get_last_update_sync", ref("pool")) == "19700101T00:00:00Z"
    assert new("task.get_all") == []
    told = [m for m in new("message.get_all_records").values() if m["name"] == "POOL_MASTER_TRANSITION"]
    assert [(m["priority"], m["obj_uuid"], m["body"]) for m in told] == [(4, ident("h3"), "")]
    eventually(lambda: login_answer(estate, "h1") == ["HOST_IS_SLAVE", "10.1.0.3"])
    assert login_answer(estate, "h2") == ["HOST_IS_SLAVE", "10.1.0.3"]
    eventually(lambda: all(enabled(new, host) for host in ("h1", "h2", "h3")))
    assert new("VM.get_power_state", ref("web")) == "Running", "on h1, whose domains run on"
    assert new("PBD.get_currently_attached", ref("nfs on h1"))


def test_the_coordinator_itself_is_no_change(estate: Estate) -> None:
    client = Client(estate, "h1")
    client("pool.designate_new_master", ref("h1"))
    assert client("pool.get_current_operations", ref("pool")) == {}


def test_every_host_must_agree(estate: Estate) -> None:
    client = Client(estate, "h1")
    estate.kill(ident("h2"))
    code, text = answer(lambda: client("pool.designate_new_master", ref("h3")))
    assert code == "INTERNAL_ERROR"
    assert "ECONNREFUSED" in text
    assert client("pool.get_master", ref("pool")) == ref("h1")


def test_ha_keeps_the_role_where_it_is(estate: Estate) -> None:
    client = Client(estate, "h1")
    client("pool.enable_ha", [ref("nfs")], {})
    assert answer(lambda: client("pool.designate_new_master", ref("h3"))) == ["HA_IS_ENABLED"]
    client("pool.designate_new_master", ref("h1"))


def test_a_toolstack_restarts_and_its_vms_run_on(estate: Estate) -> None:
    client = Client(estate, "h1")
    before = client("host.get_other_config", ref("h2")).get("agent_start_time")
    client("host.disable", ref("h2"))
    client("host.restart_agent", ref("h2"))
    eventually(lambda: login_answer(estate, "h2") == ["off"])
    eventually(lambda: login_answer(estate, "h2") == ["HOST_IS_SLAVE", "10.1.0.1"])
    eventually(lambda: enabled(client, "h2"))
    after = client("host.get_other_config", ref("h2"))
    assert after["agent_start_time"] != before
    assert "boot_time" not in after
    assert client("VM.get_power_state", ref("db")) == "Running"


def test_a_host_that_was_switched_off_is_switched_on(estate: Estate) -> None:
    client = Client(estate, "h1")
    assert answer(lambda: client("host.power_on", ref("h3"))) == ["HOST_IS_LIVE", ref("h3")]
    client("host.disable", ref("h3"))
    client("host.shutdown", ref("h3"))
    eventually(lambda: login_answer(estate, "h3") == ["off"])
    assert answer(lambda: client("host.power_on", ref("h3"))) == ["HOST_POWER_ON_MODE_DISABLED"]
    client("host.set_power_on_mode", ref("h3"), "wake-on-lan", {})
    task = client("Async.host.power_on", ref("h3"))
    eventually(lambda: client("host.get_current_operations", ref("h3")).get(task) == "power_on")
    eventually(lambda: client("task.get_status", task) == "success")
    assert client("host_metrics.get_live", client("host.get_metrics", ref("h3")))
    eventually(lambda: enabled(client, "h3"))


def test_a_host_that_does_not_come_up_was_not_switched_on(estate: Estate) -> None:
    client = Client(estate, "h1")
    client("host.disable", ref("h3"))
    client("host.shutdown", ref("h3"))
    eventually(lambda: login_answer(estate, "h3") == ["off"])
    client("host.set_power_on_mode", ref("h3"), "wake-on-lan", {})
    task = client("Async.host.power_on", ref("h3"))
    eventually(lambda: client("host.get_current_operations", ref("h3")) != {})
    estate.kill(ident("h3"))
    estate.speed = 4000
    eventually(lambda: client("task.get_status", task) == "failure")
    assert client("task.get_error_info", task) == ["INTERNAL_ERROR", 'Failure("The host failed to power on.")']


def test_a_host_that_loses_power_while_it_reboots_stays_off(estate: Estate) -> None:
    client = Client(estate, "h1")
    client("host.disable", ref("h3"))
    client("host.reboot", ref("h3"))
    eventually(lambda: login_answer(estate, "h3") == ["off"])
    estate.kill(ident("h3"))
    estate.speed = 4000
    mark = estate.time.now() + 400
    eventually(lambda: estate.time.now() > mark)
    assert login_answer(estate, "h3") == ["off"]


# A coordinator that is gone


def test_a_survivor_leads_and_the_others_are_told(estate: Estate) -> None:
    estate.kill(ident("h1"))
    survivor = in_emergency(estate, "h2")
    assert login_answer(estate, "h2") == ["HOST_STILL_BOOTING"]
    survivor("pool.emergency_transition_to_master")
    client = led_by(estate, "h2")
    assert client("pool.get_master", ref("pool")) == ref("h2")
    assert in_emergency(estate, "h3").session
    assert client("pool.recover_slaves") == [ref("h3")]
    eventually(lambda: login_answer(estate, "h3") == ["HOST_IS_SLAVE", "10.1.0.2"])
    eventually(lambda: enabled(client, "h3"))
    assert client("VM.get_power_state", ref("db")) == "Running", "it never stopped"
    assert client("VM.get_power_state", ref("web")) == "Running", "nobody has said that h1 is dead"
    client("host.declare_dead", ref("h1"))
    assert client("VM.get_power_state", ref("web")) == "Halted"
    client("VM.start", ref("web"), False, False)
    assert client("VM.get_resident_on", ref("web")) != ref("h1")


def test_an_old_coordinator_that_comes_back_leads_too_until_it_is_told(estate: Estate) -> None:
    estate.kill(ident("h1"))
    in_emergency(estate, "h2")("pool.emergency_transition_to_master")
    client = led_by(estate, "h2")
    client("pool.recover_slaves")
    eventually(lambda: login_answer(estate, "h3") == ["HOST_IS_SLAVE", "10.1.0.2"])
    eventually(lambda: enabled(client, "h3"))
    client("host.declare_dead", ref("h1"))
    client("VM.start", ref("web"), False, False)
    estate.start(ident("h1"))
    assert login_answer(estate, "h1") == [], "two coordinators"
    assert len(estate.pools) == 2
    assert answer(lambda: client("host.declare_dead", ref("h1"))) == ["HOST_IS_LIVE", ref("h1")]
    old = Client(estate, "h1")
    assert old("pool.get_master", ref("pool")) == ref("h1")
    assert old("VM.get_power_state", ref("web")) == "Halted", "its own view: it has booted"
    local(estate, "h1")("pool.emergency_reset_master", "10.1.0.2")
    eventually(lambda: login_answer(estate, "h1") == ["HOST_IS_SLAVE", "10.1.0.2"])
    eventually(lambda: enabled(client, "h1"))
    assert len(estate.pools) == 1
    assert client("VM.get_power_state", ref("web")) == "Running"
    assert client("host_metrics.get_live", ref("h1 metrics"))


def test_the_new_one_finds_the_old_one_when_it_looks_for_members(estate: Estate) -> None:
    estate.kill(ident("h1"))
    in_emergency(estate, "h2")("pool.emergency_transition_to_master")
    client = led_by(estate, "h2")
    assert set(client("pool.recover_slaves")) == {ref("h3")}
    estate.start(ident("h1"))
    eventually(lambda: login_answer(estate, "h3") == ["HOST_IS_SLAVE", "10.1.0.2"])
    assert set(client("pool.recover_slaves")) == {ref("h1"), ref("h3")}
    eventually(lambda: login_answer(estate, "h1") == ["HOST_IS_SLAVE", "10.1.0.2"])
    eventually(lambda: enabled(client, "h1"))
    assert client("VM.get_power_state", ref("web")) == "Halted", "h1 has booted since"


def test_a_host_that_stays_away_is_missed_by_the_new_coordinator(estate: Estate) -> None:
    estate.kill(ident("h1"))
    in_emergency(estate, "h2")("pool.emergency_transition_to_master")
    client = led_by(estate, "h2")
    client("pool.recover_slaves")
    estate.speed = 4000
    eventually(lambda: not client("host_metrics.get_live", ref("h1 metrics")))


def test_ha_settles_who_leads_by_itself(estate: Estate) -> None:
    Client(estate, "h1")("pool.enable_ha", [ref("nfs")], {})
    for call in (("pool.emergency_transition_to_master",), ("pool.emergency_reset_master", "10.1.0.3")):
        assert answer(lambda c=call: local(estate, "h2")(*c)) == ["HA_IS_ENABLED"]  # type: ignore[misc]  # a lambda with a default


def test_an_address_without_a_coordinator_that_knows_the_host_is_refused(estate: Estate) -> None:
    for address in ("10.1.0.99", "10.1.0.3"):
        with pytest.raises(Failure) as caught:
            local(estate, "h2")("pool.emergency_reset_master", address)
        assert caught.value.code == "NOT_IMPLEMENTED"


# A host given up


def test_a_forgotten_host_finds_no_place_when_it_comes_back(estate: Estate) -> None:
    client = Client(estate, "h1")
    client("VM.clean_shutdown", ref("db"))
    client("VM.hard_shutdown", ref("pinned"))
    assert answer(lambda: client("host.destroy", ref("h2"))) == ["HOST_IS_LIVE", ref("h2")]
    estate.kill(ident("h2"))
    client("host.destroy", ref("h2"))
    assert answer(lambda: client("host.get_record", ref("h2"))) == ["HANDLE_INVALID", "host", ref("h2")]
    assert ref("dom0 h2") not in client("VM.get_all")
    assert len(client("SR.get_PBDs", ref("nfs"))) == 2
    estate.start(ident("h2"))
    assert login_answer(estate, "h2") == ["HOST_UNKNOWN_TO_MASTER", ident("h2")]


def test_a_dead_host_with_vms_is_not_forgotten(estate: Estate) -> None:
    client = Client(estate, "h1")
    estate.kill(ident("h2"))
    assert answer(lambda: client("host.destroy", ref("h2"))) == ["HOST_HAS_RESIDENT_VMS", ref("h2")]
