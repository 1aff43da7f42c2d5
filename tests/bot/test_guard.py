"""What the log says of an ask and of what became of it: one who is on call reads it without the database."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from bot import logs
from bot.answers import Answer, Bug, Opened, Problem, Repeated
from bot.errors import Denied, NotFound
from bot.guard import guarded
from bot.model import Place
from tests.bot.fakes import OLGA
from tests.bot.world import World


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log's lines, the seconds left out."""
    return [re.sub(r"\d+\.\d+ s", "… s", record.getMessage()) for record in caplog.records]


def never() -> bool:
    return False


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot")


def test_it_says_what_was_asked_and_how_it_was_answered(caplog: pytest.LogCaptureFixture) -> None:
    opened = Opened(request_id="X-7", place=Place(kind="slack"), title="move web-1")
    assert guarded(never, OLGA, "vm migrate web-1", lambda: opened) is opened
    assert told(caplog) == [f"{OLGA.key}: vm migrate web-1", "answered after … s: opened: X-7"]


def test_what_a_person_was_refused_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def nowhere() -> Answer:
        raise NotFound("There is no VM “web-9”.")

    def denied() -> Answer:
        raise Denied("You may not do this.")

    assert isinstance(guarded(never, OLGA, "vm show web-9", nowhere), Problem)
    assert told(caplog)[1:] == ["answered after … s: not found: There is no VM “web-9”."]
    assert isinstance(guarded(never, OLGA, "vm show", denied), Problem)
    assert "WARNING" in [record.levelname for record in caplog.records]


def test_a_defect_has_the_reference_that_the_person_was_shown(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Answer:
        raise ZeroDivisionError

    answer = guarded(never, OLGA, "vm list", broken)
    assert isinstance(answer, Bug)
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert answer.reference in line.getMessage()
    assert line.exc_info is not None


def test_what_is_delivered_again_is_neither_answered_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    def twice() -> Answer:
        pytest.fail("it was answered before")

    assert isinstance(guarded(lambda: True, OLGA, "vm list", twice), Repeated)
    assert told(caplog) == []


def test_a_request_can_be_followed_from_its_vote_to_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[str, str]] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append((logs.subjects().get("request", ""), record.getMessage()))

    listening = Listening()
    world = World(tmp_path / "x.sqlite3")
    logging.getLogger("bot").addHandler(listening)
    try:
        id = world.approved("vm move web-1 to xs2")
        world.run()
    finally:
        logging.getLogger("bot").removeHandler(listening)
        world.bot.crash()
    assert ("", f"{id}: now approved") in seen
    mine = [re.sub(r" after \d+\.\d+ s", " after … s", text) for request, text in seen if request == id]
    assert mine[:3] == ["now running", "step 1 of 1 begun: Move web-1 to xs2", "step 1 of 1 done: Move web-1 to xs2"]
    assert mine[3].startswith("now succeeded")
