"""What systemd is told, over a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import service

LIMIT_SECONDS = 20


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(LIMIT_SECONDS)
        yield sock


def where(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def test_it_is_told_in_one_message(manager: socket.socket) -> None:
    assert service.tell("READY=1", "STATUS=Listening", environment=where(manager))
    assert manager.recv(1000) == b"READY=1\nSTATUS=Listening"


def test_an_address_without_a_file_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        name = f"xenia-test-{os.getpid()}"
        sock.bind(f"\0{name}")
        sock.settimeout(LIMIT_SECONDS)
        assert service.tell("READY=1", environment={"NOTIFY_SOCKET": f"@{name}"})
        assert sock.recv(1000) == b"READY=1"


def test_without_systemd_nobody_is_told(tmp_path: Path) -> None:
    assert not service.tell("READY=1", environment={})
    assert not service.tell("READY=1", environment={"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_the_watchdog_is_fed_while_all_is_well_and_not_when_it_is_not(manager: socket.socket) -> None:
    wrong = [""]
    dog = service.Watchdog(lambda: wrong[0], where(manager, WATCHDOG_USEC="60000", WATCHDOG_PID=str(os.getpid())))
    dog.start()
    try:
        assert manager.recv(1000) == b"WATCHDOG=1"
        wrong[0] = "the timer stands still"
        while (said := manager.recv(1000)) == b"WATCHDOG=1":
            pass  # sent before it went wrong
        assert said == b"STATUS=Not well: the timer stands still"
        for _ in range(3):
            assert manager.recv(1000) == b"STATUS=Not well: the timer stands still"
    finally:
        dog.close()


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "many"}, {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}],
    ids=["none", "zero", "words", "another process"],
)
def test_a_watchdog_that_is_not_wanted_is_not_fed(environment: dict[str, str]) -> None:
    assert service.Watchdog(lambda: "", environment).seconds == 0


def test_it_is_fed_three_times_in_its_time() -> None:
    assert service.Watchdog(lambda: "", {"WATCHDOG_USEC": "60000000"}).seconds == 20
