"""Due work, on APScheduler as a timer only: what is due is in the store, so that nothing is lost with the process."""

from __future__ import annotations

import logging
from collections.abc import Callable

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from bot.errors import UserError

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class Jobs:
    """Calls each tick, never two of the same at a time, from threads of its own."""

    def __init__(self, *ticks: Callable[[], None], seconds: float = TICK_SECONDS) -> None:
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max_workers=2)}, timezone="UTC", daemon=True
        )
        # A tick that takes long is no news, nor is one that is added; APScheduler would tell of each.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        logging.getLogger("apscheduler.executors.default").setLevel(logging.ERROR)
        for tick in ticks:
            self._scheduler.add_job(_guarded(tick), "interval", seconds=seconds, max_instances=1, coalesce=True)

    def start(self) -> None:
        self._scheduler.start()

    def close(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


def _guarded(work: Callable[[], None]) -> Callable[[], None]:
    """A tick that fails is logged; the next one comes all the same."""

    def run() -> None:
        try:
            work()
        except UserError as error:
            log.warning("due work has to wait: %s", error.message)
        except Exception:
            log.exception("due work failed")

    return run
