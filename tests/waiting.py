"""Waiting for what comes about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT_SECONDS = 120.0
"""Enough for a machine that has much else to do; where nothing is wrong nobody waits that long."""
_LOOK_SECONDS = 0.02


def eventually(
    found: Callable[[], T], what: str = "it", seconds: float = LIMIT_SECONDS, passing: tuple[type[Exception], ...] = ()
) -> T:
    """The first true answer of `found`; errors that are `passing` count as none. :raises AssertionError: none came."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = found()
        except passing:
            answer = None
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(_LOOK_SECONDS)
