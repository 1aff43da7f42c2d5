"""The workspace's clock: every limit of Slack's (3 s, 30 min, a minute's rate) is counted on it.

A test runs it faster (`scale`) or moves it on (`advance`) instead of waiting. Used on the server's loop only.
"""

import asyncio
import time
from typing import Any, TypeVar

T = TypeVar("T")


class Clock:
    """Seconds since the epoch, running `scale` times as fast as the machine's monotonic clock."""

    def __init__(self, scale: float = 1.0) -> None:
        if scale <= 0:
            raise ValueError("the clock's scale must be above 0")
        self.scale = scale
        self._epoch = time.time()
        self._started = time.monotonic()
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._epoch + (time.monotonic() - self._started) * self.scale

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once; whoever sleeps on this clock looks at it again."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._epoch += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        deadline = self.now() + seconds
        while (left := deadline - self.now()) > 0:
            try:
                await asyncio.wait_for(self._moved.wait(), left / self.scale)
            except TimeoutError:
                continue

    async def wait(self, future: "asyncio.Future[T]", seconds: float) -> T | None:
        """The future's result, or None when `seconds` have passed first (the future is left alone)."""
        timer = asyncio.ensure_future(self.sleep(seconds))
        either: set[asyncio.Future[Any]] = {future, timer}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return future.result() if future.done() else None
