"""What systemd is told of a service of Type=notify (sd_notify(3)). Without systemd nothing is told to anybody."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

ALIVE_SHARE = 3
"""The watchdog is fed so often in its time, so that one late beat is no death."""


def tell(*states: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send `READY=1`, `STATUS=…`; False when nobody listens. Never raises: the service matters more than that."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    # A leading @ is an address without a file (unix(7): abstract).
    target = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(target)
            sock.sendall("\n".join(states).encode())
    except OSError as error:
        log.warning("the service manager cannot be told: %s", error.strerror)
        return False
    return True


class Watchdog:
    """Feeds systemd's watchdog as long as `why_not` finds nothing wrong; a bot that hangs is then restarted."""

    def __init__(self, why_not: Callable[[], str], environment: Mapping[str, str] = os.environ) -> None:
        self._why_not = why_not
        self._environment = environment
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        limit = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.seconds = int(limit) / 1_000_000 / ALIVE_SHARE if limit.isdigit() and int(limit) and mine else 0.0

    def start(self) -> None:
        """Nothing happens when the unit has no WatchdogSec."""
        if self.seconds:
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self.seconds):
            why = self._why_not()
            if why:
                log.error("the watchdog is not fed: %s", why)
                tell(f"STATUS=Not well: {why}", environment=self._environment)
            else:
                tell("WATCHDOG=1", environment=self._environment)
