"""One host as its clients see it: an address that answers XenAPI calls, until something happens to it."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from sandbox.xapi import wire_json, wire_xml
from sandbox.xapi.connections import LOOPBACK, Connection, Gone, Switchboard
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.faults import HostFaults
from sandbox.xapi.http_handlers import Visit, visit_of
from sandbox.xapi.http_messages import (
    Rejected,
    Request,
    answer,
    error_page,
    file_answer,
    preflight_answer,
    read_request,
)
from sandbox.xapi.recording import Recording
from sandbox.xapi.wire import Call, JsonRpc, Malformed, Outcome, Protocol, Unparsable, protocol_of

log = logging.getLogger(__name__)

BACKLOG = 512

Toolstack = Callable[[str, list[Any]], Any]
"""The host's own toolstack: method and parameters in, the value out. Raises Failure, HostDown."""
Fetch = Callable[[Visit], bytes | None]
"""A file of the host's, None where nothing is. Raises Failure, HostDown."""


class HostServer:
    """Serves one host on a port of 127.0.0.1 that stays its own while the host is down."""

    def __init__(
        self,
        toolstack: Toolstack,
        switchboard: Switchboard,
        *,
        json_rpc: JsonRpc,
        tls: ssl.SSLContext | None = None,
        faults: HostFaults | None = None,
        recording: Recording | None = None,
        fetch: Fetch = lambda _visit: None,
    ) -> None:
        self.faults = faults or HostFaults()
        self._toolstack = toolstack
        self._switchboard = switchboard
        self._json_rpc = json_rpc
        self._tls = tls
        self._recording = recording
        self._fetch = fetch
        self._listener: socket.socket | None = None
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        # Bound but not listening: connecting is refused, and nobody else is given the port while the host is down.
        self._place = _bound(0)
        self.port: int = self._place.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{LOOPBACK}:{self.port}"

    @property
    def listening(self) -> bool:
        return self._listener is not None

    def start(self) -> None:
        """Accept connections. Does nothing if the host already does."""
        with self._lock:
            if self._listener is not None:
                return
            listener = _bound(self.port)
            listener.listen(BACKLOG)
            listener.setblocking(False)
            self._listener = listener
        self._switchboard.watch(listener, lambda: self._accept(listener), once=False)

    def kill(self) -> None:
        """Refuse connections from now on and break the open ones; calls being executed get no answer."""
        with self._lock:
            listener, self._listener = self._listener, None
            connections = list(self._connections)
        if listener is not None:
            self._switchboard.forget(listener)
        for connection in connections:
            connection.break_off()
        self.faults.end_life()

    def close(self) -> None:
        self.kill()
        self._place.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:  # nobody is waiting, or the host died
                return
            connection = Connection(sock)
            with self._lock:
                alive = self._listener is listener
                if alive:
                    self._connections.add(connection)
            if alive:
                self._await_request(connection)
            else:
                connection.reset()

    def _await_request(self, connection: Connection) -> None:
        """Give an idle connection back to the switchboard."""
        workers = self._switchboard.workers
        self._switchboard.watch(connection, lambda: workers.submit(lambda: self._serve(connection)), once=True)

    def _serve(self, connection: Connection) -> None:
        """Answer what a connection asks, until it is idle or ends."""
        try:
            self.faults.wait_unpaused()
            if self._tls and not connection.secured:
                connection.secure(self._tls)
            keep = True
            while keep:
                keep = self._answer_one(connection)
                if keep and not connection.has_more():
                    self._await_request(connection)
                    return
        except Gone:
            pass
        except Exception:  # a bug of the sandbox; the client sees its connection end
            log.exception("an answer could not be given")
        self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        with self._lock:
            self._connections.discard(connection)
            alive = self._listener is not None
        if alive:
            connection.close()
        else:
            connection.reset()

    def _answer_one(self, connection: Connection) -> bool:
        """Answer one request; may another one follow? Raises Gone."""
        try:
            request = read_request(connection)
            self.faults.wait_unpaused()
            if connection.broken:  # the host died before it took the call, and may be alive again
                return False
            if request.method in ("GET", "PUT", "CONNECT"):
                connection.send(self._file(request))
                return False
            message = self._answer(request)
        except TimeoutError:
            connection.send(error_page(Rejected(408)))
            return False
        except Rejected as rejected:
            connection.send(error_page(rejected))
            return False
        if message is None:
            connection.reset()
            return False
        connection.send(message)
        return request.keep_alive

    def _answer(self, request: Request) -> bytes | None:
        """The answer's bytes; None if the connection is to be cut instead. Raises Rejected."""
        if request.method == "OPTIONS":
            return preflight_answer(request)
        protocol = protocol_of(request.path, self._json_rpc)
        try:
            if protocol is Protocol.JSON:
                envelope, call = wire_json.read_call(request.body, self._json_rpc)
            else:
                envelope, call = None, wire_xml.read_call(request.body)
        except Malformed as malformed:
            if isinstance(malformed, Unparsable) and self._json_rpc is JsonRpc.ABSENT:
                return answer(request, protocol.content_type, wire_xml.write_fault("Failed to parse supplied XML"))
            raise Rejected(500, str(malformed), request.version) from malformed
        outcome = self._carry_out(call)
        if outcome is None:
            return None
        if envelope is not None:
            body = wire_json.write_answer(envelope, outcome)
        else:
            body = wire_xml.write_answer(call.method, outcome)
        return answer(request, protocol.content_type, body)

    def _file(self, request: Request) -> bytes:
        """What a host gives and takes beside calls. Raises Rejected, Gone."""
        if self.faults.take_drop("before", request.path):
            raise Gone
        try:
            content = self._fetch(visit_of(request))
        except HostDown:
            raise Gone from None
        except Failure as failure:
            status = 401 if failure.code == "SESSION_AUTHENTICATION_FAILED" else 500
            raise Rejected(status, " ".join(failure.description), request.version) from failure
        if content is None:
            raise Rejected(404 if request.method == "GET" else 403, version=request.version)
        self.faults.hold_answer(request.path)
        if self.faults.take_drop("after", request.path):
            raise Gone
        return file_answer(request, content)

    def _carry_out(self, call: Call) -> Outcome | None:
        """The call's outcome; None if the host or the connection does not live to tell it."""
        if self.faults.take_drop("before", call.method):
            return None
        try:
            outcome = Outcome.of(lambda: self._toolstack(call.method, call.params))
        except HostDown:
            return None
        except Exception as error:  # a bug of the sandbox: shown as xapi shows its own, and told
            log.exception("%s failed", call.method)
            outcome = Outcome(failure=["INTERNAL_ERROR", repr(error)])
        if self._recording is not None:
            self._recording.add(call, outcome)
        self.faults.hold_answer(call.method)
        if self.faults.take_drop("after", call.method):
            return None
        self.faults.wait_unpaused()
        return outcome


def _bound(port: int) -> socket.socket:
    """A socket bound to the port of 127.0.0.1 (0: any free one) beside others of this process that are, too."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((LOOPBACK, port))
    except OSError:
        with contextlib.suppress(OSError):
            sock.close()
        raise
    return sock
