from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start


@pytest.fixture
def lab() -> Iterator[RunningLab]:
    with start(load("tutorial"), speed=50.0) as running:
        yield running
