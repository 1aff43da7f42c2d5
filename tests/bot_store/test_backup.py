"""A copy while the bot works, and its way back."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from bot.errors import Refused, Unavailable
from bot.model import State
from bot.store import SqliteStore
from bot.store.backup import backup, restore
from bot.store.mark import Mark, path_of
from tests.bot_store.helpers import KEY, START, HandClock, after, dump, entry, look, meddle, opened, reopened


@pytest.fixture
def copy(store: SqliteStore, path: Path, tmp_path: Path) -> Path:
    """Of a database with an approved request, made while the store is open; closed then."""
    opened(store, State.APPROVED)
    assert backup(path, tmp_path / "copy", KEY).ok
    store.close()
    return tmp_path / "copy"


def go_on(path: Path, clock: HandClock) -> None:
    """What happens after the copy was made: the request runs."""
    store = reopened(path, clock)
    assert store.move("X-1", State.APPROVED, State.RUNNING, entry("running"), at=after(5))
    assert store.move("X-1", State.RUNNING, State.SUCCEEDED, entry("succeeded"), at=after(6))
    store.close()


def test_a_copy_is_the_whole_database_in_one_file(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    opened(store)
    found = backup(path, tmp_path / "copy", KEY)
    assert (found.ok, found.head) == (True, store.head())
    assert dump(tmp_path / "copy") == dump(path)
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    assert not [each.name for each in tmp_path.iterdir() if "part" in each.name]
    store.record(entry())  # the bot goes on meanwhile


def test_a_copy_overwrites_nothing(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Refused, match="is there already"):
        backup(path, tmp_path / "mine", KEY)
    with pytest.raises(Unavailable, match="cannot be created"):
        backup(path, tmp_path / "none" / "copy", KEY)
    with pytest.raises(Unavailable, match="cannot be opened"):
        backup(tmp_path / "nothing", tmp_path / "copy", KEY)
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "copy").exists()


def test_a_copy_of_a_changed_ledger_says_so(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    opened(store)
    meddle(path, "DROP TRIGGER ledger_refuses_update", "UPDATE ledger SET kind = 'x'")
    assert not backup(path, tmp_path / "copy", KEY).ok
    assert (tmp_path / "copy").exists()


def test_an_approved_request_of_the_copy_does_not_run(copy: Path, path: Path, clock: HandClock) -> None:
    go_on(path, clock)
    replaced = restore(path, copy, KEY, START, force=True)
    assert replaced.kept is not None
    assert look(replaced.kept, "SELECT state FROM requests") == [("succeeded",)]
    store = reopened(path, clock)
    assert store.restored is not None
    assert store.restored.closed == ("X-1",)
    request = store.request("X-1")
    assert request is not None
    assert request.state is State.UNKNOWN
    assert "database restored" in [row.kind for row in store.ledger(pools=None, last=9)]
    assert store.verify().ok
    store.close()


def test_also_when_nothing_happened_since(copy: Path, path: Path, clock: HandClock) -> None:
    """Nobody can know that, of a copy."""
    restore(path, copy, KEY, START)
    store = reopened(path, clock)
    assert store.restored is not None
    assert store.restored.closed == ("X-1",)
    store.close()


def test_a_newer_database_is_not_replaced(copy: Path, path: Path, clock: HandClock) -> None:
    go_on(path, clock)
    before = dump(path)
    with pytest.raises(Refused, match="newer: its ledger has 2 rows more"):
        restore(path, copy, KEY, START)
    assert dump(path) == before
    again = reopened(path, clock)
    assert again.restored is None
    again.close()


def test_nor_one_with_another_history(copy: Path, path: Path, clock: HandClock, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    store = reopened(other, clock)
    store.record(entry("else"))
    store.close()
    with pytest.raises(Refused, match="another history"):
        restore(other, copy, KEY, START)
    assert restore(other, copy, KEY, START, force=True).kept == tmp_path / "other.sqlite3.replaced-20260301T120000"


def test_nor_a_damaged_one_without_being_told(copy: Path, path: Path, clock: HandClock) -> None:
    path.write_bytes(b"\xff" * 9000)
    with pytest.raises(Refused, match="cannot be told") as caught:
        restore(path, copy, KEY, START)
    assert "is not a database" in caught.value.evidence[0]
    replaced = restore(path, copy, KEY, START, force=True)
    assert replaced.kept is not None
    assert replaced.kept.read_bytes() == b"\xff" * 9000
    reopened(path, clock).close()


def test_where_nothing_stands(copy: Path, path: Path, clock: HandClock, tmp_path: Path) -> None:
    place = tmp_path / "new.sqlite3"
    assert restore(place, copy, KEY, START).kept is None
    store = reopened(place, clock)
    assert store.restored is not None
    store.close()


def test_not_under_a_running_bot(copy: Path, path: Path, clock: HandClock) -> None:
    store = reopened(path, clock)
    with pytest.raises(Unavailable, match="is in use") as caught:
        restore(path, copy, KEY, START, force=True)
    assert caught.value.remedy == "Stop it first."
    store.record(entry())
    store.close()


@pytest.mark.parametrize("content", [b"", b"# notes\n" * 99])
def test_not_from_what_is_no_copy(store: SqliteStore, path: Path, tmp_path: Path, content: bytes) -> None:
    store.close()
    before = dump(path)
    (tmp_path / "notes").write_bytes(content)
    with pytest.raises(Unavailable, match=r"is not a database|holds no ledger"):
        restore(path, tmp_path / "notes", KEY, START, force=True)
    assert dump(path) == before


def test_not_from_a_damaged_or_changed_copy(copy: Path, path: Path, clock: HandClock, tmp_path: Path) -> None:
    changed = Path(shutil.copy(copy, tmp_path / "changed"))
    meddle(changed, "DROP TRIGGER ledger_refuses_update", "UPDATE ledger SET kind = 'x'")
    with pytest.raises(Refused, match="has been changed"):
        restore(path, changed, KEY, START)
    with copy.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 8)
    with pytest.raises(Unavailable, match="is damaged"):
        restore(path, copy, KEY, START, force=True)
    again = reopened(path, clock)
    assert again.restored is None
    again.close()


def test_a_restore_that_is_cut_short_counts_as_one(copy: Path, path: Path, clock: HandClock) -> None:
    """Killed between the two renames: the old one stands aside, and nothing in its place."""
    mark = Mark(path, alone=True)
    mark.clear()
    mark.close()
    store = reopened(path, clock)
    assert store.restored is not None
    assert store.restored.closed == ("X-1",)
    store.close()
    assert path_of(path).stat().st_size > 0
