"""The inventory: read whole once, then kept up to date by what changed.

A cold start costs one call, whatever the pool's size: `event.from` with an empty token gives every object, by JSON-RPC
where the pool has it. From then on one `event.from` with the token gives the changes. XenServer 5.6 has no `event.from`
(introduced in 6.0): there each read costs one `get_all_records` per class.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import Unavailable, UserError
from bot.inventory import CLASSES, Inventory
from bot.ports import Clock
from bot.text import duration
from bot.xapi import failures
from bot.xapi.session import PoolSession, Refusal

_log = logging.getLogger(__name__)

#: A pool keeps deletions only for the newest few hundred objects of a class; after so long a silence all is read anew.
LONGEST_GAP_SECONDS = 600.0
#: So long a read may take before it counts as silence; the whole of 64 hosts with 4,000 VMs takes less.
SILENT_SECONDS = 10.0
#: So many threads wait for a silent pool; the others answer questions about pools that do speak.
MOST_WAITING = 4
_LOOK_SECONDS = 1.0
_NAMES = tuple(kind.cls for kind in CLASSES)
_BY_EVENT_NAME = {name.lower(): name for name in _NAMES}
# Messages are not in the database: their count is always 0 (xapi 26.9 as recorded).
_UNCOUNTED = {"message"}
_RETRY_WHOLE = {"EVENT_FROM_TOKEN_PARSE_FAILURE", "EVENTS_LOST"}

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class _State:
    """What the last read left behind. The token belongs to one login: another coordinator counts anew."""

    records: Records
    token: str
    login: int
    at: float


class _Round:
    """One read, and all who wait for it."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.done = threading.Event()
        self.inventory: Inventory | None = None
        self.error: Exception | None = None


class Reader:
    """Reads one pool for all threads: who arrives while a read runs shares the next one, which starts afterwards.
    `check` may refuse what was read; `called` is what a refusal calls the pool.
    """

    def __init__(
        self,
        session: PoolSession,
        clock: Clock,
        check: Callable[[Inventory], None] = lambda _: None,
        called: str = "pool",
    ) -> None:
        self._check = check
        self._called = called
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._running: _Round | None = None
        self._next: _Round | None = None
        self._waiting = 0
        self._latest: Inventory | None = None
        self._trouble = ""
        self._state: _State | None = None  # touched by the one thread that reads
        self._without_events = 0

    def read(self, *, patient: bool = True) -> Inventory:
        """The pool's database, read after this call began. Who is not `patient` does not wait for a silent pool that
        enough others wait for, so that one pool never has all the threads that answer people.

        :raises Unavailable: the pool cannot be asked.
        :raises ToolstackRefusal: it refuses to be read. :raises Refused: it is another pool than the one that is meant.
        """
        with self._lock:
            before = self._running
            leads = before is None or self._next is None
            if before is None:
                mine = self._running = _Round()
            else:
                mine = self._next = self._next or _Round()
            self._waiting += 1
        try:
            if leads:
                if before is not None:
                    before.done.wait()
                self._lead(mine)
            while not mine.done.wait(None if patient else _LOOK_SECONDS):
                self._bear(mine)
        finally:
            with self._lock:
                self._waiting -= 1
        if mine.error is not None:
            raise mine.error
        assert mine.inventory is not None
        return mine.inventory

    def _bear(self, mine: _Round) -> None:
        """:raises Unavailable: the pool is silent, and enough others wait for it."""
        with self._lock:
            running = self._running
            if running is None or running.began is None or mine.done.is_set() or self._waiting <= MOST_WAITING:
                return
            silent, before = self._clock.monotonic() - running.began, self._trouble
            if silent < SILENT_SECONDS and not before:
                return
        raise Unavailable(
            f"The {self._called} has not answered for {duration(round(silent))}, and others wait for it already.",
            remedy="Those who asked first will hear what became of it. Ask again in a minute.",
            evidence=(f"Before that: {before}",) if before else (),
        )

    def latest(self) -> Inventory | None:
        """The last inventory that was read, for names; it may be old."""
        return self._latest

    def seen(self) -> tuple[float | None, str]:
        """When the pool was read last (seconds since the epoch), and why the last try failed ("" when it did not)."""
        return self._latest.read_at if self._latest else None, self._trouble

    def _lead(self, mine: _Round) -> None:
        mine.began = self._clock.monotonic()
        try:
            found = self._read()
            self._check(found)
            mine.inventory = self._latest = found
            self._trouble = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, everybody who waits gets it
            mine.error = error
            self._trouble = error.message if isinstance(error, UserError) else type(error).__name__
        finally:
            with self._lock:
                # A round that waits already has its leader, whom `done` wakes.
                self._running, self._next = self._next, None
            mine.done.set()

    # --- by one thread at a time ---

    def _read(self) -> Inventory:
        login = self._session.login().number
        state, self._state = self._state, None
        try:
            if state is None or state.login != login or self._clock.monotonic() - state.at > LONGEST_GAP_SECONDS:
                state = self._all()
            else:
                state = self._changes(state)
        except Refusal as refusal:
            raise failures.refusal(refusal.error, self._latest) from refusal
        if not state.records["pool"]:
            raise Unavailable("The pool's database holds no pool: it is not complete.", remedy="Ask again in a moment.")
        self._state = state
        read_at = self._clock.now().timestamp()
        latest = self._latest
        inventory = latest.later(state.records, read_at) if latest else Inventory(state.records, read_at)
        self._session.learn({host.address: host.name for host in inventory.hosts if host.address})
        return inventory

    def _all(self) -> _State:
        """Everything, in one call where the pool has events."""
        if self._without_events != self._session.login().number:
            try:
                answer, login = self._events("")
            except Refusal as refusal:
                if failures.code_of(refusal.error) != "MESSAGE_METHOD_UNKNOWN":
                    raise
                self._without_events = self._session.login().number
            else:
                return self._kept(_with({name: {} for name in _NAMES}, answer["events"]), answer, login)
        login = self._session.login().number
        return self._kept({name: self._records_of(name) for name in _NAMES}, {}, login)

    def _changes(self, state: _State) -> _State:
        if not state.token:
            return self._all()
        try:
            answer, login = self._events(state.token)
        except Refusal as refusal:
            if failures.code_of(refusal.error) not in _RETRY_WHOLE:
                raise
            return self._all()
        if login != state.login:
            return self._all()  # renewed on the way: the token may be another coordinator's
        records = _with(state.records, answer["events"])
        lost = _lost(records, answer)
        if lost == ["task"]:
            records = {**records, "task": self._records_of("task")}
        elif lost:
            _log.info("deletions of %s went unseen; reading anew", ", ".join(lost))
            return self._all()
        return self._kept(records, answer, login)

    def _events(self, token: str) -> tuple[Mapping[str, Any], int]:
        call = ("event.from", list(_NAMES), token, 0.0)
        answer, login = self._session.read_numbered(_are_events, *call, large=not token)
        if not isinstance(answer, Mapping) or not isinstance(answer.get("events"), list):
            raise Unavailable(
                "The pool answered something that is not XenAPI.", evidence=("event.from without events",)
            )
        return answer, login

    def _records_of(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        try:
            records = self._session.read(f"{name}.get_all_records")
        except Refusal as refusal:
            if failures.code_of(refusal.error) == "MESSAGE_METHOD_UNKNOWN":
                return {}  # a class that this version does not have
            raise
        return records if isinstance(records, Mapping) else {}

    def _kept(self, records: Records, answer: Mapping[str, Any], login: int) -> _State:
        return _State(records, str(answer.get("token", "")), login, self._clock.monotonic())


def _are_events(answer: Any) -> bool:
    """Is it what `event.from` answers, object for object?"""
    return (
        isinstance(answer, Mapping)
        and isinstance(answer.get("token"), str)
        and isinstance(answer.get("valid_ref_counts"), Mapping)
        and isinstance(answer.get("events"), list)
        and all(map(_is_event, answer["events"]))
    )


def _is_event(event: Any) -> bool:
    return (
        isinstance(event, Mapping)
        and isinstance(event.get("class"), str)
        and isinstance(event.get("ref"), str)
        and isinstance(event.get("operation"), str)
        and (isinstance(event.get("snapshot"), Mapping) or event["operation"] == "del")
    )


def _with(records: Records, events: list[Mapping[str, Any]]) -> Records:
    """The records after the events. What is not touched is shared with the records before."""
    changed: dict[str, dict[str, Mapping[str, Any]]] = {}
    for event in events:
        name = _BY_EVENT_NAME.get(str(event.get("class", "")).lower())
        if name is None:
            continue
        table = changed.get(name)
        if table is None:
            table = changed[name] = dict(records.get(name, {}))
        snapshot = event.get("snapshot")
        if event.get("operation") == "del":
            table.pop(str(event.get("ref")), None)
        elif isinstance(snapshot, Mapping):
            table[str(event.get("ref"))] = snapshot
    return {**records, **changed}


def _lost(records: Records, answer: Mapping[str, Any]) -> list[str]:
    """Classes of which more objects are kept than the pool has: it forgot to tell of deletions.

    Fewer is no loss: an object that is created while the pool answers is told of next time.
    """
    counts = answer.get("valid_ref_counts")
    if not isinstance(counts, Mapping):
        return []
    return [
        name
        for name in _NAMES
        if name not in _UNCOUNTED and name.lower() in counts and len(records[name]) > int(counts[name.lower()])
    ]
