"""Bots as processes that die where they are told to, and are started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bot import compose, config
from bot.approval import END_STATES
from bot.clock import SystemClock
from bot.model import Request, State
from bot.store import SqliteStore
from tests.e2e.conftest import Town, text_of
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
COMMAND = "vm migrate web-1 to xs2"


class Victims:
    """Bots as processes of their own."""

    def __init__(self, log: Path) -> None:
        self._lock = threading.Lock()
        with log.open("w") as errors:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.victim"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def start(self, path: Path, point: str | None) -> int:
        return int(self._ask({"config": str(path), "point": point})["pid"])

    def status(self, pid: int) -> int | None:
        """Its exit status, -9 after SIGKILL; None while it lives. To be asked until it says a number, once."""
        status: int | None = self._ask({"wait": pid})["status"]
        return status

    def _ask(self, told: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            assert self._parent.stdin is not None
            assert self._parent.stdout is not None
            self._parent.stdin.write(json.dumps(told) + "\n")
            self._parent.stdin.flush()
            answer: dict[str, Any] = json.loads(self._parent.stdout.readline())
            return answer

    def close(self) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait(10)


class Case:
    """One lab, one workspace, one database, and the bots that die over them."""

    def __init__(self, place: Town, victims: Victims, point: str | None, command: str = COMMAND) -> None:
        self.place = place
        self.command = command
        self.victims = victims
        self.settings = config.load(place.config)
        self.pid = victims.start(place.config, point)
        self.statuses: list[int] = []
        eventually(self.database, "the database")
        self.store = SqliteStore(
            self.settings.bot.database, clock=SystemClock(), ledger_key=compose.ledger_key(self.settings)
        )

    def database(self) -> bool:
        """There is one, and the bot listens."""
        listens: bool = self.place.workspace.run(lambda: bool(self.place.workspace.workspace.socket_mode.connections))
        return listens and self.settings.bot.database.exists()

    def died(self) -> bool:
        """Whether it has died; then it is started again, this time to live."""
        if self.statuses:
            return False
        status = self.victims.status(self.pid)
        if status is None:
            return False
        self.statuses.append(status)
        self.pid = self.victims.start(self.place.config, None)
        return True

    def request(self) -> Request | None:
        found = self.store.in_states(State)
        assert len(found) <= 1, "one question, two requests"
        return found[0] if found else None

    def card(self) -> dict[str, Any] | None:
        return self.place.card("X-1")

    def close(self) -> None:
        self.store.close()
        os.kill(self.pid, signal.SIGKILL)
        eventually(lambda: self.victims.status(self.pid) is not None, "its end")

    # --- what people do, who do not know that it dies ----------------------------------------------------------------

    def go(self) -> Request:
        """Ask, approve, and do each again if nothing came of it: until the request has ended."""
        ws = self.place.workspace
        deadline = time.monotonic() + 50
        asked = pressed = -1e9
        while time.monotonic() < deadline:
            if self.died():
                asked = pressed = -1e9
                eventually(self.database, "the bot to listen again")
            request, card = self.request(), self.card()
            if request is None and time.monotonic() > asked + 5:
                ws.say("olga", "#infra", f"/xen {self.command}")
                asked = time.monotonic()
            waits = request is not None and request.state is State.WAITING and not request.votes
            if waits and card is not None and "[ Approve ]" in text_of(card) and time.monotonic() > pressed + 3:
                ws.press("ana", channel="#infra", ts=card["ts"], text="Approve")
                pressed = time.monotonic()
            if request is not None and request.state in END_STATES | {State.UNKNOWN} and self.told():
                return request
            time.sleep(0.05)
        raise AssertionError(f"it came to no end: {self.request()}")

    def told(self) -> bool:
        """Slack shows all that there is to show, and the doomed bot has died."""
        return self.store.next_due() is None and (bool(self.statuses) or self.died())
