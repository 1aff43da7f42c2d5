"""What fate does to the calls of one host: it delays them, cuts their connection, or lets the host hang.

The sandbox's own; nothing of this is xapi's behaviour. Seconds are wall-clock, not simulated time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Literal

When = Literal["before", "after"]


@dataclass
class _Drop:
    when: When
    left: int
    method: str | None


class HostFaults:
    """The faults of one host, set from the control server, met by its workers.

    A method is matched as the client sent it, so `Async.VM.start` and `VM.start` differ; None matches every call.
    """

    def __init__(self, latency_seconds: float = 0.0) -> None:
        self._latency = latency_seconds
        self._slow: dict[str | None, float] = {}
        self._drops: list[_Drop] = []
        self._paused = False
        self._life = 0
        self._changed = threading.Condition()

    def drop(self, when: When, count: int = 1, method: str | None = None) -> None:
        """Cut the connection of the next `count` calls, before or after they are taken."""
        with self._changed:
            self._drops.append(_Drop(when, count, method))

    def slow(self, seconds: float, method: str | None = None) -> None:
        """Hold each answer back for that long, in addition to the latency; 0 ends it."""
        with self._changed:
            self._slow[method] = seconds

    def pause(self) -> None:
        """Neither take a call nor send an answer until `resume`."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def end_life(self) -> None:
        """The host died: whoever waits in one of its calls stops waiting, and a pause dies with it."""
        with self._changed:
            self._life += 1
            self._paused = False
            self._changed.notify_all()

    @property
    def paused(self) -> bool:
        with self._changed:
            return self._paused

    def wait_unpaused(self) -> None:
        """Returns when the host is not paused, or has died."""
        with self._changed:
            life = self._life
            self._changed.wait_for(lambda: not self._paused or self._life != life)

    def hold_answer(self, method: str) -> None:
        """Wait as long as answers of this method are held back; not longer than the host lives."""
        with self._changed:
            life = self._life
            until = time.monotonic() + self._latency + self._slow.get(None, 0.0) + self._slow.get(method, 0.0)
            while (rest := until - time.monotonic()) > 0 and self._life == life:
                self._changed.wait(rest)

    def take_drop(self, when: When, method: str) -> bool:
        """Is this call's connection to be cut here? Uses up one of the drop's count."""
        with self._changed:
            for drop in self._drops:
                if drop.when == when and drop.method in (None, method):
                    drop.left -= 1
                    if drop.left == 0:
                        self._drops.remove(drop)
                    return True
            return False
