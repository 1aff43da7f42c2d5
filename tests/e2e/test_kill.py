"""The bot is killed (SIGKILL) at every numbered point between a command and its reply, and started again.

Afterwards, at each point: the request is at a true end, the pool took the call at most once (counted there), Slack
shows one card with the right end, and the ledger verifies.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

import pytest

from bot import compose
from bot.approval import END_STATES
from bot.model import Request, State
from bot.store.audit import verify_file
from tests.e2e.conftest import text_of, town
from tests.e2e.victims import COMMAND, Case, Victims
from tests.waiting import eventually

MIGRATE = "Async.VM.pool_migrate"
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
        card = eventually(made.card, "the card")
        assert card is not None
        made.place.workspace.press("ana", channel="#infra", ts=card["ts"], text="Approve")
        eventually(lambda: "%" in text_of(made.card() or {"blocks": [], "text": ""}), "its progress on the card")
        os.kill(made.pid, signal.SIGKILL)
        eventually(made.died, "its end")
        before = made.request()
        assert before is not None
        assert before.state is State.RUNNING
        made.place.lab.set_speed(50)
        eventually(lambda: (made.request() or before).state in END_STATES and made.told(), "the end to be told")
        request = made.request()
        assert request is not None
        assert request.state is State.SUCCEEDED
        assert request.result is not None
        assert any("took it up" in line for line in request.result.lines)
        assert "taken up" in [row.kind for row in made.store.ledger(pools=None, last=500)]
        check(made, request)
