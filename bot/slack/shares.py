"""Threads that everybody uses, of which nobody has more than a share: who asks a hundred questions, or holds a button
down, waits for their own answers and keeps nobody else waiting.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

Work = Callable[[], None]


class Threads(Protocol):
    """What work can be given to."""

    def submit(self, work: Work, /) -> object: ...


class Shares:
    """Hands work on to `threads`, of each person so much at once at most; the rest waits, in its order."""

    def __init__(self, threads: Executor, each: int) -> None:
        self._threads = threads
        self._each = each
        self._lock = threading.Lock()  # guards the fields below
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[Work]] = {}
        self._closed = False

    def of(self, person: str) -> Threads:
        """The threads, as far as this person may have them."""
        return _Share(self, person)

    def take(self, person: str, work: Work) -> None:
        """Do it now, or when something of the same person has ended."""
        with self._lock:
            if self._running[person] >= self._each and not self._closed:
                self._waiting.setdefault(person, deque()).append(work)
                return
            self._running[person] += 1
        self._threads.submit(self._do, person, work)

    def close(self) -> None:
        """Nobody waits any more; before the threads are shut down, which do what they were given."""
        with self._lock:
            self._closed = True
            left = [(person, work) for person, line in self._waiting.items() for work in line]
            self._waiting.clear()
            self._running.update(person for person, _ in left)
        for person, work in left:
            self._threads.submit(self._do, person, work)

    def _do(self, person: str, work: Work) -> None:
        try:
            work()
        finally:
            self._ended(person)

    def _ended(self, person: str) -> None:
        """The person's next one goes behind what others have asked meanwhile."""
        with self._lock:
            line = self._waiting.get(person)
            following = line.popleft() if line else None
            if not line:
                self._waiting.pop(person, None)
            if following is None:
                self._running[person] -= 1
                if not self._running[person]:
                    del self._running[person]
        if following is not None:
            self._threads.submit(self._do, person, following)


@dataclass(frozen=True, slots=True)
class _Share:
    shares: Shares
    person: str

    def submit(self, work: Work, /) -> None:
        self.shares.take(self.person, work)
