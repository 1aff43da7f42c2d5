"""What a simulated call has in its hands: the pool, the host that was asked, the session and the task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.xapi import tasks
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.values import NULL, Row, Time

if TYPE_CHECKING:
    from sandbox.xapi.estate import Estate
    from sandbox.xapi.hosts import Host
    from sandbox.xapi.model import Model
    from sandbox.xapi.pool import Pool
    from sandbox.xapi.store import Database
    from sandbox.xapi.tasks import Task

_STEP = 0.05
_SHORTEST = 0.05
"""Progress is reported in twentieths, but not more often than so many real seconds apart."""


@dataclass
class Context:
    """Valid while the call runs, with `pool.db.lock` held. `task` is None for calls that make none."""

    estate: Estate
    pool: Pool
    host: Host
    session: str
    originator: str
    method: str
    task: Task | None = None

    def __post_init__(self) -> None:
        self.run = self.host.runs

    @property
    def db(self) -> Database:
        return self.pool.db

    @property
    def model(self) -> Model:
        return self.pool.model

    def get(self, cls: str, ref: str) -> Row:
        """The record. Raises Failure HANDLE_INVALID."""
        return self.db.get(cls, ref)

    def now(self) -> Time:
        return self.pool.now()

    @property
    def task_ref(self) -> str:
        """The key under which this call shows itself in `current_operations`."""
        return self.task.ref if self.task else f"DummyRef:|{id(self):x}|{self.method}"

    # Waiting

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let others work until `until()` holds or `seconds` of the lab's time passed. Says whether it holds.

        Raises Failure TASK_CANCELLED when the task is cancelled meanwhile, HostDown when this host goes down.
        """
        task, host = self.task, self.host

        def done() -> bool:
            return until() or self.estate.stopped or host.runs != self.run or (task is not None and task.cancelling)

        self.estate.time.wait(self.db.changed, seconds, done)
        if host.runs != self.run:
            raise HostDown(host.uuid)
        if task is not None:
            task.stop_if_cancelled()
        return until()

    def work(
        self, seconds: float, begin: float = 0.0, end: float = 1.0, alive: Callable[[], bool] | None = None
    ) -> None:
        """Take `seconds` of the lab's time, the task's progress going from `begin` to `end`.

        `alive` is looked at on the way: when it stops holding, the work ends early.
        """
        really = seconds / self.estate.speed
        steps = max(1, min(round((end - begin) / _STEP), int(really / _SHORTEST)))
        for step in range(1, steps + 1):
            if self.wait(seconds / steps, lambda: alive is not None and not alive()):
                return
            if self.task is not None and step < steps:
                self.task.write(progress=round(begin + (end - begin) * step / steps, 4))

    # Reaching hosts

    def require_live(self, host: str) -> Host:
        """The host that a call is forwarded to. Raises Failure HANDLE_INVALID, HOST_OFFLINE, CANNOT_CONTACT_HOST."""
        record = self.get("host", host)
        metrics = self.db.find("host_metrics", record["metrics"])
        if metrics is None or not metrics["live"]:
            raise Failure("HOST_OFFLINE", host)
        target = self.pool.hosts[host]
        if not target.alive:
            raise Failure("CANNOT_CONTACT_HOST", host)
        return target

    # Saying what happened

    def announce(self, name: str, priority: int, cls: str, obj_uuid: str, body: str) -> str:
        """Raise a message (alert). Returns its reference."""
        return self.pool.post(name, priority, cls, obj_uuid, body)

    def child(self, label: str) -> Context:
        """A context for a part of this call that shows as a task of its own; `end` takes the task away."""
        parent = self.task.ref if self.task else NULL
        task = tasks.create(self.db, label, self.host.ref, self.now(), parent=parent)
        self.pool.tasks[task.ref] = task
        return replace(self, task=task)

    def end(self) -> None:
        """The part that `child` began is over."""
        if self.task is not None:
            self.pool.tasks.pop(self.task.ref, None)
            if self.task.there:
                self.db.destroy("task", self.task.ref)

    def subcall(self, method: str, *params: Any) -> Any:
        """Another call on behalf of this one, with this session and task."""
        from sandbox.xapi import registry  # the handlers' modules import this one

        return registry.HANDLERS[method].function(self, *params)
