"""What slack_sdk's clients may write into the log: no requests, no chatter, and the same complaint rarely."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

AGAIN_SECONDS = 300.0
"""While Slack cannot be reached, slack_sdk says so at each try; the log has it so often."""
_MOST_KEPT = 100
_CHATTER = (
    "Using non-ssl socket",
    "Starting to receive messages",
    "Stopped receiving messages",
    "The session seems to be already closed",
    "Connecting to a new endpoint",
)


class Quiet(logging.Filter):
    """Lets through what is worth a line, and of equal complaints one in `AGAIN_SECONDS`."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return not str(record.msg).startswith(_CHATTER)
        text, now = record.getMessage(), self._monotonic()
        with self._lock:
            self._said = {each: at for each, at in self._said.items() if now - at < AGAIN_SECONDS}
            if text in self._said:
                return False
            if len(self._said) < _MOST_KEPT:
                self._said[text] = now
            return True


_quiet = Quiet()


def quiet_logger() -> logging.Logger:
    """The logger for slack_sdk's clients: at DEBUG they write whole requests, response URLs included."""
    logger = logging.getLogger("bot.slack.sdk")
    logger.setLevel(max(logging.getLogger("bot").getEffectiveLevel(), logging.INFO))
    logger.addFilter(_quiet)  # the same one is added once
    return logger
