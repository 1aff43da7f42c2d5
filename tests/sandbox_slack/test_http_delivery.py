"""Signed HTTP delivery to a slack_bolt app behind a small HTTP server on 127.0.0.1."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_sdk.signature import SignatureVerifier

from sandbox.slack import RunningWorkspace, start
from sandbox.slack.http_delivery import signature
from sandbox.slack.settings import Settings
from tests.sandbox_slack.conftest import actions, button, client_of, modal, section, text_input, texts

JSON = dict[str, Any]


class Served:
    """A Bolt app that answers at `url`; `headers` are those of every request, `override` answers instead of the app."""

    def __init__(self) -> None:
        self.app: App | None = None
        self.headers: list[dict[str, str]] = []
        self.bodies: list[str] = []
        self.override: tuple[int, dict[str, str]] | None = None
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                served.headers.append(dict(self.headers))
                served.bodies.append(body)
                if served.override:
                    status, headers, text = *served.override, ""
                else:
                    assert served.app is not None
                    request = BoltRequest(body=body, headers={key: [value] for key, value in self.headers.items()})
                    answer = served.app.dispatch(request)
                    status, text = answer.status, answer.body
                    headers = {key: str(values[0]) for key, values in answer.headers.items()}
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/slack/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def http_workspace(*, clock_scale: float = 1.0) -> Iterator[tuple[RunningWorkspace, Served]]:
    served = Served()
    try:
        with start(Settings(request_url=served.url), clock_scale=clock_scale) as workspace:
            served.app = App(client=client_of(workspace), signing_secret=workspace.signing_secret)
            yield workspace, served
    finally:
        served.close()


def test_a_request_url_is_verified_by_a_challenge() -> None:
    with http_workspace() as (workspace, served):
        assert workspace.verify_request_url() is True
        served.override = (200, {})
        assert workspace.verify_request_url() is False


def test_a_command_is_signed_and_answered_in_the_body() -> None:
    with http_workspace() as (workspace, served):
        assert served.app is not None

        @served.app.command("/xen")
        def xen(ack: Any, body: JSON) -> None:
            ack(f"you said {body['text']}")

        answer = workspace.say("olga", "#infra", '/xen vm show "web 1" & <more>')
        assert answer["acknowledged"]
        assert workspace.messages("#infra", "olga")[1]["text"] == 'you said vm show "web 1" &amp; <more>'
        headers = {key.lower(): value for key, value in served.headers[0].items()}
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        assert SignatureVerifier(workspace.signing_secret).is_valid_request(served.bodies[0], headers)
        assert not SignatureVerifier("another secret").is_valid_request(served.bodies[0], headers)


def test_the_signature_is_slacks_own_example() -> None:
    """Slack docs: verifying-requests-from-slack, its worked example."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == expected


def test_actions_forms_and_events_all_go_to_the_one_url() -> None:
    with http_workspace() as (workspace, served):
        app = served.app
        assert app is not None
        mentioned = threading.Event()

        @app.action("go")
        def go(ack: Any, body: JSON, client: Any) -> None:
            client.views_open(trigger_id=body["trigger_id"], view=modal(text_input("vm"), callback_id="ask"))
            ack()

        @app.view("ask")
        def ask(ack: Any) -> None:
            ack(response_action="errors", errors={"vm": "no such VM"})

        @app.event("app_mention")
        def mention() -> None:
            mentioned.set()

        ts = str(app.client.chat_postMessage(channel="C0INFRA", text="x", blocks=[actions(button("go"))])["ts"])
        assert workspace.press("olga", channel="#infra", ts=ts, action_id="go")["acknowledged"]
        view = workspace.views("olga")["views"][0]
        answer = workspace.submit("olga", view["id"], {"vm": {"value": "web-9"}})
        assert answer == {"ok": False, "errors": {"vm": "no such VM"}}
        workspace.say("olga", "#infra", "@xenia")
        assert mentioned.wait(5)
        assert [body[:8] for body in served.bodies[:2]] == ["payload=", "payload="]


def test_options_of_an_external_select() -> None:
    with http_workspace() as (workspace, served):
        app = served.app
        assert app is not None

        @app.options("vm")
        def offer(ack: Any) -> None:
            ack(options=[{"text": {"type": "plain_text", "text": "web-1"}, "value": "1"}])

        menu = {"type": "external_select", "action_id": "vm", "min_query_length": 0}
        blocks = [section(accessory=menu)]
        ts = str(app.client.chat_postMessage(channel="C0INFRA", text="x", blocks=blocks)["ts"])
        found = workspace.options("olga", channel="#infra", ts=ts, action_id="vm", value="")
        assert [one["value"] for one in found["options"]] == ["1"]


def test_events_are_retried_with_slacks_headers() -> None:
    with http_workspace(clock_scale=20) as (workspace, served):
        served.override = (500, {})
        workspace.say("olga", "#infra", "@xenia")

        def four() -> bool:
            if workspace.workspace.delivery.under_way == 0:
                workspace.advance(100)
            return len(served.headers) >= 4

        assert workspace.wait_until(four)
        retries = [(one.get("X-Slack-Retry-Num"), one.get("X-Slack-Retry-Reason")) for one in served.headers]
        assert retries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


def test_an_app_can_refuse_retries() -> None:
    with http_workspace() as (workspace, served):
        served.override = (500, {"X-Slack-No-Retry": "1"})
        workspace.say("olga", "#infra", "@xenia")
        workspace.wait_until(lambda: served.headers and workspace.workspace.delivery.under_way == 0)
        workspace.advance(1000)
        workspace.wait_until(lambda: workspace.workspace.delivery.under_way == 0)
        assert len(served.headers) == 1


@pytest.mark.parametrize("status", [404, 500])
def test_a_command_that_is_not_answered_with_200_fails(status: int) -> None:
    with http_workspace() as (workspace, served):
        served.override = (status, {})
        assert workspace.say("olga", "#infra", "/xen x")["error"] == '/xen failed with the error "dispatch_failed"'


def test_an_unreachable_app_and_one_that_uses_another_secret() -> None:
    with start(Settings(request_url="http://127.0.0.1:1/slack/events")) as workspace:
        assert workspace.say("olga", "#infra", "/xen x")["error"] == '/xen failed with the error "dispatch_failed"'
    with http_workspace() as (workspace, served):
        served.app = App(client=client_of(workspace), signing_secret="another")
        assert not workspace.say("olga", "#infra", "/xen x")["acknowledged"]
        assert texts(workspace.messages("#infra", "olga")) == ["/xen x"]
