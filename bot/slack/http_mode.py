"""HTTP mode: Slack posts signed requests to a port of the bot's. What is not signed is not even read as a delivery, and
nobody keeps the port by sending slowly.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.errors import Unavailable
from bot.slack.transport import Acknowledged
from bot.slack.workers import acknowledging

_log = logging.getLogger(__name__)

PATH = "/slack/events"
_ACK_SECONDS = 3
_LARGEST_BODY = 4 * 1024 * 1024
_LENGTH = re.compile("[0-9]{1,9}")
_ARRIVAL_SECONDS = 10.0
"""From a connection to the last byte of its request; Slack, or a proxy that buffers, sends it at once."""
_MOST_ARRIVING = 256
"""Requests that are on their way at once; what is more finds the door closed, and Slack sends its events again."""
_SSL_CHECK = re.compile(rb"(?:[\w.%-]*=[\w.%-]*&)*ssl_check=1(?:&[\w.%-]*=[\w.%-]*)*")
"""By which Slack looks at the certificate now and then, without a signature (Slack docs: slash commands)."""


class HttpMode:
    """Slack posts signed requests. One thread each; a proxy in front speaks TLS."""

    def __init__(
        self,
        app: App,
        secret: str,
        address: str,
        port: int,
        forged: Callable[[str], None],
        acknowledged: Acknowledged,
    ) -> None:
        """`secret` is the signing secret. Bolt itself checks no signature: it would read the body first, and log it."""

        class Handler(_Handler):
            bolt = app
            seal = SignatureVerifier(secret)
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
        self._arriving: dict[socket.socket, float] = {}
        """Until when a request has to be there as a whole, by the monotonic clock."""
        super().__init__(where, handler)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether there is room for one more."""
        assert isinstance(request, socket.socket)
        with self._changed:
            full = len(self._arriving) >= _MOST_ARRIVING
            if not full:
                self._arriving[request] = time.monotonic() + _ARRIVAL_SECONDS
        if full:
            _log.warning("%d requests arrive at once; one of %s is not taken", _MOST_ARRIVING, client_address)
        return not full

    def arrived(self, request: socket.socket) -> None:
        with self._changed:
            self._arriving.pop(request, None)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self.arrived(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Hang up on those who take too long: a limit on each wait alone could be stretched without end."""
        now = time.monotonic()
        with self._changed:
            late = [request for request, until in self._arriving.items() if until < now]
        for request in late:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

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
    seal: SignatureVerifier
    refused: Callable[[str], None]
    told: Acknowledged
    timeout = _ARRIVAL_SECONDS

    def do_POST(self) -> None:
        if urllib.parse.urlsplit(self.path).path != PATH:
            return self.send_error(404)
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or int(length) > _LARGEST_BODY:
            return self.send_error(413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return None  # whoever sent it has hung up, or took too long
        self.server.arrived(self.connection)
        started = time.monotonic()
        headers = dict(self.headers.items())
        with self.server.answering(), acknowledging():
            if _is_signed(self.seal, body, headers):
                self._respond(self.bolt.dispatch(_request(body.decode(), headers)))
                self.told(time.monotonic() - started)
            elif _SSL_CHECK.fullmatch(body):
                self._respond(BoltResponse(status=200))
            else:
                self._refuse()
        return None

    def _refuse(self) -> None:
        why = "its signature is wrong, or its time more than five minutes off"
        _log.warning("a delivery was refused: %s", why)
        self.refused(why)
        self._respond(BoltResponse(status=401))

    def _respond(self, response: BoltResponse) -> None:
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


def _is_signed(seal: SignatureVerifier, body: bytes, headers: Mapping[str, str]) -> bool:
    try:
        return seal.is_valid_request(body, headers)
    except (ValueError, TypeError):  # a time that is no number, a body that is no UTF-8, a signature beyond ASCII
        return False


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
