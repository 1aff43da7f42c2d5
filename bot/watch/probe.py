"""Looks at pools that nobody has asked for a while, so that what is said of them is not old."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bot import logs
from bot.errors import UserError
from bot.ports import Clock, Pools
from bot.xapi.pools import PoolSighting

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Pools probed at the same time. One that hangs keeps its thread for as long as an answer may take."""


class Probe:
    """`tick` reads each pool that was not read for `seconds`: one call to it, and nothing that waits for it."""

    def __init__(
        self, pools: Pools, sightings: Callable[[], tuple[PoolSighting, ...]], clock: Clock, seconds: float
    ) -> None:
        self._pools = pools
        self._sightings = sightings
        self._clock = clock
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe")
        self._asked: dict[str, float] = {}
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def tick(self) -> None:
        now = self._clock.now().timestamp()
        for pool in self._sightings():
            last = max(pool.read_at or 0.0, self._asked.get(pool.name, 0.0))
            with self._lock:
                if now - last < self._seconds or pool.name in self._busy:
                    continue
                self._busy.add(pool.name)
            self._asked[pool.name] = now
            with logs.about(pool=pool.name):
                self._threads.submit(logs.carried(self._look), pool.name, bool(pool.trouble))

    def close(self) -> None:
        """Wait for what is being asked; start nothing more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _look(self, name: str, was_away: bool) -> None:
        try:
            self._pools.view(name).inventory()
            if was_away:
                log.info("the pool answers again")
        except UserError as error:
            if not was_away:
                log.warning("%s %s", error.message, "; ".join(error.evidence))
        except Exception:
            log.exception("probing the pool failed")
        finally:
            with self._lock:
                self._busy.discard(name)
