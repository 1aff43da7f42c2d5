"""The bot is killed (SIGKILL) at every numbered point between a command and its reply, and started again.

Afterwards, at each point: the request is at a true end, the pool took the call at most once (counted there), Slack
shows one card with the right end, and the ledger verifies.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

import pytest

from bot import compose, config
from bot.approval import END_STATES
from bot.clock import SystemClock
from bot.model import Request, State
from bot.store import SqliteStore
from bot.store.audit import verify_file
from tests.e2e.conftest import Town, text_of, town

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
MIGRATE = "Async.VM.pool_migrate"
COMMAND = "vm migrate web-1 to xs2"
AT_ONCE = 6

POINTS = (
    # the command arrives
    "store.first_sight before 1",
    "store.first_sight after 1",
    "store.open before 1",
    "store.open after 1",
    # its card goes out
    "store.posting before 1",
    "store.posting after 1",
    "slack.chat.postMessage after 1",
    "store.delivered after 1",
    # somebody approves
    "store.first_sight before 2",
    "store.first_sight after 2",
    "store.vote before 1",
    "store.vote after 1",
    "move.approved after 1",
    # it is planned again and begins
    "store.lock before 1",
    "store.lock after 1",
    "move.running after 1",
    # the call
    "hands.mark after 1",
    "store.intend after 1",
    "hands.send after 1",
    "store.note_call after 1",
    # the migration runs
    "hands.task after 2",
    "slack.chat.update before 1",
    "slack.chat.update after 1",
    # it has ended
    "hands.holds before 1",
    "hands.holds after 2",
    "store.note_call before 2",
    "store.note_call after 2",
    "hands.forget after 1",
    "move.succeeded after 1",
    "store.unlock after 1",
    # the note in the thread goes out
    "slack.chat.postMessage before 2",
    "slack.chat.postMessage after 2",
    "store.delivered before 2",
)
"""What lies between two of these is one of them: "after" one call is before the next."""


def until(found: Callable[[], T], what: str, seconds: float = 90.0) -> T:
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.05)


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


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    made = Victims(tmp_path_factory.mktemp("victims") / "log")
    yield made
    made.close()


class Case:
    """One lab, one workspace, one database, and the bots that die over them."""

    def __init__(self, place: Town, victims: Victims, point: str | None, command: str = COMMAND) -> None:
        self.place = place
        self.command = command
        self.victims = victims
        self.settings = config.load(place.config)
        self.pid = victims.start(place.config, point)
        self.statuses: list[int] = []
        until(self.database, "the database")
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
        until(lambda: self.victims.status(self.pid) is not None, "its end")

    # --- what people do, who do not know that it dies ----------------------------------------------------------------

    def go(self) -> Request:
        """Ask, approve, and do each again if nothing came of it: until the request has ended."""
        ws = self.place.workspace
        deadline = time.monotonic() + 50
        asked = pressed = -1e9
        while time.monotonic() < deadline:
            if self.died():
                asked = pressed = -1e9
                until(self.database, "the bot to listen again")
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


@contextmanager
def case(folder: Path, victims: Victims, point: str | None) -> Iterator[Case]:
    with town(folder, speed=50, run=False) as place:
        made = Case(place, victims, point)
        try:
            yield made
        finally:
            made.close()


def check(made: Case, request: Request) -> None:
    """The truth, as the pool and Slack and the ledger have it."""
    taken = made.place.lab.calls().get(MIGRATE, 0)
    where = made.place.host_of("web-1")
    assert taken <= 1
    if request.state is State.SUCCEEDED:
        assert (taken, where) == (1, "xs2")
    else:
        assert request.state is State.FAILED, request
        assert (taken, where) == (0, "xs1")
        assert request.result is not None
        assert "never reached the pool" in request.result.summary
    words = "Done" if request.state is State.SUCCEEDED else "Failed"
    (card,) = made.place.cards("X-1")
    assert words in text_of(card)
    assert "[ Approve ]" not in text_of(card)
    thread = made.place.workspace.messages("#infra", "olga", card["ts"])[1:]
    ends = [text_of(each) for each in thread if str(request.state) in text_of(each)]
    assert len(ends) == 1, ends
    verified = verify_file(made.settings.bot.database, compose.ledger_key(made.settings))
    assert verified.ok, verified.flaw
    kinds = [row.kind for row in made.store.ledger(pools=None, last=500)]
    assert kinds.count("call intended") == 1
    assert kinds.count(str(request.state)) == 1


def killed_at(number: int, folder: Path, victims: Victims) -> None:
    folder.mkdir()
    with case(folder, victims, POINTS[number - 1]) as made:
        request = made.go()
        assert made.statuses == [-signal.SIGKILL], "it was not killed there"
        check(made, request)


@pytest.fixture(scope="module")
def cases(
    request: pytest.FixtureRequest, victims: Victims, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Future[None]]]:
    """Every point that is asked for, several at a time: most of it is waiting."""
    wanted = [int(str(each.callspec.params["number"])) for each in request.session.items if _is_point(each)]
    folder = tmp_path_factory.mktemp("points")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {number: threads.submit(killed_at, number, folder / str(number), victims) for number in sorted(wanted)}


def _is_point(item: pytest.Item) -> TypeGuard[pytest.Function]:
    return isinstance(item, pytest.Function) and item.originalname == "test_killed_at"


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("number", range(1, len(POINTS) + 1), ids=lambda number: f"{number:02} {POINTS[number - 1]}")
def test_killed_at(number: int, cases: dict[int, Future[None]]) -> None:
    cases[number].result()


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_killed_while_the_migration_runs_it_is_taken_up_and_reported(tmp_path: Path, victims: Victims) -> None:
    with case(tmp_path, victims, None) as made:
        made.place.lab.set_speed(2)
        made.place.workspace.say("olga", "#infra", f"/xen {COMMAND}")
        card = until(made.card, "the card")
        assert card is not None
        made.place.workspace.press("ana", channel="#infra", ts=card["ts"], text="Approve")
        until(lambda: "%" in text_of(made.card() or {"blocks": [], "text": ""}), "its progress on the card")
        os.kill(made.pid, signal.SIGKILL)
        until(made.died, "its end")
        before = made.request()
        assert before is not None
        assert before.state is State.RUNNING
        made.place.lab.set_speed(50)
        until(lambda: (made.request() or before).state in END_STATES and made.told(), "the end to be told")
        request = made.request()
        assert request is not None
        assert request.state is State.SUCCEEDED
        assert request.result is not None
        assert any("took it up" in line for line in request.result.lines)
        assert "taken up" in [row.kind for row in made.store.ledger(pools=None, last=500)]
        check(made, request)
