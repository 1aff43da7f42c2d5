"""The bot's own HTTP server: many at once, the end in the middle of a delivery, senders that hang up."""

from __future__ import annotations

import logging
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import cast

import pytest
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.slack import http_mode, http_port
from bot.slack.http_mode import PATH, HttpMode
from tests.waiting import eventually

LIMIT_SECONDS = 60
SECRET = "s" * 32


def signed(body: bytes, secret: str = SECRET, at: str = "") -> dict[str, str]:
    """The headers that Slack sends with it."""
    stamp = at or str(int(time.time()))
    made = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": made or ""}


def head(body: bytes, length: int) -> bytes:
    lines = [f"POST {PATH} HTTP/1.1", f"Content-Length: {length}", *(f"{k}: {v}" for k, v in signed(body).items())]
    return "\r\n".join([*lines, "", ""]).encode()


class Slow:
    """In the place of Bolt's app: holds a delivery until it is told."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.go_on = threading.Event()
        self.handled: list[str] = []
        self.breaks = False

    def dispatch(self, request: BoltRequest) -> BoltResponse:
        self.arrived.set()
        assert self.go_on.wait(LIMIT_SECONDS)
        if self.breaks:
            raise ValueError("a defect")
        self.handled.append(request.raw_body)
        return BoltResponse(status=200, body="")


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def server(slow: Slow) -> Iterator[HttpMode]:
    made = HttpMode(cast(App, slow), SECRET, "127.0.0.1", 0, lambda _: None, lambda _: None)
    made.start()
    yield made
    slow.go_on.set()
    made.close()


def in_a_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def post(port: int, body: bytes = b"a=b", headers: dict[str, str] | None = None) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{PATH}", body, signed(body) if headers is None else headers
    )
    with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
        return int(answer.status)


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS).close()
    except OSError:
        return True
    return False


def test_a_hundred_may_knock_before_the_first_is_let_in(server: HttpMode) -> None:
    assert server._server is not None
    server._server.shutdown()  # it accepts nobody, and its port is still open
    with ExitStack() as lines:
        for _ in range(100):
            lines.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))


def test_what_has_arrived_is_answered_before_it_ends(server: HttpMode, slow: Slow) -> None:
    answers: list[int] = []
    port = server.port
    sender = in_a_thread(lambda: answers.append(post(port)))
    assert slow.arrived.wait(LIMIT_SECONDS)

    def once_closed() -> None:
        eventually(lambda: refused(port), "the port to be closed")
        slow.go_on.set()

    in_a_thread(once_closed)
    server.close()
    assert slow.handled == ["a=b"]
    sender.join(LIMIT_SECONDS)
    assert answers == [200]


def test_a_sender_that_hangs_up_half_way_is_not_heard(server: HttpMode, slow: Slow) -> None:
    slow.go_on.set()
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS) as line:
        line.sendall(head(b"a=b", 100) + b"a=b")
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1000) == b""
    assert not slow.arrived.is_set()


def test_a_delivery_that_nobody_waits_for_any_more_counts_and_leaves_no_traceback(
    server: HttpMode, slow: Slow, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() resets the connection
        line.sendall(head(b"a=b", 3) + b"a=b")
        assert slow.arrived.wait(LIMIT_SECONDS)
    slow.go_on.set()
    eventually(lambda: "ended before its time" in caplog.text, "its end in the log")
    assert slow.handled == ["a=b"]
    assert "Traceback" not in capfd.readouterr().err
    assert post(server.port) == 200


def test_a_defect_is_one_in_the_log(
    server: HttpMode, slow: Slow, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    slow.breaks = True
    slow.go_on.set()
    with pytest.raises(OSError, match=r"."):
        post(server.port)
    eventually(lambda: "by a defect" in caplog.text, "the defect in the log")
    assert "ValueError: a defect" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "body",
    [b"{bad", b"[" * 200_000, b"payload=%5B1%5D", b"payload=1", b"1", b"\xff", b"command=%2Fxen&text=412907"],
    ids=["half", "deep", "list", "number", "bare", "bytes", "command"],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": "now", "X-Slack-Signature": "v0=0"},
        {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=\xe9"},
        {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=" + "0" * 64},
    ],
    ids=["none", "no-time", "no-ascii", "wrong"],
)
def test_what_is_not_signed_is_not_read_and_not_written_down(
    server: HttpMode, slow: Slow, caplog: pytest.LogCaptureFixture, body: bytes, headers: dict[str, str]
) -> None:
    """A body may hold a one-time code, or be made to break whoever reads it."""
    caplog.set_level(logging.DEBUG)
    slow.go_on.set()
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(server.port, body, headers)
    assert raised.value.code == 401
    assert not slow.arrived.is_set()
    assert "412907" not in caplog.text
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def made_late(body: bytes) -> dict[str, str]:
    return signed(body, at=str(int(time.time()) - 400))


@pytest.mark.parametrize("headers", [lambda _: {}, made_late], ids=["unsigned", "late"])
def test_what_its_head_gives_away_is_turned_away_and_its_body_not_kept(
    server: HttpMode, slow: Slow, monkeypatch: pytest.MonkeyPatch, headers: Callable[[bytes], dict[str, str]]
) -> None:
    monkeypatch.setattr(http_mode, "_LARGE_BODY", 0)  # whatever is kept takes a place,
    monkeypatch.setattr(server._server, "large", threading.BoundedSemaphore(1))
    assert server._server is not None
    assert server._server.large.acquire(blocking=False)  # and there is none: it would be a 503
    body = b"x" * (3 * 1024 * 1024)
    for _ in range(3):
        with pytest.raises(urllib.error.HTTPError) as raised:
            post(server.port, body, headers(body))
        assert raised.value.code == 401
    assert not slow.arrived.is_set()


def test_a_late_one_is_refused_however_small_and_well_signed(server: HttpMode, slow: Slow) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(server.port, b"a=b", made_late(b"a=b"))
    assert raised.value.code == 401
    assert not slow.arrived.is_set()


def test_few_large_bodies_are_held_at_once_and_small_ones_do_not_wait_for_them(
    server: HttpMode, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server._server is not None
    monkeypatch.setattr(server._server, "large", threading.BoundedSemaphore(1))
    large, answers = b"x" * (http_mode._LARGE_BODY + 1), list[int]()
    first = in_a_thread(lambda: answers.append(post(server.port, large)))
    assert slow.arrived.wait(LIMIT_SECONDS)
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(server.port, large)
    assert raised.value.code == 503
    slow.go_on.set()
    assert post(server.port, b"x" * http_mode._LARGE_BODY) == 200
    first.join(LIMIT_SECONDS)
    assert answers == [200]
    assert post(server.port, large) == 200  # its place is free again


def test_slack_may_look_at_the_certificate_without_a_signature(server: HttpMode, slow: Slow) -> None:
    assert post(server.port, b"ssl_check=1&token=abc", {}) == 200
    assert not slow.arrived.is_set()


def drip(line: socket.socket) -> None:
    for _ in range(900):
        line.sendall(b"x")
        time.sleep(0.05)


def test_who_sends_slowly_is_hung_up_on_although_each_byte_comes_in_time(
    server: HttpMode, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_port, "ARRIVAL_SECONDS", 0.3)
    slow.go_on.set()
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS) as line:
        line.sendall(head(b"x" * 1000, 1000))
        with pytest.raises(ConnectionError, match=r"."):
            drip(line)
    assert not slow.arrived.is_set()


def test_there_is_room_for_so_many_on_their_way(server: HttpMode, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_port, "_MOST_ARRIVING", 2)
    slow.go_on.set()
    with ExitStack() as lines:
        for _ in range(2):
            lines.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS))
        eventually(lambda: server._server is not None and len(server._server._arriving) == 2, "both to be let in")
        with pytest.raises(OSError, match=r"."):
            post(server.port)
    eventually(lambda: server._server is not None and not server._server._arriving, "both to be gone")
    assert post(server.port) == 200
