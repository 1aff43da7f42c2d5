"""One pool of the estate: its database, its hosts, and what only lives in the coordinator's memory."""

from __future__ import annotations

import collections
import threading
import uuid as uuids
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.xapi import allowed, free_memory
from sandbox.xapi.failure import HostDown
from sandbox.xapi.hosts import Host
from sandbox.xapi.model import model
from sandbox.xapi.store import Database, new_ref
from sandbox.xapi.tasks import Task
from sandbox.xapi.values import Row, Time
from sandbox.xapi.world import PoolWorld

if TYPE_CHECKING:
    from sandbox.xapi.estate import Estate

# What the coordinator forgets when it stops: not part of a world.
_TRANSIENT = ("session", "task")


class Pool:
    """Every use of `db` and of this object happens while `db.lock` is held."""

    def __init__(self, estate: Estate, world: PoolWorld) -> None:
        self.estate, self.release = estate, world.release
        self.notes = world.notes
        self.model = model(world.release)
        self.db = Database(self.model)
        self.db.load({cls: rows for cls, rows in world.objects.items() if cls not in (*_TRANSIENT, "message")})
        self.db.date_back("host", self.coordinator_ref)
        self.db.date_back("host_metrics", self.db.value("host", self.coordinator_ref, "metrics"))
        self.messages = MessageLog()
        for ref, row in world.objects.get("message", {}).items():
            self.messages.add(ref, {**row, "timestamp": Time(row["timestamp"])})
        self.hosts = {ref: Host(self, ref) for ref in self.db.rows("host")}
        self.tasks: dict[str, Task] = {}
        self.subscriptions: dict[str, Any] = {}
        """What `event.register` keeps, by session."""
        self.guest_tools: dict[str, Row] = {}
        """What a VM's tools said when it last ran; empty when it had none."""
        self.restart_failed: set[str] = set()
        """Protected VMs whose failed restart was told already."""
        self.measured = free_memory.measured(self.db)
        """Hosts whose free memory is kept true."""
        self.no_restarts_before = 0.0
        """Lab time until which HA restarts nothing (`pool.ha_prevent_restarts_for`)."""
        self.storage_migrations: collections.Counter[str] = collections.Counter()
        """How many storage migrations each host is sending."""
        with self.db.lock:
            allowed.refresh_all(self.db)

    @property
    def ref(self) -> str:
        return self.db.sole("pool")

    @property
    def record(self) -> Row:
        return self.db.get("pool", self.ref)

    @property
    def coordinator_ref(self) -> str:
        return str(self.record["master"])

    @property
    def coordinator(self) -> Host:
        return self.hosts[self.coordinator_ref]

    def now(self) -> Time:
        """The coordinator's clock: what it stamps on tasks, messages and sessions."""
        return self.coordinator.clock.now()

    def forget_runtime(self) -> None:
        """The coordinator's toolstack stopped: sessions and tasks are gone."""
        for cls in _TRANSIENT:
            for ref in list(self.db.rows(cls)):
                self.db.destroy(cls, ref)
        self.tasks.clear()
        self.subscriptions.clear()

    def set_live(self, host: str, live: bool) -> None:
        """Show a host (by reference) as live or not, as its metrics say."""
        metrics = self.db.value("host", host, "metrics")
        if self.db.find("host_metrics", metrics) is not None:
            self.db.write("host_metrics", metrics, live=live)
        allowed.refresh(self.db, "host", host)

    def change_coordinator(self, host: str) -> None:
        """Another host (by reference) leads from now on: all sessions and tasks are gone."""
        self.forget_runtime()
        self.db.write("pool", self.ref, master=host)
        now = self.estate.time.now()
        for other in self.hosts.values():
            if other.ref == host:
                other.lost_coordinator_at = other.found_coordinator_at = None
            else:
                other.coordinator_back(now)
        self.post("POOL_MASTER_TRANSITION", 4, "Host", self.hosts[host].uuid, "")
        self.db.changed.notify_all()

    def world(self) -> PoolWorld:
        objects: dict[str, dict[str, Row]] = {
            name: {ref: dict(row) for ref, row in table.rows.items()}
            for name, table in self.db.tables.items()
            if table.rows and name not in _TRANSIENT
        }
        if self.messages.rows:
            objects["message"] = {ref: dict(row) for ref, row in self.messages.rows.items()}
        return PoolWorld(release=self.release, objects=objects, notes=self.notes)

    def post(self, name: str, priority: int, cls: str, obj_uuid: str, body: str) -> str:
        """Raise a message (alert) about the object with that uuid. Returns its reference."""
        ref = new_ref()
        row = {
            "uuid": str(uuids.uuid4()),
            "name": name,
            "priority": priority,
            "cls": cls,
            "obj_uuid": obj_uuid,
            "timestamp": self.now(),
            "body": body,
        }
        self.messages.add(ref, row)
        self.db.changed.notify_all()
        return ref

    def in_background(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread of its own, with the pool's lock held."""

        def run() -> None:
            with self.db.lock:
                if not self.estate.stopped:
                    try:
                        work()
                    except HostDown:
                        pass  # with its host the work is over
                    except Exception as bug:
                        self.estate.bugs.append(bug)
                        raise

        threading.Thread(target=run, daemon=True).start()

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Run `work` when so many seconds of the lab's time have passed."""

        def later() -> None:
            self.estate.time.wait(self.db.changed, seconds, lambda: self.estate.stopped)
            if not self.estate.stopped:
                work()

        self.in_background(later)


class MessageLog:
    """Messages are files on the coordinator, not database objects: they have their own generations."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.by_uuid: dict[str, str] = {}
        self.generation = 0
        self.log: list[tuple[int, str, Row | None]] = []
        """(generation, ref, record or None for a deletion), oldest first."""

    def add(self, ref: str, row: Row) -> None:
        self.generation += 1
        self.rows[ref] = row
        self.by_uuid[row["uuid"]] = ref
        self.log.append((self.generation, ref, row))

    def remove(self, ref: str) -> None:
        self.generation += 1
        row = self.rows.pop(ref)
        self.by_uuid.pop(row["uuid"], None)
        self.log = [entry for entry in self.log if entry[1] != ref]
        self.log.append((self.generation, ref, None))
        if len(self.log) > _LOG_MOST + len(self.rows):
            self.log = [e for e in self.log if e[2] is not None] + [e for e in self.log if e[2] is None][-_LOG_MOST:]
            self.log.sort(key=lambda entry: entry[0])

    def since(self, generation: int) -> list[tuple[str, Row | None]]:
        out: list[tuple[str, Row | None]] = []
        for made, ref, row in reversed(self.log):
            if made <= generation:
                break
            out.append((ref, row))
        out.reverse()
        return out


_LOG_MOST = 512
