"""The two ways in which Slack reaches the bot. Both keep one rule: first the acknowledgement, then the work."""

from __future__ import annotations

import logging
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import Protocol

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import ConnectionState
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.errors import Unavailable
from bot.slack.api import quiet_logger
from bot.slack.workers import Workers, acknowledging

_log = logging.getLogger(__name__)

PATH = "/slack/events"
_ACK_SECONDS = 3
_LARGEST_BODY = 4 * 1024 * 1024
_LENGTH = re.compile("[0-9]{1,9}")


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


class HttpMode:
    """Slack posts signed requests. One thread each; a proxy in front speaks TLS."""

    def __init__(
        self, app: App, address: str, port: int, forged: Callable[[str], None], acknowledged: Acknowledged
    ) -> None:
        class Handler(_Handler):
            bolt = app
            refused = staticmethod(forged)
            told = staticmethod(acknowledged)

        self._handler = Handler
        self._where = (address, port)
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        """The port listened on: the one asked for, or the one the system chose for 0."""
        return int(self._server.server_address[1]) if self._server else self._where[1]

    def start(self) -> None:
        """:raises Unavailable: the address cannot be listened on."""
        try:
            self._server = _Server(self._where, self._handler)
        except OSError as error:
            address, port = self._where
            raise Unavailable(
                f"Nothing can listen for Slack on {address}, port {port}.",
                remedy="Another program may have the port, or the machine not the address: set slack.http_port and"
                " slack.http_address to what is free, and point the proxy there.",
                evidence=(error.strerror or str(error),),
            ) from error
        Thread(target=self._server.serve_forever, name="slack-http", daemon=True).start()

    def connected(self) -> bool:
        return self._server is not None

    def close(self) -> None:
        """What has arrived is acknowledged; what arrives now finds nobody, and Slack sends its events again."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.answered(_ACK_SECONDS)
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # one that sends its request slowly keeps nobody from ending
    request_queue_size = 128  # people answer an alarm all at once; the library's 5 lets the sixth wait for a second

    def __init__(self, where: tuple[str, int], handler: type[_Handler]) -> None:
        self._answering = 0
        self._changed = Condition()
        super().__init__(where, handler)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While a delivery that has arrived is acknowledged."""
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

    def answered(self, seconds: float) -> bool:
        """Wait until nothing that has arrived is without its answer, at most so long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._answering, seconds)

    def handle_error(self, *_: object) -> None:
        """What a connection dies of goes into the log, and not to standard error."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            _log.info("a connection ended before its time: %s", error)
        else:
            _log.error("a delivery failed by a defect", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    bolt: App
    refused: Callable[[str], None]
    told: Acknowledged
    timeout = 10

    def do_POST(self) -> None:
        if urllib.parse.urlsplit(self.path).path != PATH:
            return self.send_error(404)
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or int(length) > _LARGEST_BODY:
            return self.send_error(413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return None  # whoever sent it has hung up
        started = time.monotonic()
        with self.server.answering(), acknowledging():
            self._respond(
                self.bolt.dispatch(_request(body.decode("utf-8", errors="replace"), dict(self.headers.items())))
            )
            self.told(time.monotonic() - started)
        return None

    def _respond(self, response: BoltResponse) -> None:
        if response.status == 401:
            why = "its signature is wrong, or its time more than five minutes off"
            _log.warning("a delivery was refused: %s", why)
            self.refused(why)
        content = (response.body or "").encode()
        self.send_response(response.status)
        for name, value in response.first_headers_without_set_cookie().items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)


def _request(body: str, headers: dict[str, str]) -> BoltRequest:
    """Bolt takes any form that holds the word `payload` for an interaction and loses a command that says it; such a
    command is read here. The signature is still checked over the body as it came.
    """
    request = BoltRequest(body=body, headers=dict(headers))
    if not request.body and "payload" in body:
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        if "command" in form:
            read = BoltRequest(body=form, headers=dict(headers), mode="socket_mode")
            read.mode, read.raw_body = "http", body
            return read
    return request
