"""Who may call, and where."""

from __future__ import annotations

import time

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure, HostDown
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import Client


def refused(client: Client, method: str, *params: object) -> list[str]:
    with pytest.raises(Failure) as caught:
        client.raw(method, *params)
    return caught.value.description


def wait_for(client: Client, method: str, wanted: object) -> None:
    """Ask until the answer, or the failure's code, is the wanted one."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        try:
            have: object = client(method)
        except Failure as failure:
            have = failure.code
        if have == wanted:
            return
        time.sleep(0.01)
    pytest.fail(f"{method} never answered {wanted}")


def test_a_member_names_its_coordinator_before_it_looks_at_the_password(client: Client) -> None:
    client.at("h2")
    assert refused(client, "session.login_with_password", "root", "wrong") == ["HOST_IS_SLAVE", "10.1.0.1"]
    assert refused(client, "VM.get_all", client.session) == ["HOST_IS_SLAVE", "10.1.0.1"]
    assert refused(client, "VM.get_all", "OpaqueRef:x") == ["SESSION_INVALID", "OpaqueRef:x"]


def test_a_wrong_password_takes_its_time() -> None:
    estate = world.estate(speed=20)
    client = Client(estate)
    begin = time.monotonic()
    answer = refused(client, "session.login_with_password", "root", "wrong")
    assert answer == ["SESSION_AUTHENTICATION_FAILED", "root", "Authentication failure"]
    assert time.monotonic() - begin >= 2.0 / 20
    estate.close()


def test_login_counts_its_parameters_from_zero(client: Client) -> None:
    assert refused(client, "session.login_with_password", "root")[1:] == ["session.login_with_password", "2", "1"]
    assert client.raw("session.login_with_password", "root", world.PASSWORD, "1.0", "me", "surplus")


def test_the_count_is_checked_before_the_session(client: Client) -> None:
    code, *rest = refused(client, "VM.get_record")
    assert (code, rest) == ("MESSAGE_PARAMETER_COUNT_MISMATCH", ["VM.get_record", "1", "-1"])
    assert refused(client, "VM.frobnicate", "OpaqueRef:x") == ["SESSION_INVALID", "OpaqueRef:x"]
    assert refused(client, "VM.frobnicate") == ["MESSAGE_METHOD_UNKNOWN", "VM.frobnicate"]


def test_after_logout_the_session_is_gone(client: Client) -> None:
    client("session.logout")
    assert refused(client, "VM.get_all", client.session) == ["SESSION_INVALID", client.session]


def test_sessions_of_one_originator_make_room(client: Client) -> None:
    for _ in range(505):
        client.raw("session.login_with_password", "root", world.PASSWORD, "1.0", "many")
    rows = client.estate.pools[0].db.rows("session").values()
    assert sum(r["originator"] == "many" for r in rows) == 500


def test_members_go_into_emergency_when_the_coordinator_is_gone(estate: Estate, client: Client) -> None:
    coordinator = client.host
    estate.kill(coordinator)
    with pytest.raises(HostDown):
        client("VM.get_all")
    client.at("h2")
    client.session = client.raw("session.slave_local_login_with_password", "root", world.PASSWORD)
    wait_for(client, "host.is_in_emergency_mode", True)
    assert refused(client, "session.login_with_password", "root", world.PASSWORD) == ["HOST_STILL_BOOTING"]
    client("pool.emergency_transition_to_master")
    wait_for(client, "host.is_in_emergency_mode", False)
    survivor = Client(estate, "h2")
    told = survivor("pool.recover_slaves")
    assert told == [world.ref("h3")]
    assert refused(Client(estate, "h2").at("h3"), "session.login_with_password", "root", "x") == [
        "HOST_IS_SLAVE",
        "10.1.0.2",
    ]


def test_a_new_coordinator_ends_all_sessions(estate: Estate, client: Client) -> None:
    client("pool.designate_new_master", world.ref("h3"))
    wait_for(client, "VM.get_all", "SESSION_INVALID" if estate.pools[0].coordinator.name == "h1" else "HOST_IS_SLAVE")
    fresh = Client(estate, "h3")
    assert fresh("pool.get_master", world.ref("pool")) == world.ref("h3")
