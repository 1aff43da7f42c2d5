"""Connections that cost a thread only while they have something to say.

One `Switchboard` watches every listening socket and every idle connection of a lab with one selector; a connection
that becomes readable is handed to a worker thread, which gives it back when it is idle again. So hundreds of hosts
with hundreds of keep-alive connections are a table of sockets, and a long poll (`event.from`) is one waiting thread.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import selectors
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
READ_TIMEOUT_SECONDS = 60.0
_CHUNK_BYTES = 65536
_ABORTIVE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: closing sends a reset


class Gone(Exception):
    """The connection is closed or broken; nobody reads an answer."""


class Connection:
    """One client's connection. At any time either the switchboard or one worker owns it; only that one closes it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self.secured = False
        self.broken = False
        sock.settimeout(READ_TIMEOUT_SECONDS)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._sock.fileno()

    def secure(self, context: ssl.SSLContext) -> None:
        """Raises Gone when the client and this host have no TLS version in common, or the client went away."""
        try:
            self._sock = context.wrap_socket(self._sock, server_side=True)
        except OSError as error:
            raise Gone(str(error)) from error
        self.secured = True

    def has_more(self) -> bool:
        """Is something here that the selector cannot see, because it has already been read from the socket?"""
        pending = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) else 0
        return bool(self._buffer) or pending > 0

    def read_until(self, mark: bytes, limit: int) -> bytes | None:
        """Everything up to and with `mark`; None if `limit` bytes do not hold it. Raises Gone, TimeoutError."""
        while (end := self._buffer.find(mark, 0, limit)) < 0:
            if len(self._buffer) >= limit:
                return None
            self._fill()
        return self._take(end + len(mark))

    def read_exactly(self, count: int) -> bytes:
        """Raises Gone, TimeoutError."""
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def send(self, data: bytes) -> None:
        """Raises Gone."""
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.close()

    def reset(self) -> None:
        """End it as a host that loses power does: the client gets a reset, no TLS goodbye, no answer."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
        self.close()

    def break_off(self) -> None:
        """Break it from any thread: its owner finds it gone and closes it."""
        self.broken = True
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # not SSLSocket's, which also drops its state

    def _fill(self) -> None:
        try:
            data = self._sock.recv(_CHUNK_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("closed by the client")
        self._buffer += data

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data


class Workers:
    """Threads for whatever is at hand: as many as are busy at once, each reused while there is more to do."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._free = 0
        self._threads = 0
        self._lock = threading.Lock()

    def submit(self, job: Callable[[], None]) -> None:
        with self._lock:
            spare = self._free > 0
            if spare:
                self._free -= 1
            else:
                self._threads += 1
        self._jobs.put(job)
        if not spare:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Free workers end now, busy ones when their job is done."""
        with self._lock:
            threads = self._threads
        for _ in range(threads):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:  # a worker outlives its jobs
                log.exception("a connection's handler failed")
            with self._lock:
                self._free += 1


class Switchboard:
    """Watches sockets in one thread and calls back, in that thread, when one is readable. Callbacks must be quick."""

    def __init__(self) -> None:
        self.workers = Workers("xapi-worker")
        self._selector = selectors.DefaultSelector()
        self._orders: deque[Callable[[], None]] = deque()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, self._listen)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="xapi-switchboard", daemon=True)
        self._thread.start()

    def watch(self, sock: socket.socket | Connection, ready: Callable[[], None], *, once: bool) -> None:
        """Call `ready` when `sock` is readable: once, or every time until `forget`."""

        def called() -> None:
            if once:
                self._selector.unregister(sock)
            ready()

        def order() -> None:
            try:
                self._selector.register(sock, selectors.EVENT_READ, called)
            except (ValueError, KeyError, OSError):
                ready()  # closed meanwhile: whoever is called finds out by reading

        self._order(order)

    def forget(self, sock: socket.socket) -> None:
        """Stop watching and close it. Returns when it is closed."""
        done = threading.Event()

        def order() -> None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(sock)
            sock.close()
            done.set()

        self._order(order)
        done.wait(READ_TIMEOUT_SECONDS)

    def stop(self) -> None:
        def order() -> None:
            self._stopping = True

        self._order(order)
        self._thread.join(READ_TIMEOUT_SECONDS)
        self.workers.stop()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        with contextlib.suppress(BlockingIOError):
            self._bell.send(b"!")  # when the pipe is full the ear is awake anyway

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(_CHUNK_BYTES)
        while self._orders:
            self._orders.popleft()()

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select():
                try:
                    key.data()
                except Exception:  # one bad socket must not deafen all hosts
                    log.exception("a socket's callback failed")
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket | Connection):
                key.fileobj.close()
        self._selector.close()
        self._bell.close()
