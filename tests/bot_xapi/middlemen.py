"""What stands between the bot and a host may speak otherwise than xapi: each function says an answer in another way."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import xmlrpc.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

PATIENCE = 60.0


@dataclass(frozen=True)
class Reply:
    """A host's answer to one request."""

    status: int
    content_type: str
    body: bytes

    def head(self, *more: str, version: str = "1.1") -> bytes:
        lines = [f"HTTP/{version} {self.status} OK", f"content-type: {self.content_type}", *more, "", ""]
        return "\r\n".join(lines).encode()

    @property
    def length(self) -> str:
        return f"Content-Length: {len(self.body)}"


Say = Callable[[Reply], tuple[list[bytes], bool]]
"""The pieces that are sent one after the other, and whether the connection ends with them."""


def chunked(reply: Reply) -> tuple[list[bytes], bool]:
    pieces = [reply.body[at : at + 999] for at in range(0, len(reply.body), 999)]
    sizes = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return [reply.head("Transfer-Encoding: chunked"), *sizes, b"0\r\n\r\n"], False


def http_1_0(reply: Reply) -> tuple[list[bytes], bool]:
    """No length: the answer ends with the connection."""
    return [reply.head(version="1.0"), reply.body], True


def rude(reply: Reply) -> tuple[list[bytes], bool]:
    """Lets the client believe that the connection stays, as a proxy that has been idle for too long."""
    return [reply.head(reply.length, "Connection: keep-alive"), reply.body], True


def going_on(reply: Reply) -> tuple[list[bytes], bool]:
    return [b"HTTP/1.1 100 Continue\r\n\r\n", reply.head(reply.length), reply.body], False


def dripping(reply: Reply) -> tuple[list[bytes], bool]:
    whole = reply.head(reply.length) + reply.body
    step = max(len(whole) // 40, 1)
    return [whole[at : at + step] for at in range(0, len(whole), step)], False


def of_tomorrow(reply: Reply) -> tuple[list[bytes], bool]:
    """As a later version: fields, operations and features that nobody knows yet, fields in another order; XML with
    every type written out, JSON laid out for people.
    """
    body = reply.body
    if reply.status == http.client.OK and "json" in reply.content_type:
        body = json.dumps(_later(json.loads(body)), indent=2).encode()
    elif reply.status == http.client.OK:
        (value,), _ = xmlrpc.client.loads(body)
        body = xmlrpc.client.dumps((_later(value),), methodresponse=True, allow_none=True).encode()
    changed = Reply(reply.status, reply.content_type, body)
    return [changed.head(changed.length), body], False


def _later(value: Any) -> Any:
    if isinstance(value, list):
        return [_later(each) for each in value]
    if not isinstance(value, dict):
        return value
    record = {key: _later(each) for key, each in reversed(value.items())}
    if "uuid" in record:
        record |= {"of_tomorrow": {"a": "b"}, "more_of_tomorrow": [1.5], "less": ""}
    if "allowed_operations" in record:
        record["allowed_operations"] = [*record["allowed_operations"], "teleport"]
    return record


@contextlib.contextmanager
def between(addresses: Mapping[str, str], say: Say) -> Iterator[dict[str, str]]:
    """The hosts' addresses → where somebody stands who passes everything on, and answers in his own way."""
    listeners: list[socket.socket] = []
    found = {}
    for address, behind in addresses.items():
        host, _, port = behind.rpartition(":")
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_accept, args=(listener, (host, int(port)), say), daemon=True).start()
        found[address] = f"127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield found
    finally:
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _accept(listener: socket.socket, behind: tuple[str, int], say: Say) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.settimeout(PATIENCE)
        threading.Thread(target=_pass_on, args=(connection, behind, say), daemon=True).start()


def _pass_on(connection: socket.socket, behind: tuple[str, int], say: Say) -> None:
    with contextlib.suppress(OSError), connection, connection.makefile("rb") as requests:
        ends = False
        while not ends and (request := _request(requests)):
            pieces, ends = say(_asked(behind, request))
            for piece in pieces:
                connection.sendall(piece)


def _request(requests: BinaryIO) -> bytes:
    """The next request's bytes; none when the client is gone."""
    head = b""
    length = 0
    while not head.endswith(b"\r\n\r\n"):
        line = requests.readline()
        if not line:
            return b""
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        head += line
    return head + requests.read(length)


def _asked(behind: tuple[str, int], request: bytes) -> Reply:
    with socket.create_connection(behind, timeout=PATIENCE) as host:
        host.sendall(request)
        answer = http.client.HTTPResponse(host)
        answer.begin()
        return Reply(answer.status, answer.getheader("content-type", ""), answer.read())
