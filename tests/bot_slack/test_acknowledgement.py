"""The acknowledgement leaves before the work starts: in every transport, for every kind of payload, under load."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from bot.slack.transport import SocketMode
from bot.slack.workers import acknowledging, after_ack
from tests.bot_slack.conftest import Team

JSON = dict[str, Any]
MANY = 50
WORK_SECONDS = 5.0


@pytest.fixture
def order(team: Team, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Acknowledgements as they leave, and work as it starts, each under its trigger id."""
    noted: list[tuple[str, str]] = []
    triggers: dict[str, str] = {}
    transport = team.bot.transport
    assert isinstance(transport, SocketMode)
    client, handle = transport.client, transport.handle
    send = client.send_socket_mode_response

    def handling(socket: Any, request: Any) -> None:
        triggers[request.envelope_id] = str(request.payload.get("trigger_id"))
        handle(socket, request)

    def sending(response: Any) -> None:
        send(response)
        noted.append(("ack", triggers[response.envelope_id]))

    client.socket_mode_request_listeners[:] = [handling]
    monkeypatch.setattr(client, "send_socket_mode_response", sending)
    first = team.desk._first

    def working(key: str, *, holds: bool = True) -> bool:
        noted.append(("work", key.removeprefix("slack:")))
        return first(key, holds=holds)

    monkeypatch.setattr(team.desk, "_first", working)
    return noted


def test_fifty_commands_at_once_are_acknowledged_while_the_desk_is_busy(
    team: Team, order: list[tuple[str, str]]
) -> None:
    team.desk.hold()
    begun = time.monotonic()
    with ThreadPoolExecutor(MANY) as pool:
        said = [pool.submit(team.slack.say, "olga", "#infra", f"/xen vm show {number}") for number in range(MANY)]
        done, late = wait(said, timeout=3 * WORK_SECONDS)
    assert not late
    assert team.desk.asks == []  # nothing has been answered, and yet
    assert all("error" not in one.result() and one.result()["acknowledged"] for one in done)
    while time.monotonic() - begun < WORK_SECONDS:  # the desk takes that long for each
        time.sleep(0.1)
    team.desk.release()
    team.slack.wait_until(lambda: len(team.desk.asks) == MANY, timeout=30)
    acknowledged = {trigger for what, trigger in order if what == "ack"}
    assert len(acknowledged) == MANY
    for what, trigger in order:
        if what == "work":
            assert order.index(("ack", trigger)) < order.index(("work", trigger))


def test_a_form_opens_in_time_while_all_workers_are_busy(team: Team) -> None:
    team.desk.hold()
    for number in range(team.workspace.settings.workers + 5):
        team.slack.say("olga", "#infra", f"/xen vm show {number}")
    assert "error" not in team.slack.say("ana", "#infra", "/xen vm migrate")
    assert team.view("ana")["view"]["title"]["text"] == "vm migrate"


def test_forms_that_wait_for_pools_do_not_keep_others_from_opening(team: Team) -> None:
    team.desk.hold()
    opened: set[str] = set()
    for number in range(12):  # more than there are quick threads
        who = ("olga", "ana", "ben", "sam")[number % 4]
        assert "error" not in team.slack.say(who, "#infra", "/xen vm migrate")

        def anew(who: str = who) -> list[str]:
            return [one["id"] for one in team.slack.views(who)["views"] if one["id"] not in opened]

        opened.update(team.slack.wait_until(anew))


def test_options_do_not_hold_up_acknowledgements(team: Team) -> None:
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = team.slack.wait_until(
        lambda: [one for one in team.slack.views("olga")["views"] if "external_select" in str(one["view"]["blocks"])]
    )[0]
    team.desk.hold()
    with ThreadPoolExecutor(12) as pool:
        asked = [
            pool.submit(team.slack.options, "olga", view_id=form["id"], block_id="vm", action_id="pick", value="")
            for _ in range(12)
        ]
        team.slack.wait_until(lambda: team.desk.started.count("options") >= 8)
        answer = team.slack.say("ana", "#infra", "/xen pool status")
        assert answer["acknowledged"]
        assert answer["seconds"] < 3
        team.desk.release()
        wait(asked, timeout=10)


def test_work_starts_only_when_the_acknowledgement_is_through() -> None:
    noted: list[str] = []
    with ThreadPoolExecutor(1) as pool, acknowledging():
        after_ack(pool, lambda: noted.append("work"))
        pool.submit(lambda: noted.append("ack")).result(5)
    assert noted == ["ack", "work"]


def test_work_starts_also_when_the_acknowledgement_cannot_be_sent() -> None:
    noted: list[str] = []

    def broken(pool: ThreadPoolExecutor) -> None:
        with acknowledging():
            after_ack(pool, lambda: noted.append("work"))
            raise ConnectionError

    with ThreadPoolExecutor(1) as pool, pytest.raises(ConnectionError):
        broken(pool)
    assert noted == ["work"]


def test_work_cannot_be_noted_outside_a_payload() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError):
        after_ack(pool, lambda: None)
