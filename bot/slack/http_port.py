"""The port of HTTP mode: who is let in, how long somebody may take, and how much is held at once."""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Condition

from bot import listening

_log = logging.getLogger(__name__)

ARRIVAL_SECONDS = 10.0
"""From a connection to the last byte of its request; Slack, or a proxy that buffers, sends it at once."""
MOST_LARGE = 8
"""Large bodies that are held at once."""
_MOST_ARRIVING = 256
"""Requests that are on their way at once; what is more finds the door closed, and Slack sends its events again."""


class Server(ThreadingHTTPServer):
    """A thread for each request. Who sends slowly is hung up on, and only so many may be on their way."""

    daemon_threads = True  # one that sends its request slowly keeps nobody from ending
    request_queue_size = 128  # people answer an alarm all at once; the library's 5 lets the sixth wait for a second

    def __init__(self, where: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._answering = 0
        self._changed = Condition()
        self._arriving: dict[socket.socket, float] = {}
        """Until when a request has to be there as a whole, by the monotonic clock."""
        self.large = BoundedSemaphore(MOST_LARGE)
        """Taken by those whose large body is in memory."""
        self.address_family = listening.family(where[0])
        super().__init__(where, handler)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether there is room for one more."""
        assert isinstance(request, socket.socket)
        with self._changed:
            full = len(self._arriving) >= _MOST_ARRIVING
            if not full:
                self._arriving[request] = time.monotonic() + ARRIVAL_SECONDS
        if full:
            _log.warning("%d requests arrive at once; one of %s is not taken", _MOST_ARRIVING, client_address)
        return not full

    def arrived(self, request: socket.socket) -> None:
        with self._changed:
            self._arriving.pop(request, None)

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self.arrived(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Hang up on those who take too long: a limit on each wait alone could be stretched without end."""
        now = time.monotonic()
        with self._changed:
            late = [request for request, until in self._arriving.items() if until < now]
        for request in late:
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While a delivery that has arrived is acknowledged."""
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                self._changed.notify_all()

    def answered(self, seconds: float) -> bool:
        """Wait until nothing that has arrived is without its answer, at most so long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._answering, seconds)

    def handle_error(self, *_: object) -> None:
        """What a connection dies of goes into the log, and not to standard error."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            _log.info("a connection ended before its time: %s", error)
        else:
            _log.error("a delivery failed by a defect", exc_info=error)
