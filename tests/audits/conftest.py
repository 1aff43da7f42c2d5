from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from tests.audits.household import EARLY, House
from tests.bot_store.helpers import HandClock


@pytest.fixture
def lab() -> Iterator[RunningLab]:
    with start(load("tutorial"), speed=50.0) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Ten minutes before the first run of what is done daily at 07:00."""
    return House(tmp_path / "xenia.sqlite3", HandClock(EARLY))
