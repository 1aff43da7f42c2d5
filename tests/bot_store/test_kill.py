"""SIGKILL at every SQL statement of a change: afterwards it happened wholly or not at all, and the next one works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.model import State
from bot.store import SqliteStore
from tests.bot_store.helpers import KEY, ROOT, HandClock, counts, entry, look, opened


def kill_everywhere(act: str, directory: Path, every: int = 1) -> list[Path]:
    """The databases left behind: killed at 1, 2, …, and last the one that was not."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bot_store.victim", act, str(directory), str(every)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [directory / f"{n}.sqlite3" for n in range(1, int(done.stdout) + 1, every)]


TABLES = ("requests", "votes", "ledger", "deliveries")


@pytest.mark.parametrize(
    ("act", "adds"),
    [
        ("move", {"ledger": 1, "deliveries": 1}),
        ("vote", {"ledger": 1, "votes": 1}),
        ("open", {"ledger": 1, "requests": 1, "deliveries": 1}),
    ],
)
def test_a_change_is_whole_or_not(tmp_path: Path, clock: HandClock, act: str, adds: dict[str, int]) -> None:
    store = SqliteStore(tmp_path / "start.sqlite3", clock=clock, ledger_key=KEY)
    opened(store)
    store.close()
    before = counts(tmp_path / "start.sqlite3")
    wanted = {name: before[name] + adds.get(name, 0) for name in TABLES}
    paths = kill_everywhere(act, tmp_path)
    assert len(paths) > 10
    happened = []
    for path in paths:
        now = {name: rows for name, rows in counts(path).items() if name in TABLES}
        assert now in (wanted, {name: before[name] for name in TABLES})
        happened.append(now == wanted)
        moved = look(path, "SELECT state FROM requests WHERE id = 'X-1'") == [(str(State.APPROVED),)]
        assert moved is (act == "move" and happened[-1])
        assert look(path, "SELECT revision FROM deliveries WHERE number = 1") == [
            (2 if happened[-1] and act != "open" else 1,)
        ]
        again = SqliteStore(path, clock=clock, ledger_key=KEY)
        again.record(entry("after"))
        assert again.verify().ok
        again.close()
    # Killed before the commit it did not happen; it happened where nobody was killed.
    assert happened == sorted(happened)
    assert happened[-1]
    assert not any(happened[:-1])


def test_making_a_database_can_be_killed_anywhere(tmp_path: Path, clock: HandClock) -> None:
    paths = kill_everywhere("start", tmp_path, every=9)
    assert len(paths) > 10
    for path in paths:
        store = SqliteStore(path, clock=clock, ledger_key=KEY)
        opened(store)
        assert store.verify().ok
        store.close()
