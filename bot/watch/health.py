"""Is the bot well (else it should be restarted), and is it ready (else somebody should look)?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from bot.errors import UserError

PULSE_SECONDS = 60.0
"""The timer beats every second; after so long without, what it should do is not done any more."""

Check = Callable[[], str]
"""Why something is not as it should be, in words; "" when it is."""


class Pulse:
    """Beaten by the timer: as long as it beats, due work is done."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._last = monotonic()

    def beat(self) -> None:
        with self._lock:
            self._last = self._monotonic()

    def check(self) -> str:
        with self._lock:
            silence = self._monotonic() - self._last
        return f"no due work has been done for {silence:.0f} s" if silence > PULSE_SECONDS else ""


class Health:
    """Two lists of checks. `well`: what only a restart mends. `ready`: these, and what the bot needs from others."""

    def __init__(self, well: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._well = dict(well)
        self._ready = {**well, **ready}

    def well(self) -> dict[str, str]:
        """Each check with why it fails; "" for those that do not."""
        return _asked(self._well)

    def ready(self) -> dict[str, str]:
        return _asked(self._ready)


def _asked(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: _told(check) for name, check in checks.items()}


def _told(check: Check) -> str:
    try:
        return check()
    except UserError as error:
        return error.message
