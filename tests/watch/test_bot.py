"""The pages of a whole bot between both sandboxes: what happens there shows here."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Town, town
from tests.waiting import eventually
from tests.watch.scraped import figures

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 60


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Town]:
    def listening(text: str) -> str:
        return text + "\n[watch]\nport = 0\nprobe_seconds = 10\n"

    with town(tmp_path, change=listening) as place:
        yield place


def get(place: Town, page: str) -> tuple[int, bytes]:
    assert place.bot is not None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{place.bot.watch_port}{page}", timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_what_happens_shows_in_the_figures(watched: Town) -> None:
    assert get(watched, "/readyz")[0] == 200
    watched.say("pool status")
    watched.ask("vm migrate web-1 to xs2")
    page = get(watched, "/metrics")[1]
    found = figures(page)
    assert found["xenia_commands_total", (("command", "pool status"), ("outcome", "shown"))] == 1
    assert found["xenia_commands_total", (("command", "vm migrate"), ("outcome", "opened"))] == 1
    assert found["xenia_acknowledgement_seconds_count", ()] >= 2
    assert found["xenia_requests", (("state", "waiting for votes"),)] == 1
    assert found["xenia_pool_up", (("pool", "lab"),)] == 1
    assert found["xenia_ledger_rows", ()] >= 3
    assert any(name == "xenia_pool_calls_total" and ("method", "event.from") in labels for name, labels in found)
    for name in (b"web-1", b"xs2", b"olga", b"U0OLGA", b"OpaqueRef"):
        assert name not in page


def test_a_pool_that_nobody_asks_is_looked_at_and_one_that_is_gone_is_seen(watched: Town) -> None:
    def up() -> float | None:
        return figures(get(watched, "/metrics")[1]).get(("xenia_pool_up", (("pool", "lab"),)))

    eventually(lambda: up() == 1, "the first look", LIMIT_SECONDS)
    for host in ("xs1", "xs2"):
        watched.lab.kill(host)
    watched.say("pool status in lab")
    assert up() == 0
    assert get(watched, "/readyz")[0] == 200  # a pool that is away is no reason to restart the bot


def test_the_ledger_is_verified_soon_after_the_start(watched: Town) -> None:
    def verified() -> bool:
        return ("xenia_ledger_whole", ()) in figures(get(watched, "/metrics")[1])

    eventually(verified, "the verification", LIMIT_SECONDS)


# --- as a service -----------------------------------------------------------------------------------------------------


def test_as_a_service_it_says_when_it_is_ready_lives_and_stops(tmp_path: Path) -> None:
    """`xenia run` with Type=notify and WatchdogSec, its log as JSON; SIGTERM ends it with status 0."""
    notified = tmp_path / "notify"
    with town(tmp_path, run=False, change=lambda text: text.replace("[bot]", '[bot]\nlog = "json"')) as place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, (tmp_path / "log").open("wb") as log:
            manager.bind(str(notified))
            manager.settimeout(LIMIT_SECONDS)
            bot = subprocess.Popen(
                [sys.executable, "-m", "bot", "run", "--config", str(place.config)],
                cwd=ROOT,
                env={**os.environ, "NOTIFY_SOCKET": str(notified), "WATCHDOG_USEC": "600000"},
                stdout=log,
                stderr=log,
            )
            try:
                said = [manager.recv(1000)]
                while not said[-1].startswith(b"READY=1"):
                    said.append(manager.recv(1000))
                assert b"pools: lab" in said[-1]
                while manager.recv(1000) != b"WATCHDOG=1":
                    pass
            finally:
                bot.send_signal(signal.SIGTERM)
                status = bot.wait(LIMIT_SECONDS)
            while manager.recv(1000) != b"STOPPING=1":
                pass
            assert status == 0
        lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
        assert any("listening in Slack" in line["message"] for line in lines)


def test_a_second_bot_on_the_same_database_says_so(watched: Town, tmp_path: Path) -> None:
    log = tmp_path / "second.log"
    with log.open("wb") as out:
        second = subprocess.Popen(
            [sys.executable, "-m", "bot", "run", "--config", str(watched.config)], cwd=ROOT, stdout=out, stderr=out
        )
        try:
            eventually(lambda: b"listening in Slack" in log.read_bytes(), "the second bot", LIMIT_SECONDS)
        finally:
            second.send_signal(signal.SIGTERM)
            assert second.wait(LIMIT_SECONDS) == 0
    assert f"process {os.getpid()} of".encode() in log.read_bytes()
    assert b"Stop one of them" in log.read_bytes()
    assert watched.bot is not None
    assert any(row.kind == "second bot" for row in watched.bot.store.ledger(pools=None, last=20))
