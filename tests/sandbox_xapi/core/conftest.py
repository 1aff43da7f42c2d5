"""One estate per test, closed at its end; nothing may have gone wrong inside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.xapi.estate import Estate
from tests.sandbox_xapi.core import two_pools, world


@pytest.fixture
def estate() -> Iterator[Estate]:
    yield from world.sound(world.estate())


@pytest.fixture
def lab() -> two_pools.Lab:
    return two_pools.Lab()


@pytest.fixture
def client(estate: Estate) -> world.Client:
    return world.Client(estate)
