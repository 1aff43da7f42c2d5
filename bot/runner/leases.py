"""The leases of what runs in this process: what makes a request run in one process only."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Mapping

from bot import approval
from bot.errors import UserError
from bot.ports import Clock, Conflict, Store
from bot.run import Run

log = logging.getLogger(__name__)


class Leases:
    """This process's leases, kept alive by a thread of its own. `seconds` is how long another process waits before it
    takes over from a dead one; `runs` are the requests that are running here, by their ids.
    """

    def __init__(self, store: Store, clock: Clock, seconds: float, runs: Callable[[], Mapping[str, Run]]) -> None:
        self.owner = secrets.token_hex(8)
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._runs = runs
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
        self._thread.start()

    def stop(self, within: float) -> None:
        """Keep none alive any more; wait so many seconds for the thread to end."""
        self._stopping.set()
        self._thread.join(timeout=within)

    def lock(self, request_id: str, keys: Iterable[str], *, passing: Collection[str] = ()) -> tuple[Conflict, ...]:
        """As :meth:`bot.ports.Store.lock`."""
        return self._store.lock(request_id, keys, self.owner, self._clock.now(), self._seconds, passing=passing)

    def adopt(self, request_id: str) -> bool:
        """As :meth:`bot.ports.Store.adopt`."""
        return self._store.adopt(request_id, self.owner, self._clock.now(), self._seconds)

    def unlock(self, request_id: str) -> None:
        """It has ended: others may have what it held."""
        self._store.unlock(request_id, self.owner)

    def let_go(self, request_id: str) -> None:
        """End this process's lease, if it still has it. The locks stay: a call may be on its way, nobody may cross
        it.
        """
        try:
            self._store.renew(request_id, self.owner, self._clock.now(), 0.0)
        except UserError:
            log.warning("%s: its lease ends by itself", request_id)

    def _keep(self) -> None:
        while not self._stopping.wait(self._seconds / 4):
            self._renew()  # what it looked at is let go of before the next wait

    def _renew(self) -> None:
        for request_id, run in self._runs().items():
            try:
                held = self._store.renew(request_id, self.owner, self._clock.now(), self._seconds)
            except UserError as error:
                log.warning("%s: its lease could not be renewed: %s", request_id, error.message)
                continue
            except Exception:
                log.exception("%s: its lease could not be renewed", request_id)
                continue
            if not held and run.owner is not None and self._is_active(request_id):
                run.lost.set()

    def _is_active(self, request_id: str) -> bool:
        request = self._store.request(request_id)
        return request is not None and request.state in approval.ACTIVE_STATES
