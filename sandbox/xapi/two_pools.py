"""Working on two pools of the estate at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sandbox.xapi.context import Context
from sandbox.xapi.pool import Pool

_CONTENDED = 0.005
"""Seconds, really, until a pool that somebody else has in hand is tried again."""


@contextlib.contextmanager
def both_held(context: Context, other: Pool) -> Iterator[None]:
    """This pool's lock and the other's. Nobody waits for a lock while holding one: two hosts that join each other, or
    two VMs that change places, would wait for ever."""
    while not other.db.lock.acquire(blocking=False):
        context.db.changed.wait(_CONTENDED)
        context.wait(0)
    try:
        yield
    finally:
        other.db.lock.release()
