"""Socket Mode: tickets, up to ten WebSockets, envelopes and their acknowledgements.

Sources: Slack docs apis/socket-mode; slack_sdk.socket_mode.builtin for what a client can read (whole, unmasked,
uncompressed text frames).
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.slack.clock import Clock
from sandbox.slack.delivery import Answer, Parcel
from sandbox.slack.reading import read_json

JSON = dict[str, Any]
MOST_CONNECTIONS = 10  # Slack docs: socket-mode, "up to 10 open WebSocket connections"
TICKET_SECONDS = 30.0  # "short-lived"; the figure is ours
WARNING_SECONDS = 10.0  # a `warning` comes this long before the connection ends
DEBUG_RECONNECTS_SECONDS = 360.0  # life of a connection opened with debug_reconnects=true
HOST = "applink-sandbox"
REASONS = ("warning", "refresh_requested", "link_disabled", "too_many_websockets", "none")


@dataclass(eq=False)
class Connection:
    """`leaving`: told to go; still open until the client has replaced it, or a little later."""

    socket: web.WebSocketResponse
    request: web.Request
    sent: int = 0
    leaving: bool = False


class SocketMode:
    """The transport for an app without a public address."""

    def __init__(
        self,
        clock: Clock,
        app_id: str,
        *,
        connection_seconds: float,
        ticket_once: bool,
        ping_seconds: float,
    ) -> None:
        self._clock = clock
        self._app_id = app_id
        self._life = connection_seconds
        self._ticket_once = ticket_once
        self._ping_seconds = ping_seconds
        self._tickets: dict[str, float] = {}
        self._connections: list[Connection] = []
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.opened = 0  # connections ever made, to see a reconnect
        self.on_change: Callable[[], None] = lambda: None

    @property
    def connections(self) -> int:
        return len(self._connections)

    def new_ticket(self) -> str:
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = self._clock.now()
        return ticket

    def send(self, parcel: Parcel) -> "asyncio.Future[Answer]":
        """To exactly one connection: the one that was sent the least, so that several share the traffic."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        open_ones = [one for one in self._connections if not one.socket.closed]
        if not open_ones:
            answer.set_result(Answer("unreachable"))
            return answer
        connection = min(open_ones, key=lambda one: (one.leaving, one.sent))
        connection.sent += 1
        envelope: JSON = {
            "envelope_id": parcel.id,
            "type": parcel.kind,
            "payload": parcel.payload,
            "accepts_response_payload": parcel.answerable,
        }
        if parcel.kind == "events_api":
            envelope |= {"retry_attempt": parcel.retry, "retry_reason": parcel.retry_reason}
        self._answers.setdefault(parcel.id, answer)
        self._later(self._write(connection, envelope))
        return answer

    async def disconnect(self, reason: str) -> int:
        """Tell every connection to go, with one of REASONS; `none` breaks them without a word. How many there were."""
        leaving = list(self._connections)
        for connection in leaving:
            await self._send_away(connection, reason)
        return len(leaving)

    async def stop(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET /link/?ticket=…: one connection's whole life."""
        ticket = request.query.get("ticket", "")
        made = self._tickets.pop(ticket, None) if self._ticket_once else self._tickets.get(ticket)
        if made is None or self._clock.now() - made > TICKET_SECONDS:
            return web.Response(status=403, text="invalid ticket")
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20, timeout=2.0)
        await socket.prepare(request)
        connection = Connection(socket, request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await self._tell(connection, "too_many_websockets")
            await socket.close()
            return socket
        self._connections.append(connection)
        self.opened += 1
        life = DEBUG_RECONNECTS_SECONDS if request.query.get("debug_reconnects") == "true" else self._life
        care = [asyncio.ensure_future(self._age(connection, life)), asyncio.ensure_future(self._ping(connection))]
        try:
            await socket.send_json(self._hello(life))
            self.on_change()
            async for frame in socket:
                if frame.type == WSMsgType.TEXT:
                    self._take(frame.data)
        finally:
            for one in care:
                one.cancel()
            self._connections.remove(connection)
            self.on_change()
        return socket

    def _hello(self, life: float) -> JSON:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {"host": HOST, "build_number": 10, "approximate_connection_time": int(life)},
        }

    def _take(self, text: str) -> None:
        """An acknowledgement. What is not one is ignored, as is one that comes twice."""
        try:
            body = read_json(text)
        except ValueError:
            return
        name = body.get("envelope_id") if isinstance(body, dict) else None
        answer = self._answers.pop(name, None) if isinstance(name, str) else None
        if answer and not answer.done():
            answer.set_result(Answer("acknowledged", body.get("payload")))

    async def _write(self, connection: Connection, envelope: JSON) -> None:
        with suppress(ConnectionError):  # lost on the way, as it would be with Slack: the 3 seconds run out
            await connection.socket.send_str(json.dumps(envelope, ensure_ascii=False))

    async def _ping(self, connection: Connection) -> None:
        """A sign of life, in real time: some clients (slack-go) give up a connection that is silent for 30 s. Whether
        it is answered is not looked at.
        """
        with suppress(ConnectionError):
            while not connection.socket.closed:
                await asyncio.sleep(self._ping_seconds)
                await connection.socket.ping(f"Ping from {HOST}".encode())

    async def _age(self, connection: Connection, life: float) -> None:
        await self._clock.sleep(max(life - WARNING_SECONDS, 0))
        await self._tell(connection, "warning")
        await self._clock.sleep(min(WARNING_SECONDS, life))
        await self._send_away(connection, "refresh_requested")

    async def _send_away(self, connection: Connection, reason: str) -> None:
        if reason == "none":
            if connection.request.transport:
                connection.request.transport.abort()
            return
        connection.leaving = True
        await self._tell(connection, reason)
        self._later(self._close_late(connection))

    async def _close_late(self, connection: Connection) -> None:
        await self._clock.sleep(WARNING_SECONDS)
        await connection.socket.close()

    async def _tell(self, connection: Connection, reason: str) -> None:
        note = {"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}
        with suppress(ConnectionError):
            await connection.socket.send_str(json.dumps(note))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
