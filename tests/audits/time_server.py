"""A pretend NTP server on 127.0.0.1 (RFC 5905, section 7.3): UDP, a port of the system's choice."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_EPOCH = 2_208_988_800
"""Seconds from NTP's epoch to Unix's."""


@dataclass
class TimeServer:
    """What it answers may be changed while it runs. `ahead` is what its clock is ahead of the machine's, in seconds."""

    address: str = ""
    ahead: float = 0.0
    stratum: int = 2
    leap: int = 0
    mode: int = 4
    root_delay: float = 0.010
    root_dispersion: float = 0.005
    reference: bytes = b"\x7f\x00\x00\x01"
    silent: bool = False
    keeps: float = 0.0
    """Seconds it takes to answer."""
    asked: list[bytes] = field(default_factory=list)

    def answer(self, question: bytes, taken: float) -> bytes:
        first = self.leap << 6 | 4 << 3 | self.mode
        head = struct.pack(
            "!BBBbII4s",
            first,
            self.stratum,
            6,
            -20,
            int(self.root_delay * 65536),
            int(self.root_dispersion * 65536),
            self.reference,
        )
        # The question's transmit time comes back as the origin.
        return b"".join(
            (head, _stamp(taken - 60), question[40:48], _stamp(taken + self.ahead), _stamp(time.time() + self.ahead))
        )


def _stamp(at: float) -> bytes:
    seconds, fraction = divmod(at + _EPOCH, 1.0)
    return struct.pack("!II", int(seconds) & 0xFFFFFFFF, int(fraction * 2**32))


@contextmanager
def time_server(**how: object) -> Iterator[TimeServer]:
    """One that answers until the block ends."""
    server = TimeServer(**how)  # type: ignore[arg-type]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        server.address = f"127.0.0.1:{line.getsockname()[1]}"

        def serve() -> None:
            while True:
                question, client = line.recvfrom(512)
                if question == b"end":
                    return
                taken = time.time()
                server.asked.append(question)
                if server.silent:
                    continue
                if server.keeps:
                    time.sleep(server.keeps)
                line.sendto(server.answer(question, taken), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"end", line.getsockname())
            thread.join(10)
