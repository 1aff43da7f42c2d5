"""How Slack reaches the bot: through a connection that the bot opens (Socket Mode; the other way is
:mod:`bot.slack.http_mode`). Both ways keep one rule: first the acknowledgement, then the work.
"""

from __future__ import annotations

import logging
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import ConnectionState
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.slack.sdk_log import quiet_logger
from bot.slack.workers import Workers, acknowledging

_log = logging.getLogger(__name__)

Acknowledged = Callable[[float], None]
"""Told the seconds from a delivery to its acknowledgement."""


class Transport(Protocol):
    def start(self) -> None: ...
    def close(self) -> None: ...
    def connected(self) -> bool:
        """Whether Slack's deliveries can arrive now."""


class _Ended(ConnectionState):
    """Over for good, whoever says otherwise."""

    @property
    def terminated(self) -> bool:
        return True

    @terminated.setter
    def terminated(self, _: bool) -> None: ...


class SocketMode(SocketModeHandler):
    """Bolt's handler, except that what a listener noted starts after the acknowledgement was sent, and that options
    (whose acknowledgement must wait for an answer) do not keep a receiving thread.
    """

    def __init__(
        self, app: App, app_token: str, web_client: WebClient, workers: Workers, acknowledged: Acknowledged
    ) -> None:
        super().__init__(app, app_token, logger=quiet_logger(), web_client=web_client)
        self._workers = workers
        self._acknowledged = acknowledged
        host = urllib.parse.urlsplit(web_client.base_url).hostname or ""
        if urllib.request.proxy_bypass(host):  # the socket client does not look at NO_PROXY
            self.client.proxy = None

    def start(self) -> None:
        """Connect; does not block. The connection is renewed by itself."""
        self.connect()  # type: ignore[no-untyped-call]  # slack_sdk has no types here

    def connected(self) -> bool:
        return self.client.is_connected()

    def close(self) -> None:
        """Also when the connection ends by itself just now: slack_sdk then trips over a socket that is gone, and the
        rest of the bot must be closed all the same. And also when it has only just begun, or is being renewed:
        slack_sdk's receiver then takes back the word that it is over, and would be waited for without end.
        """
        closed = Event()
        Thread(target=self._keep_ended, args=(closed,), name="slack-closing", daemon=True).start()
        try:
            super().close()  # type: ignore[no-untyped-call]  # slack_sdk has no types here
        except AttributeError:
            super().close()  # type: ignore[no-untyped-call]  # slack_sdk has no types here
        finally:
            closed.set()

    def _keep_ended(self, closed: Event) -> None:
        while True:
            state, self.client.current_session_state = self.client.current_session_state, _Ended()  # type: ignore[no-untyped-call]  # slack_sdk has no types here
            state.terminated = True
            self.client.auto_reconnect_enabled = False
            if closed.wait(0.05):
                return

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        if req.payload.get("type") == "block_suggestion":
            self._workers.choices.submit(self._answer, client, req)
        else:
            self._answer(client, req)

    def _answer(self, client: SocketModeClient, req: SocketModeRequest) -> None:
        started = time.time()
        with acknowledging():
            try:
                send_response(client, req, run_bolt_app(self.app, req), started)
                self._acknowledged(time.time() - started)
            except Exception:  # noqa: BLE001 - a broken socket must not keep the work from starting
                _log.exception("an acknowledgement could not be sent")
