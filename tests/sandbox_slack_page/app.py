"""A small slack_bolt app with a known answer to everything that the page can do."""

import re
import threading
from types import TracebackType
from typing import Any, Self

from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from sandbox.slack.running import RunningWorkspace
from tests.sandbox_slack_page import blocks

JSON = dict[str, Any]


class PageApp:
    """`actions`, `submissions` and `homes` hold the payloads that arrived, in order."""

    def __init__(self, workspace: RunningWorkspace) -> None:
        self.workspace = workspace
        self.client = WebClient(workspace.bot_token, base_url=workspace.api)
        self.actions: list[JSON] = []
        self.submissions: list[JSON] = []
        self.homes: list[JSON] = []
        self._news = threading.Condition()
        self._bolt = App(client=self.client, signing_secret=workspace.signing_secret)
        self._handler = SocketModeHandler(self._bolt, workspace.app_token)
        self._listen()

    def __enter__(self) -> Self:
        self._handler.connect()  # type: ignore[no-untyped-call]  # slack_bolt leaves it without types
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The SDK sits in its receive timeout, 3 s, before it is closed; no test has to wait for that.
        threading.Thread(target=self._handler.close, name="page-app-close").start()

    def post(self, channel: str, text: str, **more: Any) -> str:
        """Post as the app; the new message's ts."""
        answer = self.client.chat_postMessage(channel=self.workspace.channels[channel], text=text, **more)
        return str(answer["ts"])

    def update(self, channel: str, ts: str, text: str, **more: Any) -> None:
        self.client.chat_update(channel=self.workspace.channels[channel], ts=ts, text=text, **more)

    def whisper(self, person: str, channel: str, text: str, **more: Any) -> None:
        """An ephemeral message."""
        people, channels = self.workspace.people, self.workspace.channels
        self.client.chat_postEphemeral(channel=channels[channel], user=people[person], text=text, **more)

    def next_of(self, arrived: list[JSON], count: int = 1, timeout: float = 8.0) -> JSON:
        """The payload that is the `count`th to arrive. Raises TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: len(arrived) >= count, timeout):
                raise TimeoutError(f"{len(arrived)} of {count} arrived")
            return arrived[count - 1]

    def _note(self, arrived: list[JSON], payload: JSON) -> None:
        with self._news:
            arrived.append(payload)
            self._news.notify_all()

    def _listen(self) -> None:
        app = self._bolt

        @app.command("/xen")
        def command(ack: Ack, command: JSON, client: WebClient) -> None:
            text = command["text"]
            if text == "silence":
                return
            ack(f"You said `{text}`." if text != "form" else "")
            if text == "form":
                client.views_open(trigger_id=command["trigger_id"], view=blocks.FORM)

        @app.action("deaf")
        def deaf() -> None:
            return

        @app.action("push")
        def push(ack: Ack, body: JSON, client: WebClient) -> None:
            ack()
            client.views_push(trigger_id=body["trigger_id"], view=blocks.SECOND_VIEW)

        @app.options("vm")
        def offered(ack: Ack, payload: JSON) -> None:
            names = ("web-1", "web-2", "db-1")
            ack(options=[blocks.option(name) for name in names if payload["value"] in name])

        @app.view("form")
        def sent(ack: Ack, body: JSON) -> None:
            self._note(self.submissions, body)
            if body["view"]["state"]["values"]["vm_name"]["vm_name"]["value"] == "ghost":
                ack(response_action="errors", errors={"vm_name": "There is no VM called ghost."})
            else:
                ack()

        @app.event("app_home_opened")
        def home(event: JSON, client: WebClient) -> None:
            client.views_publish(user_id=event["user"], view=blocks.HOME)
            self._note(self.homes, event)

        @app.event("message")
        def said() -> None:
            return

        @app.event("app_mention")
        def mentioned() -> None:
            return

        @app.action(re.compile(".*"))
        def acted(ack: Ack, body: JSON) -> None:
            ack()
            self._note(self.actions, body)
