"""HTTP as xapi's own small server speaks it: requests in, answers out, byte for byte (xapi 26.9's `Http_svr`).

Only what a XenAPI client meets: no chunked bodies, header names in lower case, errors as pages that end the connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.xapi.connections import Connection

HEADER_LIMIT_BYTES = 1024
BODY_LIMIT_BYTES = 300 * 1024
KNOWN_METHODS = frozenset({"GET", "PUT", "POST", "CONNECT", "OPTIONS"})

_REASONS = {
    401: ("Unauthorized", "Please log in."),
    403: ("Forbidden", "Access to this resource is forbidden."),
    404: ("Not Found", "There is nothing at this address."),
    408: ("Request Timeout", "The request did not arrive in time."),
    431: ("Request Header Fields Too Large", "The headers are larger than allowed."),
    500: ("Internal Error", "The request could not be handled."),
    501: ("Method not implemented", "This method is not supported."),
}
_ANY_ORIGIN = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "X-Requested-With"))
_LENGTH = re.compile(r"[0-9]+\Z")


class Rejected(Exception):
    """The request gets an error page and its connection ends."""

    def __init__(self, status: int, reason: str = "", version: str = "1.1") -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.version = version


@dataclass(frozen=True)
class Request:
    """A request with its body; header names in lower case."""

    method: str
    path: str
    version: str
    headers: dict[str, str]
    body: bytes
    query: str = ""
    """What stood behind the question mark."""

    @property
    def keep_alive(self) -> bool:
        """By default for every version but 1.0; the Connection header decides otherwise."""
        wish = self.headers.get("connection", "").lower()
        return wish != "close" and (self.version != "1.0" or wish == "keep-alive")


def read_request(connection: Connection) -> Request:
    """The next request. Raises Rejected, Gone, TimeoutError."""
    head = connection.read_until(b"\r\n\r\n", HEADER_LIMIT_BYTES)
    if head is None:
        raise Rejected(431)
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split()
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise Rejected(500, "the request line could not be parsed")
    method, target, protocol = words
    version = "1.0" if protocol == "HTTP/1.0" else "1.1"
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    length = headers.get("content-length")
    if length is not None and not _LENGTH.match(length):
        raise Rejected(500, "Int64.of_string", version)
    if method not in KNOWN_METHODS:
        raise Rejected(501, f"{method} is not known", version)
    body = b""
    if method == "POST":
        if length is None:
            raise Rejected(500, "a content-length is required", version)
        if int(length) > BODY_LIMIT_BYTES:
            raise Rejected(500, "the body is larger than allowed", version)
        body = connection.read_exactly(int(length))
    path, _, query = target.partition("?")
    return Request(method, path, version, headers, body, query)


def answer(request: Request, content_type: str, body: bytes) -> bytes:
    """HTTP 200 with a call's answer."""
    return _message(request, (("content-type", content_type), *_ANY_ORIGIN), body)


def file_answer(request: Request, body: bytes) -> bytes:
    """HTTP 200 with a file, whose end is the connection's: neither its length nor its type is said."""
    head = [f"HTTP/{request.version} 200 OK", "connection: close", "cache-control: no-cache, no-store"]
    return _joined(head, body)


def preflight_answer(request: Request) -> bytes:
    """What OPTIONS answers to a browser that asks before it calls."""
    asked = request.headers.get("access-control-request-headers")
    allowed = f"{asked}, X-Requested-With" if asked else "X-Requested-With"
    headers = (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Headers", allowed),
        ("Access-Control-Allow-Methods", "PUT"),
    )
    return _message(request, headers, b"")


def error_page(rejected: Rejected) -> bytes:
    """A page in HTML; the connection ends with it."""
    title, text = _REASONS[rejected.status]
    more = f"<p>{_html(rejected.reason)}</p>" if rejected.reason else ""
    page = f"<html><body><h1>HTTP {rejected.status} {title.lower()}</h1>{text}{more}</body></html>".encode()
    head = [
        f"HTTP/{rejected.version} {rejected.status} {title}",
        f"content-length: {len(page)}",
        "content-type: text/html",
        "connection: close",
        "cache-control: no-cache, no-store",
    ]
    return _joined(head, page)


def _message(request: Request, headers: tuple[tuple[str, str], ...], body: bytes) -> bytes:
    head = [
        f"HTTP/{request.version} 200 OK",
        f"content-length: {len(body)}",
        f"connection: {'keep-alive' if request.keep_alive else 'close'}",
        "cache-control: no-cache, no-store",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return _joined(head, body)


def _joined(head: list[str], body: bytes) -> bytes:
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
