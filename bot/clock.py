"""The machine's own time, and the refusal to act while it cannot be right."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from bot.errors import Unavailable
from bot.ports import Clock

TOLERANCE = timedelta(minutes=1)
"""What a clock may be set back by without harm (time servers do that)."""


class SystemClock:
    """:class:`bot.ports.Clock` by the operating system."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SteadyClock:
    """:class:`bot.ports.Clock` for deciding and acting: it refuses while the machine's clock is behind what was seen.

    On a clock that was set back approvals would live longer than they should, and the record would go backwards.
    `since` is the newest time on record; a time that only came from a clock that was ahead is overtaken by restarting
    the bot, which records its start by the present clock.
    """

    def __init__(self, inner: Clock, since: datetime | None = None) -> None:
        self._inner = inner
        self._latest = since
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """:raises Unavailable: the clock was set back by more than a minute."""
        now = self._inner.now()
        with self._lock:
            latest = self._latest
            if latest is None or now > latest:
                self._latest = now
        if latest is not None and now < latest - TOLERANCE:
            raise Unavailable(
                f"This machine's clock was set back: it is {now:%Y-%m-%d %H:%M} UTC, but {latest:%Y-%m-%d %H:%M} has"
                " been. Nothing is decided or changed until it is right.",
                remedy="Set the clock. If it is right now and was ahead before, restart the bot twice.",
            )
        return now

    def monotonic(self) -> float:
        return self._inner.monotonic()

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)
