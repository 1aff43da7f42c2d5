"""What travels between a client and a host: which protocol a path speaks, and a call in and out of its bytes.

As xapi 26.9 does it: the longest registered prefix of a path decides, so that `/` takes every path that nothing else
claims, as XML-RPC; what cannot be read as a call is no XenAPI failure but an HTTP error.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.xapi.failure import Failure
from sandbox.xapi.model import release_key

Answer = Callable[[], Any]
"""Runs the call: its value, or the raised `Failure`."""


class Malformed(Exception):
    """The body is no call. xapi answers HTTP 500 with a page, never a XenAPI failure; the text says what was wrong."""


class Unparsable(Malformed):
    """Not even XML. Before 6.5 xapi answers that with the one fault it knows, which is XML: the sign by which clients
    that try JSON-RPC first tell such a host."""


class Protocol(enum.Enum):
    """How a body is read and an answer written."""

    XML = "text/xml"
    JSON = "application/json"

    @property
    def content_type(self) -> str:
        return self.value


class JsonRpc(enum.IntEnum):
    """What a release knows of JSON-RPC at `/jsonrpc`."""

    ABSENT = 0
    V1_ONLY = 1
    V1_AND_V2 = 2


def json_rpc_of(release: str) -> JsonRpc:
    """Version 1 came with XenServer 6.5 (xapi's sources: not in 6.2, there in every tag of 6.5), version 2 with 7.3."""
    age = release_key(release)
    if age < release_key("creedence"):
        return JsonRpc.ABSENT
    return JsonRpc.V1_ONLY if age < release_key("inverness") else JsonRpc.V1_AND_V2


@dataclass(frozen=True)
class Call:
    """A decoded call: the method as it was sent, and its positional parameters, the session among them.

    Parameters are str, int, float, bool, Time, bytes (base64), list, dict or None (nil). XML-RPC clients may send
    integers as strings; that is for the callee to read.
    """

    method: str
    params: list[Any]


@dataclass(frozen=True)
class Outcome:
    """How a call ended: exactly one of its value (None for a void call) and XenAPI's error array."""

    value: Any = None
    failure: list[str] | None = None

    @classmethod
    def of(cls, answer: Answer) -> Outcome:
        try:
            return cls(value=answer())
        except Failure as failure:
            return cls(failure=failure.description)


def protocol_of(path: str, json_rpc: JsonRpc) -> Protocol:
    """What a POST to `path` speaks. `/json` takes and gives XML-RPC like everything that is not `/jsonrpc`."""
    if json_rpc is not JsonRpc.ABSENT and path.startswith("/jsonrpc"):
        return Protocol.JSON
    return Protocol.XML
