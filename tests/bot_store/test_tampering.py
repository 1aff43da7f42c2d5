"""Every way to change the ledger behind the bot's back is found, and the first bad row named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.model import CallState, State
from bot.store import Head, SqliteStore, Verification, verify_file
from bot.store.chain import COLUMNS, Seal
from bot.store.mark import path_of
from bot.store.migrations import LEDGER_TRIGGERS
from tests.bot_store.helpers import KEY, HandClock, after, entry, look, meddle, running, vote
from tests.bot_store.helpers import opened as open_request

ROWS = 9


@pytest.fixture(params=[KEY, None], ids=["keyed", "plain"])
def key(request: pytest.FixtureRequest) -> bytes | None:
    found: bytes | None = request.param
    return found


@pytest.fixture
def told(path: Path, clock: HandClock, key: bytes | None) -> Head:
    """A database with ledger rows of which none is referred to by other tables, closed. Returns its head."""
    store = SqliteStore(path, clock=clock, ledger_key=key)
    for number in range(1, ROWS + 1):
        clock.sleep(1)
        store.record(entry(f"kind {number}", pool="lab", request_id=f"X-{number}", body={"n": number}))
    head = store.head()
    assert verify_file(path, key, [head]).vouched_to == ROWS
    store.close()
    return head


def tamper(path: Path, *statements: str) -> None:
    """With the triggers out of the way for a moment, so that only the rows can give it away."""
    drops = [f"DROP TRIGGER {name}" for name in LEDGER_TRIGGERS]
    meddle(path, *drops, *statements, *LEDGER_TRIGGERS.values())


def flaw(found: Verification) -> tuple[int | None, str]:
    assert found.flaw is not None
    assert not found.ok
    return found.flaw.row, found.flaw.why


@pytest.mark.parametrize("column", [*COLUMNS, "hash"])
@pytest.mark.parametrize("row", [1, 5, ROWS])
@pytest.mark.usefixtures("told")
def test_each_column_of_a_row(path: Path, key: bytes | None, column: str, row: int) -> None:
    value = row + 100 if column == "seq" else "'x'"
    tamper(path, f"UPDATE ledger SET {column} = {value} WHERE seq = {row}")
    found = verify_file(path, key)
    named, why = flaw(found)
    if column == "seq":
        assert "missing" in why
        assert named == (row + 100 if row == ROWS else row + 1)
    else:
        assert named == row
        assert why == f"row {row} does not match its hash"
    assert found.head.seq == row - 1
    assert found.rows == row - 1


def test_every_column_is_covered(path: Path, told: Head) -> None:
    assert {name for (name,) in look(path, "SELECT name FROM pragma_table_info('ledger')")} == {*COLUMNS, "hash"}


@pytest.mark.usefixtures("told")
def test_a_row_redone_with_its_hash(path: Path, key: bytes | None) -> None:
    """Without the key the hash can be made right again, but the next row does not follow."""
    redo(path, 5, kind="harmless")
    assert flaw(verify_file(path, key)) == (
        (5, "row 5 is not sealed with the key, but rows before it are") if key else (6, "row 6 does not follow row 5")
    )


def test_everything_redone_is_told_by_the_key_or_a_noted_head(path: Path, told: Head, key: bytes | None) -> None:
    redo(path, 5, kind="harmless")
    for each in range(6, ROWS + 1):
        redo(path, each)
    if key:
        assert flaw(verify_file(path, key)) == (5, "row 5 is not sealed with the key, but rows before it are")
        for each in range(1, ROWS + 1):
            redo(path, each)
        assert flaw(verify_file(path, key)) == (ROWS, "row 9 is not sealed with the key, nor is any before it")
    else:
        assert "mark beside the database has seen row 9" in flaw(verify_file(path, key))[1]
        path_of(path).unlink()
        assert verify_file(path, key).ok  # what a key, or a head noted elsewhere, is for
    row, why = flaw(verify_file(path, None, [told]))
    assert row == ROWS
    assert "head was noted" in why


def redo(path: Path, seq: int, **changes: str) -> None:
    """What somebody without the key can do: make a row, and its plain hash, fit the row before."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        row: dict[str, Any] = dict(connection.execute("SELECT * FROM ledger WHERE seq = ?", [seq]).fetchone())
        before = connection.execute("SELECT hash FROM ledger WHERE seq = ?", [seq - 1]).fetchone()
    row |= {"mode": "sha256", "prev": before["hash"] if before else "0" * 64, **changes}
    row["hash"] = Seal(None).hash(row)
    sets = ", ".join(f"{name} = '{value}'" for name, value in row.items() if name != "seq")
    tamper(path, f"UPDATE ledger SET {sets} WHERE seq = {seq}")


@pytest.mark.parametrize(
    ("statements", "row", "why"),
    [
        (["DELETE FROM ledger WHERE seq = 1"], 2, "row 1 is missing: row 2 comes after row 0"),
        (["DELETE FROM ledger WHERE seq = 5"], 6, "row 5 is missing: row 6 comes after row 4"),
        (["DELETE FROM ledger WHERE seq IN (4, 5, 6)"], 7, "rows 4 to 6 are missing: row 7 comes after row 3"),
        (
            [
                "DELETE FROM ledger WHERE seq = 5",
                *(f"UPDATE ledger SET seq = {n - 1} WHERE seq = {n}" for n in range(6, 10)),
            ],
            5,
            "row 5 does not match its hash",
        ),
        (
            [
                "UPDATE ledger SET seq = 99 WHERE seq = 4",
                "UPDATE ledger SET seq = 4 WHERE seq = 5",
                "UPDATE ledger SET seq = 5 WHERE seq = 99",
            ],
            4,
            "row 4 does not match its hash",
        ),
        (
            [
                *(f"UPDATE ledger SET seq = {n + 1} WHERE seq = {n}" for n in range(9, 4, -1)),
                "INSERT INTO ledger SELECT 5, at, kind, actor_kind, actor_id, actor_name, pool, request_id, body, mode,"
               " prev, hash FROM ledger WHERE seq = 4",
            ],
            5,
            "row 5 does not match its hash",
        ),
        (
            ["INSERT INTO ledger SELECT 10, at, kind, actor_kind, actor_id, actor_name, pool, request_id, body, mode,"
             " hash, hash FROM ledger WHERE seq = 9"],
            10,
            "row 10 does not match its hash",
        ),
        (
            ["INSERT INTO ledger SELECT 0, at, kind, actor_kind, actor_id, actor_name, pool, request_id, body, mode,"
             " prev, hash FROM ledger WHERE seq = 1"],
            None,
            "row 0 stands after row 0",
        ),
        (["UPDATE ledger SET kind = CAST(kind AS BLOB) || x'00' WHERE seq = 3"], 3, "row 3 does not match its hash"),
    ],
    ids=["first", "one", "several", "deleted-renumbered", "swapped", "inserted", "appended", "before", "bytes"],
)  # fmt: skip
@pytest.mark.usefixtures("told")
def test_delete_insert_reorder(path: Path, key: bytes | None, statements: list[str], row: int | None, why: str) -> None:
    tamper(path, *statements)
    assert flaw(verify_file(path, key)) == (row, why)


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (ROWS - 1, "the ledger ends at row 8, but a head of row 9 was noted: row 9 is gone"),
        (3, "the ledger ends at row 3, but a head of row 9 was noted: rows 4 to 9 are gone"),
        (0, "the ledger ends at row 0, but a head of row 9 was noted: rows 1 to 9 are gone"),
    ],
)
def test_a_cut_tail_is_told_by_a_later_head(path: Path, told: Head, key: bytes | None, left: int, why: str) -> None:
    tamper(path, f"DELETE FROM ledger WHERE seq > {left}")
    assert flaw(verify_file(path, key)) == (
        ROWS,
        "the mark beside the database has seen row 9, which is not there (any more) like that",
    )
    path_of(path).unlink()
    assert verify_file(path, key).ok  # nothing in the rows themselves can tell
    assert flaw(verify_file(path, key, [told])) == (ROWS, why)


def test_an_older_copy_is_told_by_a_newer_head(path: Path, tmp_path: Path, clock: HandClock) -> None:
    store = SqliteStore(path, clock=clock, ledger_key=KEY)
    store.record(entry())
    store.close()
    copy = Path(shutil.copy(path, tmp_path / "copy.sqlite3"))
    store = SqliteStore(path, clock=clock, ledger_key=KEY)
    store.record(entry())
    head = store.head()
    store.close()
    assert flaw(verify_file(copy, KEY, [head]))[0] == 2


@pytest.mark.parametrize(
    "act",
    [
        lambda store, request_id: store.move(request_id, State.RUNNING, State.FAILED, entry(), at=after(1)),
        lambda store, request_id: store.intend(request_id, 0, False, "VM.start", "", entry(), after(1)),
        lambda store, _: store.vote(open_request(store).id, vote(), entry()),
    ],
    ids=["request", "call", "vote"],
)
def test_a_cut_tail_is_told_by_what_refers_to_it(
    store: SqliteStore, path: Path, act: Callable[[SqliteStore, str], bool]
) -> None:
    request = running(store)
    store.record(entry())
    assert act(store, request.id)
    last = store.head().seq
    tamper(path, f"DELETE FROM ledger WHERE seq = {last}")
    row, why = flaw(store.verify())
    assert row == last
    assert "its end is gone" in why


@pytest.mark.parametrize("name", LEDGER_TRIGGERS)
@pytest.mark.usefixtures("told")
def test_a_dropped_or_softened_trigger(path: Path, key: bytes | None, name: str) -> None:
    meddle(path, f"DROP TRIGGER {name}")
    row, why = flaw(verify_file(path, key))
    assert row is None
    assert f"the trigger {name} is missing" in why
    meddle(path, LEDGER_TRIGGERS[name].replace("ABORT, 'the ledger is append-only'", "IGNORE"))
    assert f"the trigger {name} is not Xenia's" in flaw(verify_file(path, key))[1]


@pytest.mark.usefixtures("told")
def test_a_strange_trigger(path: Path, key: bytes | None) -> None:
    meddle(path, "CREATE TRIGGER quiet AFTER INSERT ON ledger BEGIN DELETE FROM sightings; END")
    assert "the trigger quiet is not Xenia's" in flaw(verify_file(path, key))[1]


def test_calls_note_outcomes_without_a_row_of_their_own(store: SqliteStore) -> None:
    request = running(store)
    assert store.intend(request.id, 0, False, "VM.start", "", entry(), after(1))
    store.note_call(request.id, 0, False, CallState.DONE)
    assert store.verify().ok
