"""A workspace and a real slack_bolt app that talks to it over Socket Mode."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from sandbox.slack import RunningWorkspace, Settings, Switches, start

JSON = dict[str, Any]
StartWorkspace = Callable[..., RunningWorkspace]


@pytest.fixture
def workspace_with() -> Iterator[StartWorkspace]:
    """Start a workspace with some settings or switches different; it stops at the end of the test."""
    running: list[RunningWorkspace] = []

    def begin(
        *, clock_scale: float = 1.0, record: Any = None, switches: JSON | None = None, **changes: Any
    ) -> RunningWorkspace:
        settings = replace(Settings(), switches=Switches(**(switches or {})), **changes)
        workspace = start(settings, clock_scale=clock_scale, record=record)
        workspace.__enter__()
        running.append(workspace)
        return workspace

    yield begin
    for workspace in running:
        workspace.stop()


@pytest.fixture
def workspace(workspace_with: StartWorkspace) -> RunningWorkspace:
    return workspace_with()


@pytest.fixture
def client(workspace: RunningWorkspace) -> WebClient:
    return client_of(workspace)


def client_of(workspace: RunningWorkspace) -> WebClient:
    """The bot's client without any retries: a test counts what it sends."""
    return WebClient(workspace.bot_token, base_url=workspace.api, retry_handlers=[])


class Bot:
    """A slack_bolt app connected by Socket Mode; listeners are added to `app`."""

    def __init__(self, workspace: RunningWorkspace) -> None:
        self.workspace = workspace
        self.client = client_of(workspace)
        self.app = App(client=self.client)
        self.handlers: list[SocketModeHandler] = []

    def connect(self) -> "Bot":
        before = self.workspace.workspace.socket_mode.opened
        handler = SocketModeHandler(self.app, self.workspace.app_token, ping_interval=0.2)
        handler.connect()  # type: ignore[no-untyped-call]
        self.handlers.append(handler)
        self.workspace.wait_until(lambda: self.workspace.workspace.socket_mode.opened > before)
        return self

    def close(self) -> None:
        """Break the connections first: slack_sdk's reader only looks up when bytes come, or every 3 s."""
        for handler in self.handlers:
            handler.client.auto_reconnect_enabled = handler.client.default_auto_reconnect_enabled = False
        self.workspace.fault("disconnect", reason="none")
        for handler in self.handlers:  # joins threads for up to a second, which no test has to wait for
            threading.Thread(target=handler.close, daemon=True).start()
        self.handlers.clear()


ConnectBot = Callable[[RunningWorkspace], Bot]


@pytest.fixture
def connect() -> Iterator[ConnectBot]:
    """Connect a bot to a workspace; it is closed at the end of the test."""
    bots: list[Bot] = []

    def begin(workspace: RunningWorkspace) -> Bot:
        bots.append(Bot(workspace))
        return bots[-1].connect()

    yield begin
    for bot in bots:
        bot.close()


@pytest.fixture
def bot(workspace: RunningWorkspace, connect: ConnectBot) -> Bot:
    return connect(workspace)


def button(action_id: str = "go", text: str = "Go", **more: Any) -> JSON:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, **more}


def actions(*elements: JSON, block_id: str = "buttons") -> JSON:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def section(text: str = "words", **more: Any) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def text_input(block_id: str = "name", action_id: str = "value", *, element: JSON | None = None, **more: Any) -> JSON:
    inner = {"type": "plain_text_input", "action_id": action_id} if element is None else element
    label = {"type": "plain_text", "text": block_id}
    return {"type": "input", "block_id": block_id, "label": label, "element": inner, **more}


def modal(*blocks: JSON, title: str = "A form", submit: str | None = "Send", **more: Any) -> JSON:
    view: JSON = {"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": list(blocks), **more}
    return view | ({"submit": {"type": "plain_text", "text": submit}} if submit else {})


def texts(messages: list[JSON]) -> list[str]:
    return [one["text"] for one in messages]
