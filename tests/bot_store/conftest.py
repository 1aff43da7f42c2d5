from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import SqliteStore
from tests.bot_store.helpers import KEY, HandClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "xenia.sqlite3"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(path: Path, clock: HandClock) -> Iterator[SqliteStore]:
    store = SqliteStore(path, clock=clock, ledger_key=KEY)
    yield store
    store.close()


@pytest.fixture
def other(store: SqliteStore, path: Path, clock: HandClock) -> Iterator[SqliteStore]:
    """The same file in a second store, as another process of the bot would have it."""
    other = SqliteStore(path, clock=clock, ledger_key=KEY)
    yield other
    other.close()
