"""Large reads as JSON-RPC: the same values as by XML-RPC, in a third of the bytes and a small part of the time, because
the standard library reads JSON in C.

xapi serves version 2 at `/jsonrpc` since 7.3, and answers the same request by version 1 from 6.5 to 7.2. It is tried,
not asked for by the pool's version: a host without it answers HTTP 500 or XML at once. What is not exactly one of the
two is not taken: the same read then goes by XML-RPC, which stays the way of every other call. Integers become the
decimal text that XML-RPC carries; times are the same text in both.
"""

from __future__ import annotations

import gc
import json
import logging
import math
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import XenAPI

from bot.ports import Clock
from bot.xapi.addresses import Endpoint
from bot.xapi.broken import Broken, Strange, timed_out
from bot.xapi.transport import Exchange, SessionGone

_log = logging.getLogger(__name__)

#: So long a host whose JSON-RPC was not understood is read by XML-RPC only; it may be upgraded meanwhile.
DOUBT_SECONDS = 3600.0
_PATH = "/jsonrpc"
_CONTENT_TYPE = "application/json"
_ID = 1
_CODE = "1"
"""The code of every error; its name is in the message, its arguments are the data."""
_VERSION_1 = {"result", "error", "id"}
_NOT_JSON_RPC = "answers something that is not JSON-RPC"
_ODD = (b"\\u", b"\\r", b"\\b", b"\\f")
_ESCAPE = re.compile(rb"\\(?:r\\n|u[0-9a-fA-F]{4}|.)")


class JsonRpc:
    """JSON-RPC to the hosts of one pool, and which of them are not to be asked so."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._lock = threading.Lock()
        self._doubted: dict[Endpoint, float] = {}

    def offered_by(self, endpoint: Endpoint) -> bool:
        """May it be tried there? Yes, unless it has gone wrong lately."""
        with self._lock:
            return self._clock.monotonic() >= self._doubted.get(endpoint, -math.inf)

    def failed(self, endpoint: Endpoint, broken: Broken) -> None:
        """It went wrong there: remembered when the host does not speak it, or keeps silent. A connection that breaks
        proves neither.
        """
        if not isinstance(broken, Strange) and not timed_out(broken):
            return
        _log.info("%s %s; it is read by XML-RPC", broken.address, broken.why)
        with self._lock:
            self._doubted[endpoint] = self._clock.monotonic() + DOUBT_SECONDS

    def call(
        self,
        endpoint: Endpoint,
        handle: str,
        method: str,
        arguments: tuple[Any, ...],
        *,
        fresh: bool,
        fits: Callable[[Any], bool],
    ) -> Any:
        """One call without effect in a session, sent once. `fits` says whether the answer has the call's shape.

        :raises XenAPI.Failure: the host's error array.
        :raises SessionGone: the session is not known there.
        :raises Strange: the answer is not what either version says.
        :raises NotSent, PartlySent, AnswerLost: see :mod:`bot.xapi.broken`.
        """
        request = {"jsonrpc": "2.0", "id": _ID, "method": method, "params": [handle, *arguments]}
        settings = self._exchange.settings
        line = self._exchange.line(endpoint, fresh=fresh)
        pieces: list[bytes] = []
        try:
            for piece in line.exchange(
                _PATH,
                json.dumps(request).encode(),
                content_type=_CONTENT_TYPE,
                silence_seconds=settings.answer_seconds,
                whole_seconds=max(settings.answer_seconds, settings.whole_answer_seconds),
            ):
                if not pieces and not piece.startswith(b"{"):
                    raise ValueError
                pieces.append(piece)
            value = read(b"".join(pieces))
            if not fits(value):
                raise ValueError
        except (ValueError, RecursionError) as error:
            line.abandon()
            raise Strange(endpoint.address, _NOT_JSON_RPC) from error
        except (XenAPI.Failure, SessionGone):
            self._exchange.keep(line)
            raise
        except BaseException:
            line.abandon()
            raise
        self._exchange.keep(line)
        return value


def read(body: bytes) -> Any:
    """The value of an answer, as XML-RPC would have carried it.

    :raises XenAPI.Failure: the host's error array. :raises SessionGone: the session is not known there.
    :raises ValueError, RecursionError: this is no answer of either version, or holds what has no certain meaning.
    """
    if any(escape in body for escape in _ODD):
        body = _ESCAPE.sub(_as_by_xml, body)
    answer = _loaded(body.decode("utf-8"))
    if not isinstance(answer, Mapping):
        raise ValueError("not an answer")
    if answer.keys() == _VERSION_1:
        return _of_version_1(answer)
    if answer.get("jsonrpc") != "2.0" or answer.get("id") != str(_ID):
        raise ValueError("neither version, or not the answer to this request")
    if ("result" in answer) == ("error" in answer):
        raise ValueError("not one of result and error")
    if "error" in answer:
        _fail(answer["error"])
    return answer["result"]


def _of_version_1(answer: Mapping[str, Any]) -> Any:
    """Its `id` is 0 whatever was asked (rpclib 1.4); that it answers this request is the connection's to say."""
    error = answer["error"]
    if error is not None:
        if answer["result"] is not None or not isinstance(error, list) or not error:
            raise ValueError("not one of result and error")
        _refused(error[0], error[1:])
    return answer["result"]


def _loaded(text: str) -> Any:
    """Without garbage collection, which would look through all the objects made so far, again and again, and is half of
    the time; there is none among them. Threads that do this at once may turn it on for each other early, never off for
    good.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return json.loads(text, parse_int=str, parse_float=_finite, parse_constant=_no_number)
    finally:
        if collecting:
            gc.enable()


def _fail(error: Any) -> NoReturn:
    if not isinstance(error, Mapping) or error.get("code") != _CODE:
        raise ValueError("no error of XenAPI's")
    code, arguments = error.get("message"), error.get("data", [])
    _refused(code, arguments)


def _refused(code: Any, arguments: Any) -> NoReturn:
    if not isinstance(code, str) or not isinstance(arguments, list):
        raise ValueError("no error of XenAPI's")
    if code == "SESSION_INVALID":
        raise SessionGone
    raise XenAPI.Failure([code, *map(str, arguments)])


def _as_by_xml(found: re.Match[bytes]) -> bytes:
    """An escaped character as XML-RPC would have carried it: xapi drops control characters there, and an XML reader
    makes every end of a line a line feed.
    """
    escape = found[0]
    kind = escape[1:2]
    if kind == b"u":
        code = int(escape[2:], 16)
        if 0xD800 <= code <= 0xDFFF:
            raise ValueError("half of a surrogate pair")  # xapi writes whole characters as they are
        kind = b"r" if code == 0x0D else b"b" if code < 0x20 and code not in (0x09, 0x0A) else kind
    return b"\\n" if kind == b"r" else b"" if kind in (b"b", b"f") else escape


def _finite(text: str) -> float:
    """To the 16 digits that xapi writes by XML-RPC."""
    number = float(f"{float(text):.16g}")
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
