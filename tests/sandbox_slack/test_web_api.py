"""What all Web API methods share: tokens, scopes, encodings, rate limits and bad days."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from sandbox.slack import RunningWorkspace
from tests.sandbox_slack.conftest import StartWorkspace, client_of, texts

JSON = dict[str, Any]


def error_of(call: Any, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**args)
    return str(refused.value.response["error"])


def raw(workspace: RunningWorkspace, method: str, body: bytes, kind: str, token: str | None = None) -> JSON:
    headers = {"Content-Type": kind, "Authorization": f"Bearer {token or workspace.bot_token}"}
    request = urllib.request.Request(workspace.api + method, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request) as response:
        answer: JSON = json.loads(response.read())
    return answer


def test_auth_test(workspace: RunningWorkspace, client: WebClient) -> None:
    answer = client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0EXAMPLE", "U0XENIA", "B0XENIA")
    assert (answer["team"], answer["user"], answer["is_enterprise_install"]) == ("Example Infra", "xenia", False)
    assert "chat:write" in answer.headers["x-oauth-scopes"]


def test_tokens(workspace: RunningWorkspace) -> None:
    def client(token: str | None) -> WebClient:
        return WebClient(token, base_url=workspace.api)

    assert error_of(client(None).auth_test) == "not_authed"
    assert error_of(client("xoxb-wrong").auth_test) == "invalid_auth"
    assert error_of(client(workspace.app_token).auth_test) == "not_allowed_token_type"
    assert error_of(client(workspace.bot_token).api_call, api_method="chat.postMesage") == "unknown_method"


def test_what_is_nested_too_deeply_is_refused(client: WebClient) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    post = {"channel": "C0INFRA", "text": "x"}
    assert error_of(client.chat_postMessage, **post, blocks=deep) == "invalid_blocks_format"
    assert error_of(client.chat_postMessage, **post, metadata=deep) == "invalid_metadata_format"
    assert error_of(client.views_publish, user_id="U0OLGA", view=deep) == "invalid_arguments"
    upload = {"api_method": "files.completeUploadExternal", "json": {"files": deep}}
    assert error_of(client.api_call, **upload) == "invalid_arguments"


def test_arguments_may_come_as_multipart(workspace: RunningWorkspace) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    body = part % (b"channel", b"C0INFRA") + part % (b"text", "Grüße".encode()) + b"--x--\r\n"
    assert raw(workspace, "chat.postMessage", body, "multipart/form-data; boundary=x")["message"]["text"] == "Grüße"
    assert raw(workspace, "auth.test", b"--y", "multipart/form-data")["error"] == "invalid_form_data"


def test_the_headers_tell_a_tokens_scopes_and_nobody_elses(workspace: RunningWorkspace) -> None:
    def told(token: str) -> str | None:
        request = urllib.request.Request(workspace.api + "auth.test", b"", {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as response:
            found: str | None = response.headers["x-oauth-scopes"]
        return found

    assert "chat:write" in (told(workspace.bot_token) or "")
    assert told(workspace.app_token) == "connections:write"
    assert told("xoxb-wrong") is None


def test_api_test_needs_no_token_and_says_back_what_it_was_given(workspace: RunningWorkspace) -> None:
    client = WebClient(base_url=workspace.api)
    assert client.api_test(foo="bar").data == {"ok": True, "args": {"foo": "bar"}}
    with pytest.raises(SlackApiError) as refused:
        client.api_test(error="my_error", foo="bar")
    answer = {"ok": False, "error": "my_error", "args": {"error": "my_error", "foo": "bar"}}
    assert refused.value.response.data == answer


def test_a_token_may_come_in_the_form(workspace: RunningWorkspace) -> None:
    request = urllib.request.Request(workspace.api + "auth.test", data=f"token={workspace.bot_token}".encode())
    with urllib.request.urlopen(request) as response:
        assert json.loads(response.read())["ok"] is True


@pytest.mark.parametrize(
    ("method", "args", "needed"),
    [
        ("chat_postMessage", {"channel": "C0INFRA", "text": "x"}, "chat:write"),
        ("conversations_info", {"channel": "C0INFRA"}, "channels:read"),
        ("conversations_history", {"channel": "C0OPSPRIVATE"}, "channels:history"),
        ("users_info", {"user": "U0ANA"}, "users:read"),
        ("usergroups_users_list", {"usergroup": "S0APPROVERS"}, "usergroups:read"),
        ("files_getUploadURLExternal", {"filename": "a", "length": 1}, "files:write"),
        ("reactions_add", {"channel": "C0INFRA", "timestamp": "1.000000", "name": "a"}, "reactions:write"),
        ("pins_add", {"channel": "C0INFRA", "timestamp": "1.000000"}, "pins:write"),
        ("conversations_join", {"channel": "C0RANDOM"}, "channels:join"),
        ("conversations_open", {"users": "U0ANA"}, "im:write"),
    ],
)
def test_a_missing_scope_is_named(workspace_with: StartWorkspace, method: str, args: JSON, needed: str) -> None:
    client = client_of(workspace_with(scopes=("commands",)))
    with pytest.raises(SlackApiError) as refused:
        getattr(client, method)(**args)
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == needed
    assert refused.value.response["provided"] == "commands"


def test_each_family_of_conversations_has_its_scope(workspace_with: StartWorkspace) -> None:
    client = client_of(workspace_with(scopes=("channels:history", "channels:read", "chat:write")))
    client.conversations_history(channel="C0INFRA")
    for channel, needed in [("C0OPSPRIVATE", "groups:history"), ("D0ANA", "im:history")]:
        with pytest.raises(SlackApiError) as refused:
            client.conversations_history(channel=channel)
        assert refused.value.response["needed"] == needed


def test_bodies_that_cannot_be_read(workspace: RunningWorkspace) -> None:
    for body, kind, error in [
        (b"{", "application/json; charset=utf-8", "invalid_json"),
        (b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json; charset=utf-8", "invalid_json"),
        (b"[]", "application/json; charset=utf-8", "json_not_object"),
        (b"<a/>", "text/xml", "invalid_post_type"),
        (b"{}", "application/json; charset=utf-8", "invalid_arguments"),
    ]:
        assert raw(workspace, "chat.postMessage", body, kind)["error"] == error


def test_warnings_about_charsets(workspace: RunningWorkspace) -> None:
    body = b'{"channel":"C0INFRA","text":"x"}'
    answer = raw(workspace, "chat.postMessage", body, "application/json")
    assert (answer["warning"], answer["response_metadata"]["warnings"]) == ("missing_charset", ["missing_charset"])
    form = raw(workspace, "conversations.info", b"channel=C0INFRA", "application/x-www-form-urlencoded; charset=utf-8")
    assert form["warning"] == "superfluous_charset"


def test_missing_arguments_are_named(client: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.api_call("conversations.info")
    assert refused.value.response["error"] == "invalid_arguments"
    assert refused.value.response["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


# --- rate limits --------------------------------------------------------------------------------------------------


def test_a_tiers_minute(workspace: RunningWorkspace, client: WebClient) -> None:
    for _ in range(20):
        client.users_list()
    with pytest.raises(SlackApiError) as refused:
        client.users_list()
    assert refused.value.response.status_code == 429
    assert refused.value.response["error"] == "ratelimited"
    wait = int(refused.value.response.headers["Retry-After"])
    assert 0 < wait <= 60
    client.users_info(user="U0ANA")
    workspace.advance(wait)
    client.users_list()


def test_a_channel_takes_one_message_a_second_after_a_burst(workspace: RunningWorkspace, client: WebClient) -> None:
    for number in range(10):
        client.chat_postMessage(channel="C0INFRA", text=str(number))
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C0INFRA", text="one too many")
    assert refused.value.response.headers["Retry-After"] == "1"
    client.chat_postMessage(channel="C0LAB", text="elsewhere")
    workspace.advance(1)
    client.chat_postMessage(channel="C0INFRA", text="10")
    assert texts(workspace.messages("#infra")) == [str(number) for number in range(11)]


def test_the_sdks_own_handler_waits_as_told(workspace_with: StartWorkspace) -> None:
    workspace = workspace_with()
    workspace.fault("rate_limit", method="auth.test", seconds=1)
    client = WebClient(workspace.bot_token, base_url=workspace.api, retry_handlers=[RateLimitErrorRetryHandler()])
    started = time.monotonic()
    assert client.auth_test()["ok"]
    assert time.monotonic() - started >= 1
    assert workspace.calls() == {"auth.test": 2}


def test_rate_limits_can_be_switched_off(workspace_with: StartWorkspace) -> None:
    workspace = workspace_with(switches={"rate_limits": False})
    client = client_of(workspace)
    for number in range(30):
        client.chat_postMessage(channel="C0INFRA", text=str(number))
    assert len(workspace.messages("#infra")) == 30


# --- bad days -----------------------------------------------------------------------------------------------------


def test_faults_meet_the_method_they_name_as_often_as_told(workspace: RunningWorkspace, client: WebClient) -> None:
    workspace.fault("rate_limit", method="chat.postMessage", count=2, seconds=7)
    client.auth_test()
    for _ in range(2):
        with pytest.raises(SlackApiError) as refused:
            client.chat_postMessage(channel="C0INFRA", text="x")
        assert refused.value.response.headers["Retry-After"] == "7"
    client.chat_postMessage(channel="C0INFRA", text="at last")
    assert texts(workspace.messages("#infra")) == ["at last"]


@pytest.mark.parametrize(("what", "status"), [("error_500", 500), ("not_json", 200)])
def test_answers_that_are_no_answers(workspace: RunningWorkspace, client: WebClient, what: str, status: int) -> None:
    workspace.fault(what, method="chat.postMessage")
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C0INFRA", text="x")
    assert refused.value.response.status_code == status
    assert workspace.messages("#infra") == []


def test_the_sdks_default_retry_posts_twice_when_the_answer_is_lost(workspace: RunningWorkspace) -> None:
    """The reason why a bot must switch it off: the first post has taken effect."""
    workspace.fault("drop_after", method="chat.postMessage")
    WebClient(workspace.bot_token, base_url=workspace.api).chat_postMessage(channel="C0INFRA", text="once?")
    assert texts(workspace.messages("#infra")) == ["once?", "once?"]
    assert workspace.calls()["chat.postMessage"] == 2


@pytest.mark.parametrize(("what", "posted"), [("drop_before", []), ("drop_after", ["x"])])
def test_a_connection_cut_before_or_after(
    workspace: RunningWorkspace, client: WebClient, what: str, posted: list[str]
) -> None:
    workspace.fault(what, method="chat.postMessage")
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        client.chat_postMessage(channel="C0INFRA", text="x")
    assert texts(workspace.messages("#infra")) == posted
    assert workspace.calls().get("chat.postMessage", 0) == len(posted)


@pytest.mark.parametrize(("what", "posted"), [("drop_before", 0), ("drop_after", 1)])
def test_a_response_url_is_cut_as_well(workspace: RunningWorkspace, what: str, posted: int) -> None:
    path = workspace.run(lambda: workspace.workspace.grants.new_response_url("commands", "U0OLGA", "C0INFRA"))
    workspace.fault(what, method="response_url")
    hook = WebhookClient(workspace.base + path, retry_handlers=[])
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        hook.send(text="x")
    assert len(workspace.messages("#infra", "olga")) == posted
    workspace.fault("rate_limit", method="response_url", seconds=5)
    limited = hook.send(text="x")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "5")
    assert json.loads(limited.body)["error"] == "rate_limited"
    assert hook.send(text="x").status_code == 200


def test_a_slow_answer(workspace: RunningWorkspace) -> None:
    workspace.fault("delay", method="chat.postMessage", seconds=3)
    client = WebClient(workspace.bot_token, base_url=workspace.api, timeout=1, retry_handlers=[])
    with pytest.raises(TimeoutError):
        client.chat_postMessage(channel="C0INFRA", text="it was taken")
    assert texts(workspace.messages("#infra")) == ["it was taken"]
