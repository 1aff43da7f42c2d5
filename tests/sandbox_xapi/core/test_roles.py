"""The table of roles, as clients ask for it that show who may do what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import Client

ORDER = ["pool-admin", "pool-operator", "vm-power-admin", "vm-admin", "vm-operator", "read-only"]


def role(client: Client, name: str) -> str:
    (found,) = client("role.get_by_name_label", name)
    return str(found)


def may(client: Client, name: str) -> set[str]:
    return set(client("role.get_permissions_name_label", role(client, name)))


def test_six_roles_each_with_what_the_next_may(client: Client) -> None:
    roles: dict[str, dict[str, Any]] = client("role.get_all_records_where", "subroles<>[]")
    assert [row["name_label"] for row in roles.values()] == ORDER
    for more, less in itertools.pairwise(ORDER):
        assert may(client, more) > may(client, less)
    assert {"vm.start", "event.from"} <= may(client, "vm-operator")
    assert {"vm.pool_migrate", "pool.enable_ha"} & may(client, "vm-admin") == set()
    assert "pool.enable_ha" in may(client, "pool-operator")
    assert all(client("role.get_record", ref) == row for ref, row in roles.items())


def test_their_uuids_are_the_same_in_every_pool(client: Client) -> None:
    known = {
        "pool-admin": "0165f154-ba3e-034e-6b27-5d271af109ba",
        "pool-operator": "b9ce9791-0604-50cd-0649-09b3284c7dfd",
        "read-only": "7233b8e3-eacb-d7da-2c95-f2e581cdbf4e",
    }
    for name, uuid in known.items():
        assert role(client, name) == f"OpaqueRef:{uuid}" == client("role.get_by_uuid", uuid)
        assert client("role.get_uuid", role(client, name)) == uuid


def test_a_call_is_a_role_without_subroles(client: Client) -> None:
    (start,) = client("role.get_by_name_label", "vm.start")
    assert client("role.get_subroles", start) == []
    assert client("role.get_is_internal", start) is True
    assert client("role.get_permissions", start) == [start]
    holders = client("role.get_by_permission", start)
    assert [client("role.get_name_label", each) for each in holders] == ORDER[:5]
    assert client("role.get_by_permission_name_label", "vm.start") == holders
    basic = client("role.get_all_where", "subroles=[]")
    assert start in basic
    assert sorted(client("role.get_all")) == sorted([*basic, *client("role.get_all_where", "subroles<>[]")])
    assert len(client("role.get_all_records")) == len(client("role.get_all_where", "anything else"))


def test_what_only_a_host_itself_may_is_nobody_s_permission(client: Client) -> None:
    assert client("role.get_by_name_label", "session.change_password") == []


def test_a_reference_that_is_no_role_s(client: Client) -> None:
    for call, given, answer in (
        ("role.get_record", "OpaqueRef:nothing", ["HANDLE_INVALID", "role", "OpaqueRef:nothing"]),
        ("role.get_by_uuid", "nothing", ["UUID_INVALID", "role", "nothing"]),
    ):
        with pytest.raises(Failure) as caught:
            client(call, given)
        assert caught.value.description == answer


def test_an_old_release_knows_fewer_calls_and_no_internal_ones() -> None:
    estate: Estate = world.estate(release="cream")
    try:
        old = Client(estate)
        (record,) = [row for row in old("role.get_all_records").values() if row["name_label"] == "pool-admin"]
        assert "is_internal" not in record
        assert old("role.get_by_name_label", "pool_update.apply") == []
    finally:
        estate.close()


# --- accounts that have one -------------------------------------------------------------------------------------------


@pytest.fixture
def directory() -> Iterator[Estate]:
    estate = world.estate(accounts={"watcher": "read-only", "owner": "pool-admin"})
    yield estate
    estate.close()


def test_an_account_may_what_its_role_may(directory: Estate) -> None:
    root, watcher = Client(directory), Client(directory, username="watcher")
    assert watcher("session.get_is_local_superuser", watcher.session) is False
    assert set(watcher("session.get_rbac_permissions", watcher.session)) == may(root, "read-only")
    subject = watcher("session.get_subject", watcher.session)
    assert watcher("subject.get_roles", subject) == [role(root, "read-only")]
    assert watcher("VM.get_all") == root("VM.get_all")
    vm = root("VM.get_all")[0]
    for call in ("VM.set_name_description", "Async.VM.set_name_description"):
        with pytest.raises(Failure) as caught:
            watcher(call, vm, "mine")
        code, permission, told = caught.value.description
        assert (code, permission) == ("RBAC_PERMISSION_DENIED", "vm.set_name_description")
        assert told == "No permission in user session. (Roles with this permission: " + ", ".join(ORDER[:4]) + ")"
    Client(directory, username="owner")("VM.set_name_description", vm, "mine")


def test_even_the_highest_role_is_not_root(directory: Estate) -> None:
    with pytest.raises(Failure, match="RBAC_PERMISSION_DENIED"):
        Client(directory, username="owner")("session.change_password", world.PASSWORD, "another")


def test_what_is_wrong_with_a_call_comes_before_who_may(directory: Estate) -> None:
    watcher = Client(directory, username="watcher")
    with pytest.raises(Failure, match="MESSAGE_PARAMETER_COUNT_MISMATCH"):
        watcher("VM.start")
    with pytest.raises(Failure, match="RBAC_PERMISSION_DENIED"):
        watcher("VM.start", "OpaqueRef:nothing", False, False)


def test_an_account_that_is_no_subject_any_more_is_refused(directory: Estate) -> None:
    root = Client(directory)
    for subject in root("subject.get_all"):
        root("subject.destroy", subject)
    with pytest.raises(Failure, match="SESSION_AUTHENTICATION_FAILED"):
        Client(directory, username="watcher")
