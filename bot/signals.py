"""Waiting for the operating system to say that it is enough."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ENDS = frozenset({signal.SIGTERM, signal.SIGINT})
_LOOK_SECONDS = 1.0


class Stopped:
    """SIGTERM or SIGINT, blocked in every thread started meanwhile, so that no thread's work is interrupted by them."""

    def __init__(self) -> None:
        self._caught = False

    def catch(self, *_: object) -> None:
        """The signal came while nobody waited, by a thread that does not block it (see :func:`until_stopped`)."""
        self._caught = True

    def wait(self) -> None:
        while not self._caught and signal.sigtimedwait(_ENDS, _LOOK_SECONDS) is None:
            pass


@contextmanager
def until_stopped() -> Iterator[Stopped]:
    """To be entered in the main thread before other threads start: they inherit the blocked signals.

    `sigtimedwait` rather than a handler and an Event: an untimed Event.wait in CPython's main thread can miss its
    signal. The handler besides is for threads that libraries have started before (NumPy's, when it is imported): a
    signal that none of ours takes would go to one of them, and end the process at once.
    """
    stopped = Stopped()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    handlers = {number: signal.signal(number, stopped.catch) for number in _ENDS}
    try:
        yield stopped
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
