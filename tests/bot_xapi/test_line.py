"""What is left on the way when a request is given up."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from bot.xapi import line as lines
from bot.xapi.addresses import Endpoint
from bot.xapi.broken import AnswerLost, TooMuch
from bot.xapi.line import Line
from bot.xapi.settings import PoolSettings

# More than fits into the receiver's buffer, less than into the sender's: most of it waits in the system, sent for good.
REQUEST = b"x" * 400_000


def test_a_request_that_was_given_up_is_not_delivered_later() -> None:
    """A host that was away comes back after the bot has looked for the call: the rest of it must not arrive then."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        settings = PoolSettings(
            name="lab", addresses=("127.0.0.1",), username="root", password=lambda: "secret", plain_http=True
        )
        line = Line(Endpoint("127.0.0.1", "127.0.0.1", port), settings, None)
        host, _ = door.accept()
        with host:
            with pytest.raises(AnswerLost) as lost:
                list(line.exchange("/", REQUEST, silence_seconds=0.3, whole_seconds=1.0))
            assert lost.value.timed_out
            host.settimeout(5)
            arrived = 0
            with contextlib.suppress(ConnectionResetError):
                while piece := host.recv(65536):
                    arrived += len(piece)
    assert arrived < len(REQUEST)


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[Line]:
    """A line to a host that takes any request, answers so and closes."""
    settings = PoolSettings(
        name="lab", addresses=("127.0.0.1",), username="root", password=lambda: "secret", plain_http=True
    )
    with socket.create_server(("127.0.0.1", 0)) as door:
        line = Line(Endpoint("127.0.0.1", "127.0.0.1", door.getsockname()[1]), settings, None)
        host, _ = door.accept()

        def serve() -> None:
            with host, contextlib.suppress(OSError):
                host.recv(65536)
                host.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield line
        finally:
            line.close()
            thread.join(60)


SIZES = {"told": b"Content-Length: 5000\r\n", "not told": b"", "in chunks": b"Transfer-Encoding: chunked\r\n"}


@pytest.mark.parametrize("told", SIZES)
def test_an_answer_has_a_limit(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"x" * 5000
    whole = b"1388\r\n" + body + b"\r\n0\r\n\r\n" if told == "in chunks" else body
    message = b"HTTP/1.1 200 OK\r\n" + SIZES[told] + b"\r\n" + whole
    monkeypatch.setattr(lines, "LARGEST_ANSWER_BYTES", 5000)
    with answering(message) as line:
        assert b"".join(line.exchange("/", b"x", silence_seconds=60, whole_seconds=60)) == body
    monkeypatch.setattr(lines, "LARGEST_ANSWER_BYTES", 4999)
    with answering(message) as line, pytest.raises(TooMuch, match="answers with more than"):
        list(line.exchange("/", b"x", silence_seconds=60, whole_seconds=60))


def test_an_answer_that_is_cut_short_is_none() -> None:
    with (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhalf of it") as line,
        pytest.raises(AnswerLost, match="in the middle of its answer"),
    ):
        list(line.exchange("/", b"x", silence_seconds=60, whole_seconds=60))
