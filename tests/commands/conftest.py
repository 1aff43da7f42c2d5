from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.world import World, world


@pytest.fixture(scope="module")
def tutorial() -> Iterator[World]:
    """The tutorial's lab, for tests that change nothing in it."""
    with world() as found:
        yield found
