"""A host with a toolstack of the test's own, and raw HTTP to speak to it."""

from __future__ import annotations

import socket
import ssl
import threading
import xmlrpc.client
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.xapi.connections import Switchboard
from sandbox.xapi.failure import Failure
from sandbox.xapi.recording import Recording
from sandbox.xapi.server import HostServer
from sandbox.xapi.wire import JsonRpc

PATIENCE = 60.0
"""No wait in these tests is longer; one that is has failed."""


class FakeToolstack:
    """Answers from a table and counts what it was asked: effects on the server's side."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.taken: Counter[str] = Counter()
        self.params: list[list[Any]] = []
        self.called = threading.Event()

    def __call__(self, method: str, params: list[Any]) -> Any:
        self.taken[method] += 1
        self.params.append(params)
        self.called.set()
        if method not in self.answers:
            raise Failure("MESSAGE_METHOD_UNKNOWN", method)
        found = self.answers[method]
        return found(params) if callable(found) else found


Serve = Callable[..., HostServer]


@contextmanager
def serving() -> Iterator[Serve]:
    """Gives a function that starts a host; all of them end with the block."""
    switchboard = Switchboard()
    servers: list[HostServer] = []

    def serve(
        toolstack: Callable[[str, list[Any]], Any],
        *,
        json_rpc: JsonRpc = JsonRpc.V1_AND_V2,
        tls: ssl.SSLContext | None = None,
        recording: Recording | None = None,
    ) -> HostServer:
        server = HostServer(toolstack, switchboard, json_rpc=json_rpc, tls=tls, recording=recording)
        servers.append(server)
        server.start()
        return server

    try:
        yield serve
    finally:
        for server in servers:
            server.close()
        switchboard.stop()


def connect(server: HostServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def post(path: str, body: bytes, *headers: str, version: str = "1.1") -> bytes:
    """A POST as bytes."""
    lines = [f"POST {path} HTTP/{version}", "Host: xs1", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def read_answer(sock: socket.socket) -> tuple[str, dict[str, str], bytes]:
    """The next answer: status line, headers, body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    while len(body) < int(headers["content-length"]):
        body += _some(sock)
    return status, headers, body


def ask(server: HostServer, data: bytes) -> tuple[str, dict[str, str], bytes]:
    """One request over a connection of its own."""
    with connect(server) as sock:
        sock.sendall(data)
        return read_answer(sock)


def xml_call(method: str, *values: str) -> bytes:
    """A methodCall; each value is the inner XML of a `value` element."""
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    call = f"<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
    return f"<?xml version='1.0'?>{call}".encode()


def xml_answer(body: bytes) -> dict[str, Any]:
    """The struct `{Status, Value | ErrorDescription}` of an answer, as an XML-RPC client reads it."""
    (answer,), _ = xmlrpc.client.loads(body)
    assert isinstance(answer, dict)
    return answer


def is_ended(sock: socket.socket) -> bool:
    """Has the other side ended the connection, in whatever way, without a further byte?"""
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data
