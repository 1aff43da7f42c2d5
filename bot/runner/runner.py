"""Which requests run in this process, each on a thread of its own, and what becomes of one that meets a defect."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from concurrent.futures import Executor

from bot import approval, logs, tally
from bot.execution import Performer
from bot.model import Result, State
from bot.ports import Clock, People, Store
from bot.resolve import Resolver
from bot.run import LeaseLost, Run
from bot.runner.beginning import Beginning
from bot.runner.carrying import Carrier
from bot.runner.leases import Leases
from bot.runner.moves import Moves
from bot.runner.resuming import Resuming

log = logging.getLogger(__name__)

MOST_DEFECTS = 3
"""So often a request is tried again that met a defect of the bot."""
_CLOSING_SECONDS = 2


class Runner:
    """Runs approved requests, each once. `lease_seconds` is how long another process waits before it takes over from a
    dead one.
    """

    def __init__(
        self,
        *,
        store: Store,
        resolver: Resolver,
        people: People,
        clock: Clock,
        threads: Executor,
        lease_seconds: float = 20.0,
    ) -> None:
        self._store = store
        self._threads = threads
        self._runs: dict[str, Run] = {}
        self._defects: dict[str, int] = {}
        """How often each request has met a defect of the bot since it last got on."""
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._leases = Leases(store, clock, lease_seconds, self._running)
        self._moves = Moves(store, clock, resolver.registry.knows)
        self._carrier = Carrier(resolver, clock, Performer(store, clock), self._moves)
        self._beginning = Beginning(store, resolver, people, clock, self._leases, self._moves)
        self._resuming = Resuming(store, resolver, people, clock, self._leases, self._moves, self._carrier)

    def start(self, request_id: str) -> None:
        """Run it on a thread of its own. If this process already does, see whether it is to be cancelled."""
        request = self._store.request(request_id)
        if request is None:
            return
        with self._guard:
            running = self._runs.get(request_id)
            if running is not None and request.state is State.CANCELLING:
                running.cancel.set()
            if running is not None or self._closing.is_set():
                return
            self._runs[request_id] = Run(request)
        with logs.about(request=request_id, pool=request.plan.pool.name):
            self._threads.submit(logs.carried(self._run), request_id)

    def close(self) -> None:
        """Start nothing more and let go of what runs: it goes on in the pool, and whoever starts next takes it up."""
        self._closing.set()
        for run in self._running().values():
            run.lost.set()
        self._leases.stop(_CLOSING_SECONDS)

    def running(self) -> int:
        """How many requests run in this process."""
        return len(self._running())

    def _running(self) -> Mapping[str, Run]:
        with self._guard:
            return dict(self._runs)

    def _run(self, request_id: str) -> None:
        run = self._runs[request_id]
        try:
            with tally.counting():
                if run.request.state in approval.ACTIVE_STATES:
                    self._resuming.take_up(run, once_more=request_id in self._defects)
                elif self._beginning.begin(run):
                    self._carrier.carry_out(run)
        except LeaseLost:
            log.warning("left to whoever takes it up next")
            self._leases.let_go(request_id)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("bug %s: the runner failed on %s", reference, request_id)
            self._defect(run, reference)
        else:
            self._defects.pop(request_id, None)
            if run.request.state is State.UNKNOWN:
                self._leases.let_go(request_id)
            else:
                self._leases.unlock(request_id)
        finally:
            with self._guard:
                self._runs.pop(request_id, None)

    def _defect(self, run: Run, reference: str) -> None:
        """A defect of the bot. It is tried again from what was written down, but not for ever: then the request ends,
        FAILED if no call of it was begun, else UNKNOWN, and says where the log has the details.
        """
        request_id = run.request.id
        self._defects[request_id] = self._defects.get(request_id, 0) + 1
        if self._defects[request_id] < MOST_DEFECTS:
            self._leases.let_go(request_id)
            return
        told = f"a defect of the bot; its log has the details under {reference}"
        try:
            run.request = self._store.request(request_id) or run.request
            if self._store.calls(request_id):
                self._moves.unknown(run, told)
                self._leases.let_go(request_id)
            else:
                self._moves.fail(run, Result(summary=f"Nothing was sent: {told}."))
                self._leases.unlock(request_id)
        except Exception:
            log.exception("%s: could not be ended after bug %s", request_id, reference)
            self._leases.let_go(request_id)
        else:
            self._defects.pop(request_id, None)
