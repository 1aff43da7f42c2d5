"""One connection to one host: HTTP/1.1 over TCP or TLS, one exchange at a time, with a limit on every wait."""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from typing import Any, cast

from bot.text import size
from bot.xapi.addresses import Endpoint
from bot.xapi.broken import AnswerLost, NotSent, PartlySent, Strange, TooMuch
from bot.xapi.settings import PoolSettings
from bot.xapi.trust import PLAIN_HTTP, Proof, proof_of, prove

#: An idle connection older than this is not used again: hosts and firewalls drop silent ones without a word.
IDLE_SECONDS = 20.0
#: The largest answer that is read: twelve times what 64 hosts with 4,000 VMs, all that is supported, answer in XML when
#: they are asked for everything (87 MB). The rest is for disks and snapshots.
LARGEST_ANSWER_BYTES = 1 << 30
UNFINISHED = "broke the connection off in the middle of its answer"
_PIECE_BYTES = 256 * 1024
_USER_AGENT = "xenia"
_NOBODY_THERE = frozenset({errno.EHOSTUNREACH, errno.EHOSTDOWN})
"""Other errors (no network, no file descriptors) are the bot's own, and prove nothing of a host."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Line:
    """An open, proven connection. Not for several threads at once; a failed exchange ends it."""

    def __init__(self, endpoint: Endpoint, settings: PoolSettings, context: ssl.SSLContext | None) -> None:
        """Connect and let the host prove itself.

        :raises NotSent: no connection, or no trust.
        """
        self.endpoint = endpoint
        self.proof: Proof = PLAIN_HTTP
        self._idle_since = time.monotonic()
        sock = _connect(endpoint, settings.connect_seconds)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                secure = prove(endpoint, sock, context, settings)
                self.proof = proof_of(secure, settings)
                sock = secure
        except BaseException:
            sock.close()
            raise
        self._sock: socket.socket = sock

    def close(self) -> None:
        self._sock.close()

    def abandon(self) -> None:
        """Close so that what was not delivered yet never is: else the system would go on sending a request that was
        given up, and a host that was away could take it minutes after it was looked for.
        """
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._sock.close()

    def stale(self) -> bool:
        """Is it unfit for another request: closed by the host, or with bytes nobody asked for, or silent too long?"""
        if self._sock.fileno() < 0 or time.monotonic() - self._idle_since > IDLE_SECONDS:
            return True
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            return bool(selector.select(0))

    def exchange(
        self,
        path: str,
        body: bytes,
        *,
        silence_seconds: float,
        whole_seconds: float,
        content_type: str = "text/xml",
    ) -> Iterator[bytes]:
        """Post `body` and give the answer's body in pieces.

        :raises PartlySent: the connection broke while the request was handed over.
        :raises AnswerLost: it broke, or stayed silent, afterwards.
        :raises Strange: the answer is not HTTP's 200.
        :raises TooMuch: it is larger than `LARGEST_ANSWER_BYTES`.
        """
        content = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        yield from self._exchange("POST", path, content, body, silence_seconds, whole_seconds)

    def fetch(self, path: str, *, silence_seconds: float, whole_seconds: float) -> Iterator[bytes]:
        """Get a file in pieces; the end of the connection may be the file's end. :raises: as :meth:`exchange`."""
        yield from self._exchange("GET", path, "", b"", silence_seconds, whole_seconds)

    def _exchange(
        self, method: str, path: str, headers: str, body: bytes, silence_seconds: float, whole_seconds: float
    ) -> Iterator[bytes]:
        limit = _Limit(self._sock, silence_seconds, time.monotonic() + whole_seconds)
        self._hand_over(method, path, headers, body, limit)
        answer = self._answer(method, limit)
        yield from self._pieces(answer, limit)
        self._idle_since = time.monotonic()

    def _hand_over(self, method: str, path: str, headers: str, body: bytes, limit: _Limit) -> None:
        host = f"[{self.endpoint.address}]" if ":" in self.endpoint.address else self.endpoint.address
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {_USER_AGENT}\r\n{headers}\r\n"
        try:
            limit.apply()
            self._sock.sendall(head.encode("latin-1") + body)
        except OSError as error:
            self.abandon()
            raise PartlySent(self.endpoint.address, "broke the connection off while the request was sent") from error

    def _answer(self, method: str, limit: _Limit) -> http.client.HTTPResponse:
        # HTTPResponse takes from its socket nothing but makefile("rb").
        answer = http.client.HTTPResponse(cast(socket.socket, limit), method=method)
        with self._understood(limit):
            answer.begin()
        if answer.status != http.client.OK:
            self.abandon()
            raise Strange(self.endpoint.address, f"answers HTTP {answer.status} instead of XenAPI")
        return answer

    def _pieces(self, answer: http.client.HTTPResponse, limit: _Limit) -> Iterator[bytes]:
        self._refuse_beyond(answer.length or 0)
        received = 0
        while True:
            with self._understood(limit):
                piece = answer.read1(_PIECE_BYTES)
            if not piece:
                break
            received += len(piece)
            self._refuse_beyond(received)
            yield piece
        if answer.length:
            self.abandon()
            raise AnswerLost(self.endpoint.address, UNFINISHED)
        if answer.will_close:
            self.close()

    def _refuse_beyond(self, count: int) -> None:
        if count > LARGEST_ANSWER_BYTES:
            self.abandon()
            why = f"answers with more than {size(LARGEST_ANSWER_BYTES)}, the most that the bot reads"
            raise TooMuch(self.endpoint.address, why)

    def _understood(self, limit: _Limit) -> _Understood:
        return _Understood(self, limit)


class _Understood:
    """Turns what reading can raise into :class:`AnswerLost`, in words, and ends the line."""

    def __init__(self, line: Line, limit: _Limit) -> None:
        self._line = line
        self._limit = limit

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        self._line.abandon()
        address = self._line.endpoint.address
        if isinstance(error, TimeoutError):
            why = f"takes requests but did not answer within {self._limit.waited:.0f} s"
            raise AnswerLost(address, why, timed_out=True) from error
        if isinstance(error, http.client.IncompleteRead):
            raise AnswerLost(address, UNFINISHED) from error
        if isinstance(error, ConnectionError | http.client.RemoteDisconnected | ssl.SSLError | OSError):
            raise AnswerLost(address, "broke the connection off before it answered") from error
        if isinstance(error, http.client.HTTPException):
            raise AnswerLost(address, "answers something that is not HTTP") from error


class _Limit:
    """What remains of the time for an answer; looks to http.client like the socket that it reads from."""

    def __init__(self, sock: socket.socket, silence_seconds: float, deadline: float) -> None:
        self._sock = sock
        self._silence = silence_seconds
        self._deadline = deadline
        self._began = time.monotonic()

    @property
    def waited(self) -> float:
        return time.monotonic() - self._began

    def apply(self) -> None:
        """:raises TimeoutError: nothing remains."""
        remains = self._deadline - time.monotonic()
        if remains <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._silence, remains))

    def makefile(self, mode: str, *_: Any) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(_Reading(self._sock, self), _PIECE_BYTES)


class _Reading(io.RawIOBase):
    def __init__(self, sock: socket.socket, limit: _Limit) -> None:
        self._sock = sock
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._limit.apply()
        return self._sock.recv_into(buffer)


def _connect(endpoint: Endpoint, seconds: float) -> socket.socket:
    try:
        return socket.create_connection((endpoint.host, endpoint.port), timeout=seconds)
    except TimeoutError as error:
        raise NotSent(endpoint.address, f"does not answer (no connection within {seconds:g} s)", absent=True) from error
    except ConnectionRefusedError as error:
        raise NotSent(endpoint.address, f"refuses connections on port {endpoint.port}", absent=True) from error
    except socket.gaierror as error:
        raise NotSent(
            endpoint.address, "is a name that cannot be resolved", remedy="Check the name, or the DNS."
        ) from error
    except (OSError, UnicodeError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        absent = getattr(error, "errno", None) in _NOBODY_THERE
        raise NotSent(endpoint.address, f"cannot be reached ({reason})", absent=absent) from error
