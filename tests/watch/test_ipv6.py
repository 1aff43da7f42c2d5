"""On a machine that has IPv6 only, the bot listens all the same."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from bot.listening import shown
from bot.slack.http_port import Server
from bot.watch import Health
from bot.watch.server import WatchServer, _Handler


@pytest.fixture(autouse=True)
def ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")


def test_the_pages_of_the_watch() -> None:
    server = WatchServer("::1", 0, Health({}, {}), lambda: b"figures")
    try:
        with urllib.request.urlopen(f"http://{shown('::1', server.port)}/metrics", timeout=60) as answer:
            assert answer.read() == b"figures"
    finally:
        server.close()


def test_the_port_of_http_mode() -> None:
    with (
        Server(("::1", 0), _Handler) as server,
        socket.create_connection(("::1", server.server_address[1]), timeout=60) as line,
    ):
        assert line.family is socket.AF_INET6
