"""What happens at both sandboxes, in one order: a spy on the deliveries and Web API calls of the workspace and on the
calls that the hosts take.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.conftest import Town


@dataclass(frozen=True)
class Seen:
    """One event. `what` is `ack slash_commands`, `slack views.open`, `xenapi event.from` …; `seconds` of a delivery is
    how long its acknowledgement took; `at` is on the monotonic clock.
    """

    what: str
    at: float
    seconds: float = 0.0


@dataclass
class Watch:
    """Everything seen since it began, in order. Both sandboxes run in this process, so that one lock orders them."""

    events: list[Seen] = field(default_factory=list)
    acknowledged: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, seconds: float = 0.0) -> None:
        with self._lock:
            self.events.append(Seen(what, time.monotonic(), seconds))

    def order(self) -> list[str]:
        with self._lock:
            return [each.what for each in self.events]

    def seconds(self, what: str) -> list[float]:
        with self._lock:
            return [each.seconds for each in self.events if each.what == what]

    def first(self, prefix: str) -> int:
        """The place of the first event that begins so.

        :raises StopIteration: there was none.
        """
        return next(place for place, what in enumerate(self.order()) if what.startswith(prefix))

    def count(self, prefix: str) -> int:
        return sum(what.startswith(prefix) for what in self.order())


HELD = 10.0
"""Seconds that a host holds a call back while nothing is acknowledged yet."""


def watch(place: Town) -> Watch:
    """Begin to watch a town: a delivery is noted when its acknowledgement has arrived, a Web API call when it is taken
    and answered, a XenAPI call when a host takes it, before it does anything.

    Hosts hold their first calls back until something is acknowledged: an acknowledgement that was sent first is so
    noted first, however late the workspace reads it; one that waits for a pool comes too late.
    """
    seen = Watch()
    record, estate = place.workspace.workspace.record, place.lab.estate
    delivered, called, take = record.delivery, record.call, estate.call

    def delivery(kind: str, payload: dict[str, Any], outcome: str, seconds: float, answer: Any) -> None:
        seen.note(f"{'ack' if outcome == 'acknowledged' else outcome} {kind}", seconds)
        if outcome == "acknowledged":
            seen.acknowledged.set()
        delivered(kind, payload, outcome, seconds, answer)

    def call(method: str, args: dict[str, Any], result: Any) -> None:
        seen.note(f"slack {method}")
        called(method, args, result)

    def xenapi(host: str, method: str, params: list[Any], **more: Any) -> Any:
        seen.acknowledged.wait(HELD)
        seen.note(f"xenapi {method}")
        return take(host, method, params, **more)

    # Instances of the sandbox are given a spy's methods; the classes stay as they are.
    vars(record).update(delivery=delivery, call=call)
    vars(estate).update(call=xenapi)
    return seen
