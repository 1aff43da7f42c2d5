"""Waiting for the operating system to say that it is enough."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ENDS = frozenset({signal.SIGTERM, signal.SIGINT})


class Stopped:
    """SIGTERM or SIGINT, blocked in every thread started meanwhile, so that no thread's work is interrupted by them."""

    def wait(self) -> None:
        signal.sigwait(_ENDS)


@contextmanager
def until_stopped() -> Iterator[Stopped]:
    """To be entered in the main thread before other threads start: they inherit the blocked signals.

    `sigwait` rather than a handler and an Event: an untimed Event.wait in CPython's main thread can miss its signal.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield Stopped()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
