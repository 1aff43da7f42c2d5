from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox_xapi.wire.harness import Serve, serving


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start
