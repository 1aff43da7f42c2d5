"""Tokens, the right workspace and app, and the two ways in which Slack reaches the bot."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.errors import Unavailable
from bot.slack.app import connect
from bot.slack.gate import Gate
from bot.slack.http_mode import PATH, HttpMode
from bot.slack.settings import SlackSettings
from bot.slack.transport import SocketMode
from sandbox.slack import Settings, start
from tests.bot_slack.conftest import BringUp, Team, settings_for
from tests.bot_slack.shown import words

JSON = dict[str, Any]


# --- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bot_token": lambda: ""}, "bot token is missing"),
        ({"bot_token": lambda: "xapp-1-x"}, "bot token does not begin with xoxb-"),
        ({"bot_token": lambda: "xoxb-wrong"}, "does not take the bot token"),
        ({"bot_token": lambda: "xoxb-x\n"}, "characters that no token has"),
        ({"app_token": None}, "app-level token is missing"),
        ({"app_token": lambda: "xoxb-x"}, "app-level token does not begin"),
        ({"team_id": "T0OTHER"}, "for the workspace T0EXAMPLE, the configuration says T0OTHER"),
        ({"mode": "http", "signing_secret": lambda: ""}, "signing secret"),
        ({"base_url": "http://127.0.0.1:9/api/"}, "cannot be reached"),
    ],
)
def test_a_token_that_cannot_work_is_told_at_once(changes: JSON, why: str) -> None:
    with start(Settings()) as slack, pytest.raises(Unavailable, match=why) as raised:
        connect(settings_for(slack, **changes))
    assert "xoxb-wrong" not in f"{raised.value.message}{raised.value.evidence}{raised.value.remedy}"


def test_a_wrong_app_token_is_told_when_listening_begins(bring_up: BringUp) -> None:
    with pytest.raises(Unavailable, match="does not let the bot listen") as raised:
        bring_up(bot={"app_token": lambda: "xapp-1-A0XENIA-0-wrong"})
    assert raised.value.evidence == ("Slack says invalid_auth",)


def test_a_missing_scope_is_logged_with_what_will_not_work(caplog: pytest.LogCaptureFixture) -> None:
    scopes = tuple(each for each in Settings().scopes if each != "usergroups:read")
    with start(Settings(scopes=scopes)) as slack:
        connect(settings_for(slack))
    (record,) = [one for one in caplog.records if "lacks the scope" in one.getMessage()]
    assert "usergroups:read: members of user groups" in record.getMessage()


def test_oauth_settings_in_the_environment_change_nothing(bring_up: BringUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "secret")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-another")
    team = bring_up()
    team.slack.say("olga", "#infra", "/xen pool status")
    assert words(team.answer("#infra", "olga")["blocks"]) == "you said pool status"


@pytest.mark.parametrize(
    ("token", "app_id"), [("xapp-1-A0B1C2-123-abc", "A0B1C2"), ("xapp-1-sandbox-abc", ""), ("xapp-1-A0B1C2", "")]
)
def test_the_app_is_known_from_its_token(token: str, app_id: str) -> None:
    assert SlackSettings(bot_token=lambda: "", app_token=lambda: token).pinned_app() == app_id


# --- the gate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "let_in"),
    [
        ({"team_id": "T1", "api_app_id": "A1", "command": "/xen"}, True),
        ({"team": {"id": "T1"}, "user": {"team_id": "T2"}, "api_app_id": "A1", "type": "block_actions"}, True),
        ({"team_id": "T2", "api_app_id": "A1", "command": "/xen"}, False),
        ({"team": {"id": "T2"}, "user": {"team_id": "T1"}, "api_app_id": "A1", "type": "block_actions"}, False),
        ({"team": None, "api_app_id": "A1", "type": "block_actions"}, False),
        ({"team_id": "T1", "api_app_id": "A2", "command": "/xen"}, False),
        ({"team_id": "T1", "command": "/xen"}, False),
        ({}, False),
        ({"type": "url_verification", "challenge": "x"}, True),
    ],
)
def test_the_gate(body: JSON, let_in: bool, caplog: pytest.LogCaptureFixture) -> None:
    passed: list[bool] = []
    forged: list[str] = []
    response = Gate("T1", "A1", forged.append)(body, lambda: passed.append(True))  # type: ignore[arg-type, return-value]
    assert bool(passed) == let_in != bool(forged)
    if not let_in:
        assert response.status == 403
        assert "refused" in caplog.text


def test_a_payload_of_another_app_reaches_nobody(bring_up: BringUp) -> None:
    team = bring_up(bot={"app_id": "A0OTHER"})
    assert "error" in team.slack.say("olga", "#infra", "/xen pool status")
    assert team.desk.started == []


# --- HTTP -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def http(bring_up: BringUp) -> Team:
    """The bot takes any free port, then Slack is told the address: a port chosen before could be taken meanwhile."""
    team = bring_up(bot={"mode": "http", "http_port": 0}, request_url="http://127.0.0.1:9/")
    assert isinstance(team.bot.transport, HttpMode)
    assert team.slack.workspace.http
    team.slack.workspace.http.request_url = f"http://127.0.0.1:{team.bot.transport.port}{PATH}"
    return team


def post(team: Team, body: str, *, secret: str = "", path: str = PATH, at: float | None = None) -> tuple[int, str]:
    transport = team.bot.transport
    assert isinstance(transport, HttpMode)
    stamp = str(int(at if at is not None else time.time()))
    signature = SignatureVerifier(secret or team.slack.signing_secret).generate_signature(timestamp=stamp, body=body)
    request = urllib.request.Request(
        f"http://127.0.0.1:{transport.port}{path}",
        data=body.encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature or "",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def command(text: str, **changes: str) -> str:
    fields = {
        "team_id": "T0EXAMPLE",
        "channel_id": "C0INFRA",
        "user_id": "U0OLGA",
        "user_name": "olga",
        "command": "/xen",
        "text": text,
        "api_app_id": "A0XENIA",
        "trigger_id": f"1.2.{text.encode().hex()}",
    }
    return urllib.parse.urlencode({**fields, **changes})


def test_commands_forms_and_mentions_work_over_http(http: Team) -> None:
    http.slack.say("olga", "#infra", "/xen pool status")
    assert words(http.answer("#infra", "olga")["blocks"]) == "you said pool status"
    http.slack.say("olga", "#infra", "/xen vm migrate")
    assert http.view("olga")["view"]["title"]["text"] == "vm migrate"
    ts = http.slack.say("olga", "#infra", "@xenia pool list")["ts"]
    assert words(http.answer("#infra", "ana", ts)["blocks"]) == "you said pool list"


def test_a_port_that_is_taken_is_told(bring_up: BringUp) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="Nothing can listen for Slack") as raised:
            bring_up(bot={"mode": "http", "http_port": taken.getsockname()[1]})
    assert "in use" in raised.value.evidence[0]
    assert "slack.http_port" in raised.value.remedy


def test_it_is_known_whether_deliveries_can_arrive_over_http(http: Team) -> None:
    assert http.bot.connected()
    http.bot.close()
    assert not http.bot.connected()


def test_it_is_known_whether_deliveries_can_arrive_over_the_socket(bring_up: BringUp) -> None:
    team = bring_up()
    assert team.bot.connected()
    team.bot.close()
    assert not team.bot.connected()


def test_its_receiver_cannot_take_back_that_it_is_over(team: Team) -> None:
    """As slack_sdk's does when it has just begun to receive while it is being closed; then it was waited for without
    end.
    """
    assert isinstance(team.bot.transport, SocketMode)
    client = team.bot.transport.client
    before = client.current_session_state
    team.bot.close()
    client.current_session_state.terminated = False
    assert client.current_session_state.terminated
    assert before.terminated


def test_slack_can_verify_the_address(http: Team) -> None:
    assert http.slack.verify_request_url()


def test_the_acknowledgement_comes_before_the_work_over_http(http: Team) -> None:
    http.desk.hold()
    assert post(http, command("pool status"))[0] == 200
    assert http.desk.asks == []
    http.desk.release()
    http.slack.wait_until(lambda: http.desk.asks)


@pytest.mark.parametrize("text", ["show payload", "payload=1", "payload", "x&payload=%7B%7D"])
def test_a_command_that_says_payload_is_heard_over_http(http: Team, text: str) -> None:
    assert post(http, command(text))[0] == 200
    http.slack.wait_until(lambda: http.desk.asks)
    assert http.desk.asks[0].text == text


def test_a_bad_signature_an_old_one_and_a_missing_one_are_refused(http: Team) -> None:
    assert post(http, command("pool status"), secret="another")[0] == 401
    assert post(http, command("show payload"), secret="another")[0] == 401
    assert post(http, command("pool status"), at=time.time() - 400)[0] == 401
    assert http.desk.started == []


def test_another_workspace_is_refused_over_http(http: Team) -> None:
    status, body = post(http, command("pool status", team_id="T0OTHER"))
    assert (status, json.loads(body)) == (403, {"error": "not for this workspace"})
    assert http.desk.started == []


def test_a_copied_request_is_carried_out_once(http: Team) -> None:
    body = command("pool status")
    assert [post(http, body)[0] for _ in range(3)] == [200, 200, 200]
    http.slack.wait_until(lambda: len(http.desk.started) == 3)
    assert len(http.desk.asks) == 1


def test_other_addresses_are_not_answered(http: Team) -> None:
    assert post(http, command("pool status"), path="/")[0] == 404


@pytest.mark.parametrize("length", ["", "-1", "²", "1_0", "9" * 5000, str(5 * 1024 * 1024)])
def test_a_length_that_is_none_is_refused(http: Team, length: str) -> None:
    transport = http.bot.transport
    assert isinstance(transport, HttpMode)
    with socket.create_connection(("127.0.0.1", transport.port), timeout=30) as line:
        line.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode("latin-1"))
        assert line.recv(1000).split()[1:2] == [b"413"]
