"""Counts the calls that are made to pools, for whoever they are made: by thread, as a request or a command is one
thread's work. What several share (one reading serves all who wait for it) counts for the one that made it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_mine = threading.local()


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """The calls that this thread makes within the block, by method. An inner block keeps its calls for itself."""
    before: Counter[str] | None = getattr(_mine, "counter", None)
    _mine.counter = counter = Counter[str]()
    try:
        yield counter
    finally:
        _mine.counter = before


def count(method: str) -> None:
    """One call was made; nobody may be counting."""
    counter: Counter[str] | None = getattr(_mine, "counter", None)
    if counter is not None:
        counter[method] += 1


def so_far() -> dict[str, int]:
    """What the innermost block of this thread has counted."""
    counter: Counter[str] | None = getattr(_mine, "counter", None)
    return dict(sorted(counter.items())) if counter else {}
