"""XML-RPC for the official client, sent exactly once per call.

xmlrpc.client's own transport sends a request again when a kept connection breaks; this one never does. It says instead
how far the request got (:mod:`bot.xapi.broken`).
"""

from __future__ import annotations

import ssl
import threading
import xml.parsers.expat
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import XenAPI

from bot.withheld import without
from bot.xapi.addresses import Endpoint
from bot.xapi.broken import AnswerLost, Strange
from bot.xapi.failures import texts_of
from bot.xapi.line import UNFINISHED, Line
from bot.xapi.settings import PoolSettings
from bot.xapi.trust import Proof, context_for
from bot.xapi.unmarshal import Answer

_KEPT_LINES = 8
_NOT_LOGGED_IN = 401
_NOT_XENAPI = "answers something that is not XenAPI"
_CUT_SHORT = {
    xml.parsers.expat.errors.codes[text]
    for text in (xml.parsers.expat.errors.XML_ERROR_NO_ELEMENTS, xml.parsers.expat.errors.XML_ERROR_UNCLOSED_TOKEN)
}


class SessionGone(Exception):
    """The host does not know the session (any more): the call was refused at the door."""


class Exchange:
    """The connections to the hosts of one pool: kept, checked before use, shared between threads."""

    def __init__(self, settings: PoolSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._idle: list[Line] = []
        self._context: ssl.SSLContext | None = None
        self._closed = False

    def line(self, endpoint: Endpoint, *, fresh: bool) -> Line:
        """An open connection: a kept one that is still good, or (always with `fresh`) a new one.

        :raises NotSent: there is none to be had.
        """
        while not fresh:
            with self._lock:
                line = next((kept for kept in reversed(self._idle) if kept.endpoint == endpoint), None)
                if line is None:
                    break
                self._idle.remove(line)
            if not line.stale():
                return line
            line.close()
        return Line(endpoint, self.settings, self._tls())

    def keep(self, line: Line) -> None:
        with self._lock:
            self._idle.append(line)
            dropped = self._idle[:] if self._closed else self._idle[:-_KEPT_LINES]
            self._idle = [kept for kept in self._idle if kept not in dropped]
        for old in dropped:
            old.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()

    def _tls(self) -> ssl.SSLContext | None:
        if self.settings.plain_http:
            return None
        with self._lock:
            if self._context is None:
                self._context = context_for(self.settings)
            return self._context


class OnceTransport(xmlrpc.client.Transport):
    """Carries one call for :class:`XenAPI.Session`; afterwards `proof` tells about the connection."""

    def __init__(self, exchange: Exchange, endpoint: Endpoint, *, fresh: bool, silence_seconds: float) -> None:
        super().__init__()
        self._exchange = exchange
        self._endpoint = endpoint
        self._fresh = fresh
        self._silence = silence_seconds
        self.proof: Proof | None = None

    @property
    def address(self) -> str:
        return self._endpoint.address

    def request(self, host: Any, handler: str, request_body: Any, verbose: bool = False) -> Any:
        """:raises NotSent, PartlySent, AnswerLost: see there. Never tries again."""
        del host, verbose
        line = self._exchange.line(self._endpoint, fresh=self._fresh)
        self.proof = line.proof
        body = request_body if isinstance(request_body, bytes) else str(request_body).encode("utf-8")
        answer = Answer()
        try:
            for piece in line.exchange(
                handler,
                body,
                silence_seconds=self._silence,
                whole_seconds=max(self._silence, self._exchange.settings.whole_answer_seconds),
            ):
                answer.feed(piece)
            value = answer.close()
        except xml.parsers.expat.ExpatError as error:
            line.abandon()
            if error.code in _CUT_SHORT:
                raise AnswerLost(self.address, UNFINISHED) from error
            raise Strange(self.address, _NOT_XENAPI) from error
        except (xmlrpc.client.Error, ValueError, TypeError, LookupError) as error:
            line.abandon()
            raise Strange(self.address, _NOT_XENAPI) from error
        except BaseException:
            line.abandon()
            raise
        self._exchange.keep(line)
        return (value,)  # as xmlrpc.client has it


def call(transport: OnceTransport, handle: str, method: str, arguments: tuple[Any, ...]) -> Any:
    """One XenAPI call in a session, through the official client but without its own logging in again and re-sending.

    :raises XenAPI.Failure: the host's error array.
    :raises SessionGone: the session is not known there.
    :raises NotSent, PartlySent, AnswerLost: see :mod:`bot.xapi.broken`.
    """
    client = _client(transport)
    client._session = handle  # the client's way to take over an open session; a login is what arms its re-sending
    return _understood(transport, lambda: client.xenapi_request(method, arguments))


def login(transport: OnceTransport, *arguments: str) -> str:
    """`session.login_with_password` with the user name, the password and what follows them; returns the session's
    handle. :raises: as :func:`call`.
    """
    client = _client(transport)
    _unquoted(arguments, lambda: _understood(transport, lambda: client.login_with_password(*arguments)))
    return str(client.handle)


def logout(transport: OnceTransport, handle: str) -> None:
    """`session.logout`. :raises: as :func:`call`, but no failure of the call itself."""
    client = _client(transport)
    _understood(transport, lambda: getattr(client, "session.logout")(handle))


def local_login(transport: OnceTransport, *arguments: str) -> str:
    """`session.slave_local_login_with_password`: a session of that one host. :raises: as :func:`call`."""
    client = _client(transport)
    _unquoted(arguments, lambda: _understood(transport, lambda: client.slave_local_login_with_password(*arguments)))
    return str(client.handle)


def local_logout(transport: OnceTransport, handle: str) -> None:
    """`session.local_logout`. :raises: as :func:`call`."""
    client = _client(transport)
    _understood(transport, lambda: getattr(client, "session.local_logout")(handle))


def _client(transport: OnceTransport) -> Any:
    return XenAPI.Session("https://pool.invalid/", transport=transport)


def _unquoted(credentials: tuple[str, ...], log_in: Callable[[], Any]) -> None:
    """A host that refuses the credentials may quote them; what it says is shown to people.

    :raises XenAPI.Failure: without the password.
    """
    try:
        log_in()
    except XenAPI.Failure as failure:
        raise XenAPI.Failure(list(without(texts_of(failure.details), credentials[1:2]))) from None


def _understood(transport: OnceTransport, send: Callable[[], Any]) -> Any:
    try:
        return send()
    except xmlrpc.client.Fault as fault:
        # The client turns SESSION_INVALID into this fault when it has no login of its own to repeat.
        if fault.faultCode == _NOT_LOGGED_IN:
            raise SessionGone from fault
        raise Strange(transport.address, _NOT_XENAPI) from fault
    except TypeError as error:
        if transport.proof is None:
            raise  # an argument that XML-RPC cannot carry: a bug
        raise Strange(transport.address, _NOT_XENAPI) from error  # the client's own, for an answer without a Status
