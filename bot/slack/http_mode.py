"""HTTP mode: Slack posts signed requests to a port of the bot's. What is not signed is not even read as a delivery, and
nobody keeps the port by sending slowly, or the memory by sending much.
"""

from __future__ import annotations

import logging
import re
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler
from threading import Thread

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.errors import Unavailable
from bot.slack.http_port import ARRIVAL_SECONDS, MOST_LARGE, Server
from bot.slack.transport import Acknowledged
from bot.slack.workers import acknowledging

_log = logging.getLogger(__name__)

PATH = "/slack/events"
_ACK_SECONDS = 3
_LARGEST_BODY = 4 * 1024 * 1024
_LARGE_BODY = 64 * 1024
"""Slack's are nearly always smaller, and need not wait for a place among the large ones."""
_LARGEST_UNSIGNED = 1024
"""Enough for a look at the certificate."""
_SIGNATURE = re.compile("v0=[0-9a-f]{64}")
_TIME = re.compile("[0-9]{1,12}")
_OLDEST_SECONDS = 300
"""How far Slack's time may be off (Slack docs: verifying requests from Slack)."""
_PIECE = 64 * 1024
_LENGTH = re.compile("[0-9]{1,9}")
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
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port listened on: the one asked for, or the one the system chose for 0."""
        return int(self._server.server_address[1]) if self._server else self._where[1]

    def start(self) -> None:
        """:raises Unavailable: the address cannot be listened on."""
        try:
            self._server = Server(self._where, self._handler)
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


class _Handler(BaseHTTPRequestHandler):
    server: Server
    bolt: App
    seal: SignatureVerifier
    refused: Callable[[str], None]
    told: Acknowledged
    timeout = ARRIVAL_SECONDS

    def do_POST(self) -> None:
        if urllib.parse.urlsplit(self.path).path != PATH:
            return self.send_error(404)
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or int(length) > _LARGEST_BODY:
            return self.send_error(413)
        self._receive(int(length))
        return None

    def _receive(self, length: int) -> None:
        """Read no more than is worth it: what cannot be Slack's is turned away by its head alone."""
        flaw = _flaw_of(self.headers, time.time())
        if flaw and length > _LARGEST_UNSIGNED:
            self._let_pass(length)
            with self._answering():
                self._refuse(flaw)
        elif length <= _LARGE_BODY:
            self._answer(self.rfile.read(length), length, flaw)
        elif self.server.large.acquire(blocking=False):
            try:
                self._answer(self.rfile.read(length), length, flaw)
            finally:
                self.server.large.release()
        else:
            _log.warning("%d large deliveries are held at once; one more is not taken", MOST_LARGE)
            self._let_pass(length)
            with self._answering():
                self._respond(BoltResponse(status=503))

    def _answer(self, body: bytes, length: int, flaw: str) -> None:
        if len(body) < length:
            return  # whoever sent it has hung up, or took too long
        started = time.monotonic()
        headers = dict(self.headers.items())
        with self._answering():
            if not flaw and _is_signed(self.seal, body, headers):
                self._respond(self.bolt.dispatch(_request(body.decode(), headers)))
                self.told(time.monotonic() - started)
            elif _SSL_CHECK.fullmatch(body):
                self._respond(BoltResponse(status=200))
            else:
                self._refuse(flaw or "its signature is wrong")

    @contextmanager
    def _answering(self) -> Iterator[None]:
        self.server.arrived(self.connection)
        with self.server.answering(), acknowledging():
            yield

    def _let_pass(self, length: int) -> None:
        """Keep nothing of the body, and let it come: whoever is cut off while sending does not hear the answer."""
        while length > 0:
            piece = len(self.rfile.read(min(length, _PIECE)))
            if not piece:
                return
            length -= piece

    def _refuse(self, why: str) -> None:
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


def _flaw_of(headers: Message, now: float) -> str:
    """Why this cannot be Slack's, whatever its body is; "" when only the body can tell."""
    if not _SIGNATURE.fullmatch(str(headers.get("X-Slack-Signature", ""))):
        return "it bears no signature of Slack's"
    at = str(headers.get("X-Slack-Request-Timestamp", ""))
    if not _TIME.fullmatch(at) or abs(now - int(at)) > _OLDEST_SECONDS:
        return "the time of its signature is missing, or more than five minutes off"
    return ""


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
