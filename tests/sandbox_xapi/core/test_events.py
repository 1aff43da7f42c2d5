"""event.from, inject, register and next."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from sandbox.xapi.failure import Failure
from tests.sandbox_xapi.core.world import Client, ref


def kinds(answer: dict[str, Any], cls: str) -> list[tuple[str, str]]:
    return [(e["operation"], e["ref"]) for e in answer["events"] if e["class"] == cls]


def test_everything_comes_first_then_only_changes(client: Client) -> None:
    first = client("event.from", ["VM", "HOST"], "", 5)
    assert len(kinds(first, "vm")) == len(client("VM.get_all"))
    # The coordinator's own record is as old as the database.
    assert sorted(op for op, _ in kinds(first, "host")) == ["add", "add", "mod"]
    client("VM.set_name_description", ref("web"), "a")
    client("VM.set_name_description", ref("web"), "b")
    second = client("event.from", ["vm"], first["token"], "5")
    assert kinds(second, "vm") == [("mod", ref("web"))]
    assert second["events"][0]["snapshot"]["name_description"] == "b"
    assert second["events"][0]["timestamp"] == "0.0"
    assert second["valid_ref_counts"]["host"] == 3


def test_one_write_changes_both_ends_of_a_relation(client: Client) -> None:
    token = client("event.from", ["*"], "", 5)["token"]
    network = client("network.create", {"name_label": "x", "name_description": "", "other_config": {}})
    vif = {"VM": ref("spare"), "network": network, "device": "3", "MAC": "", "MTU": 1500, "other_config": {},
           "qos_algorithm_type": "", "qos_algorithm_params": {}}  # fmt: skip
    made = client("VIF.create", vif)
    seen = client("event.from", ["VM", "VIF", "network"], token, 5)
    assert kinds(seen, "vif") == [("add", made)]
    assert kinds(seen, "vm") == [("mod", ref("spare"))]
    assert made in client("network.get_VIFs", network)
    client("VIF.destroy", made)
    assert made not in client("VM.get_VIFs", ref("spare"))


def test_what_was_made_and_destroyed_between_two_polls_leaves_no_trace(client: Client) -> None:
    token = client("event.from", ["network"], "", 5)["token"]
    known = client("network.create", {"name_label": "x", "name_description": "", "other_config": {}})
    client("network.destroy", known)
    assert client("event.from", ["network"], token, 0.05)["events"] == []
    kept = client("network.create", {"name_label": "y", "name_description": "", "other_config": {}})
    token = client("event.from", ["network"], token, 5)["token"]
    client("network.destroy", kept)
    answer = client("event.from", ["network"], token, 5)
    assert kinds(answer, "network") == [("del", kept)]
    assert "snapshot" not in answer["events"][0]


@pytest.mark.parametrize("classes", [["nosuch"], [], [""], ["pool/OpaqueRef:nope"]])
def test_nothing_to_say_waits_for_the_timeout(client: Client, classes: list[str]) -> None:
    begin = time.monotonic()
    answer = client("event.from", classes, "", 0.2)
    assert time.monotonic() - begin >= 0.2
    assert answer["events"] == []
    assert answer["token"] == f"{0:020d},{0:020d}"


@pytest.mark.parametrize("token", ["garbage", "1,2,3", "99999999999999999999,0", "1"])
def test_a_token_that_does_not_parse(client: Client, token: str) -> None:
    with pytest.raises(Failure) as caught:
        client("event.from", ["VM"], token, 1)
    assert caught.value.description == ["EVENT_FROM_TOKEN_PARSE_FAILURE", token]


def test_only_the_newest_deletions_are_remembered(client: Client) -> None:
    refs = [client("VM_appliance.create", {"name_label": str(n), "name_description": ""}) for n in range(600)]
    token = client("event.from", ["VM_appliance"], "", 5)["token"]
    for appliance in refs:
        client("VM_appliance.destroy", appliance)
    seen = kinds(client("event.from", ["VM_appliance"], token, 5), "vm_appliance")
    assert 256 <= len(seen) <= 511
    assert seen[0] == ("del", refs[-1])


def test_a_change_wakes_a_waiting_call(client: Client) -> None:
    token = client("event.from", ["pool"], "", 5)["token"]
    answers: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(client("event.from", ["pool"], token, 30)))
    waiting.start()
    client("pool.set_name_description", ref("pool"), "now")
    waiting.join(10)
    assert kinds(answers[0], "pool") == [("mod", ref("pool"))]


def test_the_end_of_the_session_wakes_a_waiting_call(client: Client) -> None:
    token = client("event.from", ["pool"], "", 5)["token"]
    caught: list[list[str]] = []

    def wait() -> None:
        try:
            client("event.from", ["pool"], token, 30)
        except Failure as failure:
            caught.append(failure.description)

    waiting = threading.Thread(target=wait)
    waiting.start()
    client("session.logout")
    waiting.join(10)
    assert caught == [["SESSION_INVALID", client.session]]


def test_messages_have_their_own_half_of_the_token(client: Client) -> None:
    token = client("event.from", ["message"], "", 0.05)["token"]
    made = client("message.create", "X", 1, "Pool", client("pool.get_uuid", ref("pool")), "text")
    answer = client("event.from", ["message"], token, 5)
    assert kinds(answer, "message") == [("add", made)]
    assert answer["events"][0]["id"] == "0"
    assert not answer["token"].endswith("," + "0" * 20)
    assert client("event.from", ["pool"], "", 5)["token"].endswith("," + "0" * 20)


def test_inject_gives_the_token_just_before(client: Client) -> None:
    token = client("event.inject", "pool", ref("pool"))
    assert kinds(client("event.from", ["pool"], token, 5), "pool") == [("mod", ref("pool"))]
    with pytest.raises(Failure) as caught:
        client("event.inject", "vm", ref("web"))
    assert caught.value.description == ["HANDLE_INVALID", "vm", ref("web")]


def test_the_old_queue(client: Client) -> None:
    with pytest.raises(Failure) as caught:
        client("event.next")
    assert caught.value.code == "SESSION_NOT_REGISTERED"
    client("event.register", ["pool"])
    client("pool.set_name_description", ref("pool"), "x")
    events = client("event.next")
    assert [(e["id"], e["operation"]) for e in events] == [("0", "mod")]
