"""The ports' other sides in memory: a pool whose tasks go on whatever happens to the bot, people, a clock, threads that
run when they are told to – and a fate that kills the bot at any call to the store or the pool.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bot.engine import Engine
from bot.errors import NotFound, OutcomeUnknown, ToolstackRefusal, Unavailable
from bot.forms import Forms
from bot.inventory import VM, Host, Inventory
from bot.model import (
    Actor,
    Argument,
    Expect,
    Object,
    ObjectId,
    Place,
    Plan,
    PoolTarget,
    Report,
    ResultOf,
    Risk,
    Secret,
    Step,
    Target,
)
from bot.policy import Book, Rules
from bot.ports import (
    Account,
    Clock,
    ConnectionFacts,
    Context,
    HostAnswer,
    KnownHost,
    KnownPool,
    Sighting,
    Standing,
    Store,
    Taken,
    TaskStatus,
    TaskView,
)
from bot.registry import Registry, command
from bot.resolve import Resolver
from bot.runner import Runner
from bot.scope import Scopes
from bot.store import SqliteStore
from bot.witness import Witness

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
    status: TaskStatus = TaskStatus.PENDING


@dataclass
class FakePool:
    """VMs on two hosts. `sent` counts the calls that it took; tasks go on while anybody sleeps.

    What goes wrong next: `away`, `refuse` (the call), `fail` (the task), `lose` ("before" or "after" it was taken),
    `stubborn` (no task can be cancelled). Each holds until it is changed; the first `spare` calls are spared.
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
            if task.status is TaskStatus.PENDING:
                task.polls -= 1
                if task.polls <= 0:
                    self._finish(task)

    def _finish(self, task: FakeTask) -> None:
        if task.fails:
            task.status = TaskStatus.FAILURE
            return
        task.status = TaskStatus.SUCCESS
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

    def look(self, step: Step, mark: str) -> Sighting:
        self.pool.inventory()
        for task in self.pool.tasks[int(mark) :]:
            if (task.step.call, task.step.arguments) == (step.call, step.arguments):
                return Sighting(taken=Taken.RUNNING, evidence="its task was found", task_uuid=f"task-{task.number}")
        return Sighting(taken=Taken.NOT_TAKEN, evidence="there is no task of it")

    def task(self, task_uuid: str) -> TaskView | None:
        self.pool.inventory()
        task = self.pool.tasks[int(task_uuid.rpartition("-")[2])]
        return TaskView(status=task.status, progress=0.5, error=("SOME_ERROR",), result=f"made-{task.number}")

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


# --- commands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arguments:
    vm: VM
    host: Host


def _step(vm: VM, host: Host, *undo: Step) -> Step:
    return Step(
        title=f"Move {vm.name} to {host.name}",
        target=PoolTarget(POOL.uuid),
        call="VM.pool_migrate",
        arguments=(Object(vm.id), Object(host.id)),
        expect=(Expect(object=vm.id, field="resident_on", equals=Object(host.id)),),
        undo=undo,
        limit_seconds=120,
    )


def _plan(name: str, risk: Risk, vm: VM, host: Host, *steps: Step, whole_pool: bool = False) -> Plan:
    source = vm.resident_on
    assert source is not None
    return Plan(
        command=name,
        arguments=(("vm", vm.uuid), ("host", host.uuid)),
        pool=POOL,
        risk=risk,
        title=f"{name} {vm.name} to {host.name}",
        steps=steps,
        touches=(vm.id,),
        whole_pool=whole_pool,
        facts=(("it runs on", source.name),),
    )


@command("vm move VM to HOST", risk=Risk.DISRUPTIVE, summary="One step.", examples=("vm move web-1 to xs2",))
def move(arguments: Arguments, context: Context) -> Plan | Report:
    return _plan("vm move", Risk.DISRUPTIVE, arguments.vm, arguments.host, _step(arguments.vm, arguments.host))


@command(
    "vm tour VM to HOST", risk=Risk.DESTRUCTIVE, summary="There and back again.", examples=("vm tour web-1 to xs2",)
)
def tour(arguments: Arguments, context: Context) -> Plan | Report:
    """There, with a way back, and home again, which has none. Takes two approvals and the whole pool."""
    vm, home = arguments.vm, arguments.vm.resident_on
    assert home is not None
    steps = _step(vm, arguments.host, _step(vm, home)), _step(vm, home)
    return _plan("vm tour", Risk.DESTRUCTIVE, vm, arguments.host, *steps, whole_pool=True)


@command("vm await VM to HOST", risk=Risk.DISRUPTIVE, summary="Until it is back.", examples=("vm await web-1 to xs2",))
def wait(arguments: Arguments, context: Context) -> Plan | Report:
    """There, with a way back; then nothing until somebody has brought it home. Its pool may be away for two minutes."""
    vm, home = arguments.vm, arguments.vm.resident_on
    assert home is not None
    back = Expect(object=vm.id, field="resident_on", equals=Object(home.id))
    waiting = Step(
        title=f"Wait for {vm.name}",
        target=PoolTarget(POOL.uuid),
        expect=(back,),
        limit_seconds=300,
        away_seconds=120,
    )
    steps = _step(vm, arguments.host, _step(vm, home)), waiting
    return _plan("vm await", Risk.DISRUPTIVE, vm, arguments.host, *steps)


@command("vm relay VM to HOST", risk=Risk.DISRUPTIVE, summary="Hands on.", examples=("vm relay web-1 to xs2",))
def relay(arguments: Arguments, context: Context) -> Plan | Report:
    """The second step takes what the first one answered, and so does what takes the first one back."""
    home = arguments.vm.resident_on
    assert home is not None
    back, there = _step(arguments.vm, home), _step(arguments.vm, arguments.host)
    first = replace(there, undo=(replace(back, arguments=(*back.arguments, ResultOf(0))),))
    second = replace(there, arguments=(*there.arguments, ResultOf(0)))
    return _plan("vm relay", Risk.DISRUPTIVE, arguments.vm, arguments.host, first, second)


@dataclass(frozen=True)
class Named:
    vm: VM
    text: str | None = None


@command("vm call VM [as TEXT]", risk=Risk.DISRUPTIVE, summary="Leaves it where it is.", examples=("vm call web-1",))
def call(arguments: Named, context: Context) -> Plan | Report:
    """One call that changes nothing, so that many requests for one VM can all be carried out."""
    home = arguments.vm.resident_on
    assert home is not None
    step = _step(arguments.vm, home)
    made = _plan("vm call", Risk.DISRUPTIVE, arguments.vm, home, step)
    return replace(made, arguments=(("vm", arguments.vm.uuid), ("text", arguments.text or "")))


def registry() -> Registry:
    import commands

    ours = (each.__command__ for each in (move, tour, call, wait, relay))  # type: ignore[attr-defined]
    return Registry([*Registry.of_package(commands), *ours])


# --- a bot ------------------------------------------------------------------------------------------------------------


@dataclass
class FakeBot:
    """One life of a bot: its engine, and what dies with it."""

    engine: Engine
    runner: Runner
    threads: LaterThreads
    store: SqliteStore

    def crash(self) -> None:
        """Gone without a word: its leases are not renewed and not given back."""
        self.runner._closing.set()
        self.runner._keeper.join(5)
        self.store.close()


def bot(
    path: Path,
    pool: FakePool,
    clock: HandClock,
    fate: Fate | None = None,
    *,
    acts_by: Clock | None = None,
    threads: Executor | None = None,
    policy: Rules | None = None,
    lease_seconds: float = 20.0,
    plain: Clock | None = None,
    busy_seconds: float = 10.0,
) -> FakeBot:
    """A bot on the database at `path`. Calls to its store and pool meet `fate`."""
    fate, later, policy = fate or Fate(), LaterThreads(), policy or rules()
    kept = SqliteStore(path, clock=plain or clock, ledger_key=KEY, busy_seconds=busy_seconds)
    store = cast(Store, fate.wrap(_Noting(kept, pool), "progress"))
    pools = FakePools(pool, fate)
    names = registry()
    scopes = Scopes()
    resolver = Resolver(
        pools=pools,
        scopes=scopes,
        registry=names,
        history=store,
        clock=plain or clock,
        readers=later,
        policy=Book(policy),
        team=TEAM,
    )
    runner = Runner(
        store=store,
        resolver=resolver,
        clock=acts_by or clock,
        threads=threads or later,
        lease_seconds=lease_seconds,
    )
    engine = Engine(
        registry=names,
        resolver=resolver,
        forms=Forms(pools, scopes),
        people=Everybody(),
        rules=policy,
        witness=Witness(store, plain or clock),
        store=store,
        runner=runner,
        clock=acts_by or clock,
    )
    return FakeBot(engine, runner, later, kept)


class _Noting:
    """The store, telling the pool which request's call comes next, so that it can be counted there by request."""

    def __init__(self, store: SqliteStore, pool: FakePool) -> None:
        self._store = store
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def intend(self, request_id: str, step: int, undo: bool, *more: Any, **named: Any) -> bool:
        self._pool.mine.key = (request_id, step, undo)
        return self._store.intend(request_id, step, undo, *more, **named)


@contextmanager
def running(path: Path, pool: FakePool, clock: HandClock, **more: Any) -> Iterator[FakeBot]:
    made = bot(path, pool, clock, **more)
    try:
        yield made
    finally:
        made.crash()
