"""Old rows leave only into a sealed archive, and verify together with what stayed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bot.errors import Refused, Unavailable
from bot.store import Head, SqliteStore, Verification, verify_file
from bot.store.archive import Archive
from bot.store.migrations import LEDGER_TRIGGERS
from tests.bot_store.helpers import ANNA, KEY, START, HandClock, after, entry, look, meddle

HOUR = 3600


@pytest.fixture
def filled(store: SqliteStore, clock: HandClock) -> SqliteStore:
    """Rows 1 to 9, one an hour from START on."""
    for number in range(1, 10):
        store.record(entry(f"kind {number}", body={"n": number, "name": "web-ü"}))
        clock.sleep(HOUR)
    return store


@pytest.fixture
def first(filled: SqliteStore, tmp_path: Path) -> Archive:
    """Rows 1 to 4 have left."""
    return filled.archive(after(4 * HOUR), tmp_path / "one.jsonl", ANNA)


@pytest.fixture
def second(filled: SqliteStore, first: Archive, tmp_path: Path, clock: HandClock) -> Archive:
    """Rows 5 to 10 have left too, with the row that the first archive left behind."""
    clock.sleep(HOUR)
    filled.record(entry("kind 11"))
    return filled.archive(clock.now(), tmp_path / "two.jsonl", ANNA)


def flaw(found: Verification) -> tuple[int | None, str]:
    assert found.flaw is not None
    return found.flaw.row, found.flaw.why


def verified(path: Path, *archives: Archive, heads: tuple[Head, ...] = ()) -> Verification:
    return verify_file(path, KEY, heads, [each.file for each in archives])


def change(archive: Archive, row: int, **fields: object) -> None:
    """One line of an archive, as with an editor."""
    lines = [json.loads(line) for line in archive.file.read_text().splitlines()]
    text = "".join(json.dumps({**line, **(fields if line["seq"] == row else {})}) + "\n" for line in lines)
    archive.file.write_text(text)


def test_rows_leave_and_a_row_says_so(filled: SqliteStore, first: Archive, path: Path) -> None:
    assert (first.first, first.last.seq, first.rows) == (1, 4, 4)
    assert look(path, "SELECT min(seq), max(seq), count(*) FROM ledger") == [(5, 10, 6)]
    row = filled.ledger(pools=None, last=1)[0]
    assert (row.kind, row.actor) == ("ledger archived", ANNA)
    assert dict(row.body) == {
        "first": 1,
        "last": 4,
        "hash": first.last.hash,
        "file": "one.jsonl",
        "sha256": first.sha256,
    }
    assert stat.S_IMODE(first.file.stat().st_mode) == 0o600
    assert [json.loads(line)["seq"] for line in first.file.read_text().splitlines()] == [1, 2, 3, 4]
    filled.record(entry())
    assert filled.head().seq == 11


def test_they_verify_together_and_what_stayed_by_itself(filled: SqliteStore, first: Archive, path: Path) -> None:
    alone, both = verified(path), verified(path, first)
    assert (alone.ok, alone.rows, alone.base.seq) == (True, 6, 4)
    assert (both.ok, both.rows, both.base.seq, both.head) == (True, 10, 0, filled.head())
    assert filled.verify().ok


def test_two_archives(filled: SqliteStore, first: Archive, second: Archive, path: Path) -> None:
    assert (second.first, second.last.seq) == (5, 10)
    assert verified(path).base == second.last
    assert verified(path, second, first).rows == 12  # in whatever order they are named
    later = verified(path, second)
    assert (later.ok, later.rows, later.base) == (True, 8, first.last)
    assert flaw(verified(path, first)) == (11, "rows 5 to 10 are missing: row 11 comes after row 4")


@pytest.mark.parametrize(("row", "name"), [(2, "one.jsonl"), (4, "one.jsonl"), (5, "two.jsonl"), (10, "two.jsonl")])
def test_a_changed_row_of_an_archive_is_named_with_its_file(
    first: Archive, second: Archive, path: Path, row: int, name: str
) -> None:
    change(first if name == "one.jsonl" else second, row, kind="harmless")
    assert flaw(verified(path, first, second)) == (row, f"row {row} does not match its hash (in {name})")


def test_a_changed_row_of_the_database_is_named_without_a_file(first: Archive, path: Path) -> None:
    meddle(path, "DROP TRIGGER ledger_refuses_update", "UPDATE ledger SET kind = 'x' WHERE seq = 6")
    assert flaw(verified(path, first)) == (6, "row 6 does not match its hash")


def test_a_line_cut_out_or_off(first: Archive, path: Path) -> None:
    lines = first.file.read_text().splitlines(keepends=True)
    first.file.write_text("".join(lines[:1] + lines[2:]))
    assert flaw(verified(path, first)) == (3, "row 2 is missing: row 3 comes after row 1 (in one.jsonl)")
    first.file.write_text("".join(lines[:3]))
    assert flaw(verified(path, first)) == (5, "row 4 is missing: row 5 comes after row 3")
    first.file.write_text("".join(lines)[:-9])
    with pytest.raises(Unavailable, match=r"Line 4 of the archive .*one\.jsonl"):
        verified(path, first)


def test_what_is_no_archive(path: Path, filled: SqliteStore, tmp_path: Path) -> None:
    for name, content in {"a": b"", "b": b"# notes\n", "c": b"\xff\n", "d": b"[]\n", "e": b'{"seq": "x"}\n'}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unavailable, match="Line 1 of the archive"):
            verify_file(path, KEY, (), [tmp_path / name])
    with pytest.raises(Unavailable, match="No such file"):
        verify_file(path, KEY, (), [tmp_path / "none"])


def test_rows_that_left_without_an_archive_are_missing(filled: SqliteStore, path: Path) -> None:
    meddle(
        path,
        "DROP TRIGGER ledger_refuses_delete",
        "DELETE FROM ledger WHERE seq < 4",
        LEDGER_TRIGGERS["ledger_refuses_delete"],
    )
    assert flaw(verified(path)) == (4, "rows 1 to 3 are missing: row 4 comes after row 0")


def test_more_rows_than_the_archive_says(first: Archive, path: Path) -> None:
    meddle(
        path,
        "DROP TRIGGER ledger_refuses_delete",
        "DELETE FROM ledger WHERE seq = 5",
        LEDGER_TRIGGERS["ledger_refuses_delete"],
    )
    assert flaw(verified(path)) == (6, "rows 1 to 5 are missing: row 6 comes after row 0")
    assert flaw(verified(path, first)) == (6, "row 5 is missing: row 6 comes after row 4")


def test_the_trigger_lets_go_only_of_what_is_archived(first: Archive, path: Path) -> None:
    with pytest.raises(Exception, match="append-only"):
        meddle(path, "DELETE FROM ledger WHERE seq = 5")
    assert look(path, "SELECT min(seq) FROM ledger") == [(5,)]


def test_heads_of_rows_that_have_left(filled: SqliteStore, path: Path, tmp_path: Path) -> None:
    heads = {row.seq: Head(row.seq, row.hash) for row in filled.ledger(pools=None, last=99)}
    first = filled.archive(after(4 * HOUR), tmp_path / "one.jsonl", ANNA)
    found = verified(path, heads=(heads[2], heads[4], heads[7]))
    assert (found.ok, found.vouched_to, found.unseen) == (True, 7, (2,))
    assert verified(path, first, heads=(heads[2], heads[4], heads[7])).unseen == ()
    wrong = Head(4, "f" * 64)
    assert flaw(verified(path, heads=(wrong,)))[0] == 4
    assert flaw(verified(path, first, heads=(Head(2, "f" * 64),)))[0] == 2


def test_nothing_to_archive(filled: SqliteStore, tmp_path: Path, path: Path) -> None:
    with pytest.raises(Refused, match="No row"):
        filled.archive(START, tmp_path / "one.jsonl", ANNA)
    assert not (tmp_path / "one.jsonl").exists()
    (tmp_path / "one.jsonl").write_text("mine")
    with pytest.raises(Refused, match="is there already"):
        filled.archive(after(4 * HOUR), tmp_path / "one.jsonl", ANNA)
    assert (tmp_path / "one.jsonl").read_text() == "mine"
    with pytest.raises(Unavailable, match="cannot be written"):
        filled.archive(after(4 * HOUR), tmp_path / "none" / "one.jsonl", ANNA)
    assert look(path, "SELECT count(*) FROM ledger") == [(9,)]


def test_a_changed_ledger_is_not_archived(filled: SqliteStore, path: Path, tmp_path: Path) -> None:
    meddle(path, "DROP TRIGGER ledger_refuses_update", "UPDATE ledger SET kind = 'x' WHERE seq = 2")
    with pytest.raises(Refused, match="has been changed") as caught:
        filled.archive(after(4 * HOUR), tmp_path / "one.jsonl", ANNA)
    assert caught.value.evidence == ("row 2 does not match its hash",)
    assert not (tmp_path / "one.jsonl").exists()


def test_everything_may_leave(filled: SqliteStore, clock: HandClock, path: Path, tmp_path: Path) -> None:
    everything = filled.archive(clock.now(), tmp_path / "all.jsonl", ANNA)
    assert everything.last.seq == 9
    assert verified(path, everything).rows == 10
    filled.close()
    again = SqliteStore(path, clock=clock, ledger_key=KEY)
    assert again.restored is None
    assert again.verify().ok
    again.close()


def test_a_clock_that_was_set_back_leaves_no_hole(store: SqliteStore, clock: HandClock, tmp_path: Path) -> None:
    for seconds in (0, 10, 5, 20):
        clock.at = after(seconds)
        store.record(entry())
    assert store.archive(after(10), tmp_path / "one.jsonl", ANNA).last.seq == 1
    assert store.verify().ok
