"""Threads, and the rule that nothing starts before the acknowledgement has left.

Slack gives three seconds. A listener therefore only notes what is to be done; the transport (Socket Mode or HTTP) sends
the acknowledgement and then lets it start.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bot.slack.shares import Shares, Threads

_noted: contextvars.ContextVar[list[tuple[Threads, Callable[[], None]]] | None] = contextvars.ContextVar(
    "noted", default=None
)
_SHARES = 4
"""A quarter of the threads is the most that one person has."""


class Workers:
    """`quick`: calls to Slack that must happen within a trigger's three seconds. `own`: votes, and commands about the
    bot itself. `slow`: whatever waits for pools, of which a person has a share (:meth:`slow_of`). `choices`: options
    while somebody types. Each has its own threads, so that slow work never delays the others: however many commands
    wait for pools, a Reject or a Cancel counts at once.
    """

    def __init__(self, slow: int) -> None:
        self.quick = ThreadPoolExecutor(8, "slack-quick")
        self.own = ThreadPoolExecutor(8, "slack-own")
        self.slow = ThreadPoolExecutor(slow, "slack-slow")
        self.choices = ThreadPoolExecutor(8, "slack-choices")
        self.lookups = ThreadPoolExecutor(8, "slack-lookup")
        self._shares = Shares(self.slow, max(slow // _SHARES, 1))
        self._closing = threading.Event()

    def slow_of(self, person: str) -> Threads:
        """`slow`, as far as this person may have it."""
        return self._shares.of(person)

    @property
    def closing(self) -> bool:
        """What begins now does no more than say that it was not done: it is acknowledged, Slack will not send it
        again.
        """
        return self._closing.is_set()

    def close(self) -> None:
        """Finish what runs, and turn away what waits."""
        self._closing.set()
        self._shares.close()
        for pool in (self.choices, self.quick, self.own, self.slow, self.lookups):
            pool.shutdown(wait=True)


def after_ack(pool: Threads, work: Callable[[], None]) -> None:
    """Note work to be started on `pool` once the acknowledgement has left.

    :raises RuntimeError: not called while a payload is being handled (a bug).
    """
    noted = _noted.get()
    if noted is None:
        raise RuntimeError("there is no acknowledgement to wait for")
    noted.append((pool, work))


@contextmanager
def acknowledging() -> Iterator[None]:
    """Within it a payload is handled and acknowledged; on leaving, what was noted starts – also when the
    acknowledgement could not be sent: the payload was received, and Slack does not send commands again.
    """
    noted: list[tuple[Threads, Callable[[], None]]] = []
    token = _noted.set(noted)
    try:
        yield
    finally:
        _noted.reset(token)
        for pool, work in noted:
            pool.submit(work)
