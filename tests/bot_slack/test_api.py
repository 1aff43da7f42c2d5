"""What a failed call means: refused, not now, nothing sent, or in doubt. And no call is sent twice by itself."""

from __future__ import annotations

import ast
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk import WebClient

import bot.slack
from bot.slack.api import METHODS, Api, InDoubt, RateLimited, Refused, Unreachable, retry_after, web_client
from sandbox.slack import RunningWorkspace, Settings, start

NAME = re.compile(r"(apps|auth|chat|conversations|files|usergroups|users|views)\.[a-zA-Z.]+")


@pytest.fixture(scope="module")
def slack() -> Iterator[RunningWorkspace]:
    with start(Settings()) as running:
        yield running


@pytest.fixture
def api(slack: RunningWorkspace) -> Api:
    slack.fault("clear")
    return Api(web_client(slack.bot_token, slack.api, 2))


@pytest.mark.parametrize("fault", ["error_500", "not_json", "drop_after", "drop_before"])
def test_in_doubt(api: Api, slack: RunningWorkspace, fault: str) -> None:
    before = slack.calls().get("chat.postMessage", 0)
    slack.fault(fault, method="chat.postMessage", count=1)
    with pytest.raises(InDoubt):
        api.call("chat.postMessage", channel="C0INFRA", text="x")
    assert slack.calls().get("chat.postMessage", 0) - before == (0 if fault == "drop_before" else 1)


def test_a_call_that_takes_too_long_is_in_doubt(slack: RunningWorkspace) -> None:
    slack.fault("delay", method="chat.postMessage", count=1, seconds=3)
    with pytest.raises(InDoubt):
        Api(web_client(slack.bot_token, slack.api, 1)).call("chat.postMessage", channel="C0INFRA", text="x")


def test_refused(api: Api) -> None:
    with pytest.raises(Refused) as raised:
        api.call("chat.postMessage", channel="C0RANDOM", text="x")
    assert raised.value.code == "not_in_channel"


def test_a_refusal_of_blocks_says_where(api: Api) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    with pytest.raises(Refused, match=r"json-pointer:/blocks/0"):
        api.call("chat.postMessage", channel="C0INFRA", text="x", blocks=blocks)


def test_a_missing_scope_is_named() -> None:
    with start(Settings(scopes=("chat:write",))) as slack, pytest.raises(Refused) as raised:
        Api(web_client(slack.bot_token, slack.api, 2)).call("users.info", user="U0ANA")
    assert (raised.value.code, raised.value.needed) == ("missing_scope", "users:read")


def test_rate_limited(api: Api, slack: RunningWorkspace) -> None:
    slack.fault("rate_limit", method="chat.update", count=1, seconds=17)
    with pytest.raises(RateLimited) as raised:
        api.call("chat.update", channel="C0INFRA", ts="1.1", text="x")
    assert raised.value.seconds == 17


def test_nothing_was_sent_when_no_connection_came_about() -> None:
    with socket.socket() as deaf:  # bound, so that nobody else listens there; not listening, so that it refuses
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable):
            Api(web_client("xoxb-x", f"http://127.0.0.1:{deaf.getsockname()[1]}/api/", 1)).call("auth.test")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "3"}, 3), ({"retry-after": ["7"]}, 7), ({}, 30), (None, 30), ({"Retry-After": "soon"}, 30)],
)
def test_retry_after(headers: dict[str, object] | None, seconds: float) -> None:
    assert retry_after(headers) == seconds


def test_a_client_that_sends_again_by_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="must not retry"):
        Api(WebClient("xoxb-x"))


def test_a_method_that_the_manifest_does_not_know_of_cannot_be_called(api: Api) -> None:
    with pytest.raises(KeyError):
        api.call("chat.delete", channel="C0INFRA", ts="1.1")


def test_every_method_is_called_through_the_one_place_and_none_is_asked_for_in_vain() -> None:
    """The methods named in the room's calls are those of METHODS (the socket client opens its connection itself)."""
    called = set()
    for path in Path(bot.slack.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            word = node.value if isinstance(node, ast.Constant) else None
            if isinstance(word, str) and NAME.fullmatch(word):
                called.add((path.name, word))
    elsewhere = {method for name, method in called if name != "api.py"}
    assert elsewhere == set(METHODS) - {"apps.connections.open"}
