"""How far a long answer is, told to whoever is listening: by thread, as an answer is one thread's work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_mine = threading.local()


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `of` things, which `what` names: “12 of 50 pools audited”."""

    done: int
    of: int
    what: str

    def __str__(self) -> str:
        return f"{self.done} of {self.of} {self.what}"


Listener = Callable[[Progress], None]


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """What this thread tells within the block is heard by `listener`."""
    before: Listener | None = getattr(_mine, "listener", None)
    _mine.listener = listener
    try:
        yield
    finally:
        _mine.listener = before


def tell(done: int, of: int, what: str) -> None:
    """Nobody may be listening."""
    listener: Listener | None = getattr(_mine, "listener", None)
    if listener is not None:
        listener(Progress(done, of, what))
