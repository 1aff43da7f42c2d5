"""The ports' other sides in memory: a pool whose tasks go on whatever happens to the bot, people, a clock, threads that
run when they are told to – and a fate that kills the bot at any call to the store or the pool.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bot.errors import NotFound, OutcomeUnknown, ToolstackRefusal, Unavailable
from bot.inventory import Inventory
from bot.model import (
    Actor,
    Argument,
    Expect,
    Object,
    ObjectId,
    Place,
    Secret,
    Step,
    Target,
)
from bot.policy import Rules
from bot.ports import (
    Account,
    ConnectionFacts,
    HostAnswer,
    KnownHost,
    KnownPool,
    Sighting,
    Standing,
    Taken,
    TaskStatus,
    TaskView,
)

KEY = b"0123456789abcdef0123456789abcdef"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEAM = "T1"
CHANNEL = Place(kind="slack", team=TEAM, channel="C1")
POOL = ObjectId("pool", "cccccccc-0000-4000-8000-000000000000", "lab")
HOSTS = tuple(f"bbbbbbbb-0000-4000-8000-00000000000{n}" for n in (1, 2))
VMS = tuple(f"aaaaaaaa-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def person(name: str) -> Actor:
    return Actor(kind="slack", id=f"{TEAM}/U{name.upper()}", name=name)


OLGA, ANA, BEN, SAM = map(person, ("olga", "ana", "ben", "sam"))


def rules(**changes: Any) -> Rules:
    fields: dict[str, Any] = {
        "operators": frozenset({"UOLGA"}),
        "approvers": frozenset({"UANA", "UBEN"}),
        "readers": frozenset({"everyone"}),
        "expiry_seconds": 600,
    }
    return Rules(**(fields | changes))


class Everybody:
    """:class:`bot.ports.People`: all are members."""

    def standing(self, actor: Actor) -> Standing:
        return Standing(member=True)

    def individuals(self, references: Collection[str]) -> frozenset[str]:
        return frozenset(references)


class HandClock:
    """Stands still until somebody sleeps or turns it; whoever sleeps lets `meanwhile` happen."""

    def __init__(self) -> None:
        self.at = START
        self.elapsed = 0.0
        self.meanwhile: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.elapsed += seconds
        self.meanwhile()


class LaterThreads(Executor):
    """What is submitted waits until :meth:`run_one`."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append(lambda: fn(*args, **kwargs))
        return Future()

    def run_one(self) -> bool:
        if self.waiting:
            self.waiting.pop(0)()
            return True
        return False

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:
        return map(fn, *iterables)


class Killed(BaseException):
    """The process is gone: nothing catches this."""


@dataclass
class Fate:
    """Kills at the `left`-th call from now on, before it or after it was carried out. None: never."""

    left: int | None = None
    after: bool = False
    names: list[str] = field(default_factory=list)
    """Every call so far, for tests that go through all of them."""

    def wrap(self, target: Any, *exempt: str) -> Any:
        fate = self

        class Wrapped:
            def __getattr__(self, name: str) -> Any:
                found = getattr(target, name)
                if not callable(found) or name in exempt:
                    return found

                def call(*args: Any, **kwargs: Any) -> Any:
                    doomed = fate._meets(name)
                    if doomed and not fate.after:
                        raise Killed(name)
                    answer = found(*args, **kwargs)
                    if doomed:
                        raise Killed(name)
                    return answer

                return call

        return Wrapped()

    def _meets(self, name: str) -> bool:
        self.names.append(name)
        if self.left is None:
            return False
        self.left -= 1
        if self.left < 0:
            self.left = None
            return True
        return False


# --- a pool -----------------------------------------------------------------------------------------------------------


@dataclass
class FakeTask:
    number: int
    step: Step
    key: tuple[str, int, bool]
    polls: int
    fails: bool = False
    lost: bool = False
    status: TaskStatus = TaskStatus.PENDING
    seen: bool = False
    """The bot has read how it ended."""


@dataclass
class FakePool:
    """VMs on two hosts. `sent` counts the calls that it took; tasks go on while anybody sleeps.

    What goes wrong next: `away`, `refuse` (the call), `fail` (the task), `lose` ("before" or "after" it was taken),
    `stubborn` (no task can be cancelled), `break_off` (the coordinator loses the host at the first poll: the task
    fails, and the host goes on until `polls` are over). Each holds until it is changed; the first `spare` calls are
    spared.
    """

    where: dict[str, str] = field(default_factory=lambda: dict.fromkeys(VMS, HOSTS[0]))
    sent: list[tuple[str, int, bool]] = field(default_factory=list)
    done: list[tuple[str, int, bool]] = field(default_factory=list)
    tasks: list[FakeTask] = field(default_factory=list)
    away: bool = False
    refuse: bool = False
    fail: bool = False
    lose: str = ""
    stubborn: bool = False
    break_off: bool = False
    polls: int = 2
    spare: int = 0
    given: list[dict[int, str]] = field(default_factory=list)
    """The results of earlier steps that came with each call."""
    on_send: Callable[[tuple[str, int, bool]], None] = lambda key: None
    mine: threading.local = field(default_factory=threading.local)
    """`key`: the call (request, step, undo) that this thread has just written down and is about to send."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self) -> None:
        for task in self.tasks:
            if task.status is TaskStatus.PENDING or task.lost:
                task.polls -= 1
                if task.polls <= 0 and task.key not in self.done:
                    self._finish(task)
                elif self.break_off and not task.lost:
                    task.lost, task.status = True, TaskStatus.FAILURE

    def _finish(self, task: FakeTask) -> None:
        if task.fails:
            task.status = TaskStatus.FAILURE
            return
        task.status = TaskStatus.FAILURE if task.lost else TaskStatus.SUCCESS
        self.done.append(task.key)
        vm, host = task.step.arguments[:2]
        assert isinstance(vm, Object)
        assert isinstance(host, Object)
        self.where[vm.object.uuid] = host.object.uuid

    def inventory(self) -> Inventory:
        if self.away:
            raise Unavailable("The pool lab does not answer.")
        hosts = {f"h{n}": {"uuid": uuid, "name_label": f"xs{n + 1}"} for n, uuid in enumerate(HOSTS)}
        refs = {record["uuid"]: ref for ref, record in hosts.items()}
        vms = {
            f"v{n}": {
                "uuid": uuid,
                "name_label": f"web-{n + 1}",
                "power_state": "Running",
                "resident_on": refs[self.where[uuid]],
            }
            for n, uuid in enumerate(VMS)
        }
        pool = {"p": {"uuid": POOL.uuid, "name_label": POOL.name, "master": "h0"}}
        return Inventory({"pool": pool, "host": hosts, "VM": vms}, 0.0)


@dataclass
class FakeView:
    pool: FakePool
    name: str = POOL.name
    account: Account = Account(username="root", password=Secret("pools.lab.password"))

    def inventory(self) -> Inventory:
        return self.pool.inventory()

    def latest(self) -> Inventory | None:
        return None

    def known(self) -> KnownPool | None:
        return None

    def roll_call(self) -> tuple[HostAnswer, ...]:
        return ()

    def answer_of(self, host: KnownHost) -> HostAnswer:
        raise NotFound(host.name)

    def ask(self, call: str, *arguments: Argument) -> Any:
        raise ValueError(call)

    def lacking(self, host: KnownHost) -> tuple[str, ...]:
        raise NotFound(host.name)

    def connection(self) -> ConnectionFacts:
        return ConnectionFacts(address="lab", tls="", trust="none")


@dataclass
class FakeHands:
    pool: FakePool

    def mark(self, step: Step) -> str:
        self.pool.inventory()
        return str(len(self.pool.tasks))

    def send(self, step: Step, results: Mapping[int, str]) -> str:
        pool = self.pool
        if pool.away:
            raise Unavailable("The pool lab does not answer.")
        spared = pool.spare > 0
        pool.spare -= spared
        if pool.lose == "before" and not spared:
            raise OutcomeUnknown("The connection broke.")
        key: tuple[str, int, bool] = pool.mine.key
        pool.on_send(key)
        pool.sent.append(key)
        pool.given.append(dict(results))
        if pool.refuse and not spared:
            raise ToolstackRefusal("The pool says no.", code="OPERATION_NOT_ALLOWED")
        with pool.lock:
            task = FakeTask(len(pool.tasks), step, key, pool.polls, fails=pool.fail and not spared)
            pool.tasks.append(task)
        if pool.lose == "after" and not spared:
            raise OutcomeUnknown("The connection broke.")
        return f"task-{task.number}"

    def look(self, step: Step, mark: str, *, ended: str = "") -> Sighting:
        self.pool.inventory()
        if ended:
            holds = [self.holds(expect, {}) for expect in step.expect]
            taken = Taken.DONE if holds and all(so for so, _ in holds) else Taken.UNKNOWN
            return Sighting(taken=taken, evidence="; ".join(words for _, words in holds))
        for task in self.pool.tasks[int(mark) :]:
            if (task.step.call, task.step.arguments) == (step.call, step.arguments):
                return Sighting(taken=Taken.RUNNING, evidence="its task was found", task_uuid=f"task-{task.number}")
        return Sighting(taken=Taken.NOT_TAKEN, evidence="there is no task of it")

    def task(self, task_uuid: str) -> TaskView | None:
        self.pool.inventory()
        task = self.pool.tasks[int(task_uuid.rpartition("-")[2])]
        task.seen |= task.status is not TaskStatus.PENDING
        return TaskView(
            status=task.status, progress=0.5, error=("SOME_ERROR",), result=f"made-{task.number}", lost=task.lost
        )

    def explain(self, error: Sequence[str]) -> tuple[str, str]:
        return "the pool gave it up", ""

    def holds(self, expect: Expect, results: Mapping[int, str]) -> tuple[bool, str]:
        self.pool.inventory()
        assert isinstance(expect.equals, Object)
        where = self.pool.where[expect.object.uuid]
        return where == expect.equals.object.uuid, f"{expect.object.name} is on {where[-1]}"

    def cancel(self, task_uuid: str) -> None:
        self.pool.inventory()
        task = self.pool.tasks[int(task_uuid.rpartition("-")[2])]
        if self.pool.stubborn:
            raise ToolstackRefusal("The task cannot be cancelled.", code="OPERATION_NOT_ALLOWED")
        if task.status is TaskStatus.PENDING:
            task.status = TaskStatus.CANCELLED

    def forget(self, task_uuid: str) -> None:
        pass


@dataclass
class FakePools:
    pool: FakePool
    fate: Fate

    def names(self) -> tuple[str, ...]:
        return (POOL.name,)

    def view(self, name: str) -> FakeView:
        return FakeView(self.pool)

    def candidates(self) -> tuple[str, ...]:
        return ()

    def candidate(self, name: str) -> FakeView:
        raise NotFound(name)

    def hands(self, name: str, target: Target | None = None) -> FakeHands:
        return cast(FakeHands, self.fate.wrap(FakeHands(self.pool)))
