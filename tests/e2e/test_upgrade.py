"""A database that an early version left: today's bot migrates it, finds its record whole, and goes on with it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot import cli, compose, config
from bot.clock import SystemClock
from bot.model import State
from bot.store import SqliteStore, verify_file
from bot.store.migrations import MIGRATIONS
from tests.e2e.conftest import town

DUMP = (Path(__file__).parents[1] / "bot_store/files/schema_0001.sql").read_text(encoding="utf-8")
KEY = re.findall(r"^-- ([0-9a-f]{64})$", DUMP, re.MULTILINE)[0]
ROWS = 10
"""Rows of its ledger."""


def early(path: Path) -> Path:
    """The file as the early version left it."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(DUMP)
    path.chmod(0o600)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return early(tmp_path / "xenia.sqlite3")


def test_it_is_migrated_and_its_record_stays_whole(path: Path) -> None:
    store = SqliteStore(path, clock=SystemClock(), ledger_key=KEY.encode())
    try:
        found = store.verify()
        assert found.ok
        assert found.rows >= ROWS
        done, open_one = store.request("X-1"), store.request("X-2")
    finally:
        store.close()
    assert done is not None
    assert open_one is not None
    assert (done.state, done.plan.command, len(done.votes)) == (State.SUCCEEDED, "vm migrate", 1)
    assert open_one.text == "vm migrate web-1 to xs1"
    with closing(sqlite3.connect(path)) as db:
        applied = [name for (name,) in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]
    assert applied == [each.name for each in MIGRATIONS._migrations]


def test_its_record_can_be_verified_before(path: Path) -> None:
    """The newer program's `xenia ledger verify`, while the older one still runs."""
    assert verify_file(path, KEY.encode()).ok


def test_what_it_was_is_kept_beside_it(path: Path) -> None:
    SqliteStore(path, clock=SystemClock(), ledger_key=KEY.encode()).close()
    kept = path.with_name(f"{path.name}.before-0002")
    assert verify_file(kept, KEY.encode()).rows == ROWS


def test_a_row_that_was_changed_before_is_found_afterwards(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DROP TRIGGER ledger_refuses_update")
        db.execute("UPDATE ledger SET actor_name = 'somebody else' WHERE seq = 5")
    store = SqliteStore(path, clock=SystemClock(), ledger_key=KEY.encode())
    try:
        assert not store.verify().ok
    finally:
        store.close()


def test_today_s_bot_works_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with town(tmp_path, run=False) as place:
        early(tmp_path / "xenia.sqlite3")
        (tmp_path / "ledger-key").write_text(KEY, encoding="utf-8")
        with compose.running(config.load(place.config)) as bot:
            place.bot = bot
            assert "X-1" in place.say("request show X-1")
            request_id = place.ask("vm migrate web-1 to xs2")
            assert request_id not in ("X-1", "X-2")
            place.press("Approve", request_id)
            assert place.ended(request_id).state is State.SUCCEEDED
        assert cli.main(["ledger", "verify", "--config", str(place.config)]) == 0
        assert "The ledger is whole" in capsys.readouterr().out
