"""Who may call, and where."""

from __future__ import annotations

import time

import pytest

from sandbox.xapi.failure import Failure, HostDown
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import Client


def refused(client: Client, method: str, *params: object) -> list[str]:
    with pytest.raises(Failure) as caught:
        client.raw(method, *params)
    return caught.value.description


def test_a_member_names_its_coordinator_before_it_looks_at_the_password(client: Client) -> None:
    client.at("h2")
    assert refused(client, "session.login_with_password", "root", "wrong") == ["HOST_IS_SLAVE", "10.1.0.1"]
    assert refused(client, "VM.get_all", client.session) == ["HOST_IS_SLAVE", "10.1.0.1"]
    assert refused(client, "VM.get_all", "OpaqueRef:x") == ["SESSION_INVALID", "OpaqueRef:x"]


def test_a_members_own_session_reads_and_changes_nothing(client: Client) -> None:
    """As XenAPI.py before 2024 does after a local login, to learn the version of the API."""
    client.at("h2")
    own = client.raw("session.slave_local_login_with_password", "root", world.PASSWORD)
    (pool,) = client.raw("pool.get_all", own)
    leader = client.raw("pool.get_master", own, pool)
    assert client.raw("host.get_name_label", own, leader) == "h1"
    assert client.raw("host.get_by_name_label", own, "h1") == [leader]
    assert refused(client, "host.set_name_label", own, leader, "x") == ["HOST_IS_SLAVE", "10.1.0.1"]
    assert refused(client, "VM.start", own, world.ref("web"), False, False) == ["HOST_IS_SLAVE", "10.1.0.1"]


def test_a_member_without_its_coordinator_reads_nothing(client: Client) -> None:
    client.at("h2")
    own = client.raw("session.slave_local_login_with_password", "root", world.PASSWORD)
    client.estate.kill(world.ident("h1"))
    with pytest.raises(HostDown):
        client.raw("pool.get_all", own)


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
