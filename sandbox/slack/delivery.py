"""From the workspace to the app: one payload, one transport, 3 seconds.

Socket Mode (`socket_mode`) and signed HTTP (`http_delivery`) are the two transports; nothing else knows which is used.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sandbox.slack.clock import Clock
from sandbox.slack.faults import Faults
from sandbox.slack.record import Record

JSON = dict[str, Any]
Kind = Literal["slash_commands", "interactive", "events_api"]
Outcome = Literal["acknowledged", "timeout", "unreachable", "refused"]

ACK_SECONDS = 3.0  # Slack docs: interactivity/handling, events-api
EVENT_RETRIES = (0.0, 60.0, 300.0)  # Slack docs: events-api, "nearly immediately", 1 minute, 5 minutes


@dataclass(frozen=True)
class Parcel:
    """One thing to deliver. `answerable`: the acknowledgement may carry a payload. `id` is the envelope's."""

    kind: Kind
    payload: JSON
    answerable: bool = False
    retry: int = 0
    retry_reason: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Answer:
    """How it went, and what the app answered with (None for a bare acknowledgement)."""

    outcome: Outcome
    payload: Any = None
    stop_retries: bool = False

    @property
    def ok(self) -> bool:
        return self.outcome == "acknowledged"


class Transport(Protocol):
    def send(self, parcel: Parcel) -> "asyncio.Future[Answer]":
        """Hand the parcel over; the future is the app's answer, however late it comes."""
        ...


class Delivery:
    """Delivers parcels, with the 3-second rule, the faults, and Slack's retries of events."""

    def __init__(self, transport: Transport, clock: Clock, faults: Faults, record: Record) -> None:
        self.transport = transport
        self._clock = clock
        self._faults = faults
        self._record = record
        self._tasks: set[asyncio.Task[Any]] = set()
        self.under_way = 0  # deliveries whose acknowledgement is still waited for
        self._release = asyncio.Event()

    async def deliver(self, parcel: Parcel) -> Answer:
        """Send and wait for the acknowledgement, at most 3 s on the workspace's clock."""
        started = time.monotonic()
        self._record.deliveries[str(parcel.payload.get("type") or parcel.kind)] += 1
        waiting = asyncio.ensure_future(self._send(parcel))
        self.under_way += 1
        try:
            answer = await self._clock.wait(waiting, ACK_SECONDS) or Answer("timeout")
        finally:
            self.under_way -= 1
        if not waiting.done():
            self._keep(waiting)
        seconds = time.monotonic() - started
        self._record.delivery(parcel.kind, parcel.payload, answer.outcome, seconds, answer.payload)
        return answer

    def announce(self, payload: JSON) -> None:
        """Deliver an event: nobody waits for it, and it is sent again up to three times."""
        task = asyncio.ensure_future(self._with_retries(payload))
        self._keep(task)

    def release(self) -> None:
        """Let go of everything that `hold` kept back."""
        self._release.set()
        self._release = asyncio.Event()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, parcel: Parcel) -> Answer:
        if self._faults.for_delivery("hold"):
            await self._release.wait()
        if late := self._faults.for_delivery("delay"):
            await self._clock.sleep(late.seconds)
        answer = self.transport.send(parcel)
        if self._faults.for_delivery("duplicate_envelope"):
            self.transport.send(parcel)
        return await answer

    async def _with_retries(self, payload: JSON) -> None:
        answer = await self.deliver(Parcel("events_api", payload))
        for number, pause in enumerate(EVENT_RETRIES, start=1):
            if answer.ok or answer.stop_retries:
                return
            reason = {"timeout": "timeout", "unreachable": "connection_failed"}.get(answer.outcome, "http_error")
            await self._clock.sleep(pause)
            answer = await self.deliver(Parcel("events_api", payload, retry=number, retry_reason=reason))
