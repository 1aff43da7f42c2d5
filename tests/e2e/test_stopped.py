"""SIGTERM in the middle of a migration, as a service manager or an upgrade sends it: the real process, over both
sandboxes. The bot ends within its time, the pool goes on, and the bot that is started next tells the true end.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot import compose, config
from bot.approval import END_STATES
from bot.clock import SystemClock
from bot.demo.lab import write_config
from bot.model import Request, State
from bot.slack.http_mode import PATH
from bot.store import SqliteStore
from bot.store.audit import verify_file
from sandbox.slack.running import start as start_workspace
from sandbox.slack.settings import Settings
from sandbox.xapi import lab as labs
from sandbox.xapi.running import start as start_lab
from tests.deploy.proxied import SLACK_CLOCK, Process, reserved
from tests.e2e.conftest import SPEED, Town, text_of
from tests.waiting import eventually

MIGRATE = "Async.VM.pool_migrate"
STOP_SECONDS = 90
"""What deploy/xenia.service gives it (TimeoutStopSec)."""


@dataclass
class Stopping:
    """One lab, one workspace, and bots one after the other, each a process."""

    place: Town
    store: SqliteStore
    process: Process | None = None
    logs: list[Path] = field(default_factory=list)

    def start(self) -> None:
        self.logs.append(self.place.config.parent / f"bot-{len(self.logs)}.log")
        words = [sys.executable, "-m", "bot", "run", "--config", str(self.place.config)]
        process = self.process = Process(words, self.logs[-1])
        eventually(lambda: "listening in Slack" in process.said() or process.popen.poll() is not None, "the bot")
        assert process.popen.poll() is None, process.said()

    def stop(self) -> None:
        """SIGTERM: it ends in its time, with status 0."""
        assert self.process is not None
        self.process.popen.send_signal(signal.SIGTERM)
        assert self.process.popen.wait(STOP_SECONDS) == 0, self.process.said()

    def request(self) -> Request:
        found = self.store.request("X-1")
        assert found is not None
        return found

    def card(self) -> dict[str, Any]:
        (card,) = self.place.cards("X-1")
        return card

    def approved(self, command: str) -> None:
        self.place.ask(command)
        self.place.press("Approve", "X-1")

    def ended(self) -> Request:
        def told() -> bool:
            over = self.request().state in END_STATES | {State.UNKNOWN}
            return over and self.store.next_due() is None

        eventually(told, "the end to be told")
        return self.request()

    def kinds(self) -> list[str]:
        return [row.kind for row in reversed(self.store.ledger(pools=None, last=500))]


@contextmanager
def stopping(folder: Path, mode: str) -> Iterator[Stopping]:
    with ExitStack() as stack:
        settings, port = Settings(), None
        if mode == "http":
            port = stack.enter_context(reserved())
            settings = replace(settings, request_url=f"http://127.0.0.1:{port}{PATH}")
        lab = stack.enter_context(start_lab(labs.load("tutorial"), tls=True, speed=SPEED))
        workspace = stack.enter_context(start_workspace(settings, clock_scale=SLACK_CLOCK))
        path = write_config(folder, lab, workspace)
        if mode == "http":
            secret = folder / "signing-secret"
            secret.touch(mode=0o600)
            secret.write_text(workspace.signing_secret, encoding="utf-8")
            added = f'mode = "http"\nhttp_port = {port}\nsigning_secret = "file:{secret}"\n'
            path.write_text(
                path.read_text(encoding="utf-8").replace("[slack]\n", f"[slack]\n{added}", 1), encoding="utf-8"
            )
        loaded = config.load(path)
        store = SqliteStore(loaded.bot.database, clock=SystemClock(), ledger_key=compose.ledger_key(loaded))
        stack.callback(store.close)
        made = Stopping(Town(lab, workspace, path), store)
        stack.callback(lambda: made.process and made.process.end())
        made.start()
        yield made
        verified = verify_file(loaded.bot.database, compose.ledger_key(loaded))
        assert verified.ok, verified.flaw


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["socket", "http"])
def test_stopped_while_a_migration_runs(mode: str, tmp_path: Path) -> None:
    with stopping(tmp_path, mode) as bots:
        bots.place.lab.set_speed(0.02)
        bots.approved("vm migrate web-1 to xs2")
        eventually(lambda: "%" in text_of(bots.card()), "its progress on the card")
        bots.stop()
        request = bots.request()
        assert request.state is State.RUNNING
        assert bots.place.host_of("web-1") == "xs1"  # the pool is still at it
        (stopped,) = [row for row in bots.store.ledger(pools=None, last=50) if row.kind == "stopped"]
        assert stopped.body["running"] == 1
        bots.place.lab.set_speed(50)
        eventually(lambda: bots.place.host_of("web-1") == "xs2", "the pool to end it while no bot runs")
        bots.start()
        request = bots.ended()
        assert request.state is State.SUCCEEDED
        assert request.result is not None
        assert "another run of the bot began it; this one took it up" in request.result.lines
        assert "connection" not in str(request.result)
        assert "Done" in text_of(bots.card())
        assert bots.place.lab.calls()[MIGRATE] == 1
        assert bots.kinds().count("call intended") == bots.kinds().count("taken up") == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_stopped_while_the_pool_has_not_answered_the_call(tmp_path: Path) -> None:
    with stopping(tmp_path, "socket") as bots:
        bots.place.lab.slow("xs1", 8.0, MIGRATE)
        bots.approved("vm migrate web-1 to xs2")
        eventually(lambda: bots.store.calls("X-1"), "the call to be written down")
        eventually(lambda: bots.place.lab.calls().get(MIGRATE), "the pool to have it")
        bots.stop()
        bots.start()
        request = bots.ended()
        assert request.state is State.SUCCEEDED
        assert bots.place.host_of("web-1") == "xs2"
        assert "Done" in text_of(bots.card())
        assert bots.place.lab.calls()[MIGRATE] == 1
        assert "the bot was stopped or restarted before it had the answer" in str(request.result)
        assert "connection" not in str(request.result)
