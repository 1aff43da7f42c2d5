"""A bot put together from the fakes, and commands of its own: what they do to the pool is easily counted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from bot.engine import Engine
from bot.forms import Forms
from bot.inventory import VM, Host
from bot.model import (
    Expect,
    Object,
    Plan,
    PoolTarget,
    Report,
    ResultOf,
    Risk,
    Step,
    Suggestion,
    together,
)
from bot.policy import Book, Rules
from bot.ports import (
    Clock,
    Context,
    People,
    Store,
)
from bot.registry import Registry, command
from bot.resolve import Resolver
from bot.runner import Runner
from bot.scope import Scopes
from bot.store import SqliteStore
from bot.witness import Witness
from tests.bot.fakes import KEY, POOL, TEAM, Everybody, FakePool, FakePools, Fate, HandClock, LaterThreads, rules

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


@command("vm guard VM to HOST", risk=Risk.DISRUPTIVE, summary="If it stays.", examples=("vm guard web-1 to xs2",))
def guard(arguments: Arguments, context: Context) -> Plan | Report:
    """There, once it has been where it is now for half a minute."""
    vm, home = arguments.vm, arguments.vm.resident_on
    assert home is not None
    staying = Step(
        title=f"See that {vm.name} stays",
        target=PoolTarget(POOL.uuid),
        expect=(Expect(object=vm.id, field="resident_on", equals=Object(home.id)),),
        lasting_seconds=30,
    )
    return _plan("vm guard", Risk.DISRUPTIVE, vm, arguments.host, staying, _step(vm, arguments.host))


@command("vm mend VM to HOST", risk=Risk.DISRUPTIVE, summary="Maybe there.", examples=("vm mend web-1 to xs2",))
def mend(arguments: Arguments, context: Context) -> Plan | Report:
    """There, if it is not there already and it can be; then web-2, in any case."""
    vm, host = arguments.vm, arguments.host
    first = replace(_step(vm, host), mends=True, offers=(Suggestion("Once more", f"vm move {vm.name} to {host.name}"),))
    other = next(each for each in context.pool.inventory().guests if each != vm)
    return _plan("vm mend", Risk.DISRUPTIVE, vm, host, first, _step(other, host))


@command("vm spread VM to HOST", risk=Risk.DISRUPTIVE, summary="All at once.", examples=("vm spread web-1 to xs2",))
def spread(arguments: Arguments, context: Context) -> Plan | Report:
    """All VMs there, two at a time, each with a way back; then the one home again, alone."""
    vm, host = arguments.vm, arguments.host
    home = vm.resident_on
    assert home is not None
    guests = sorted(context.pool.inventory().guests, key=lambda each: each.name)
    homes = [(each, each.resident_on) for each in guests]
    there = together(_step(each, host, _step(each, back)) for each, back in homes if back is not None)
    made = _plan("vm spread", Risk.DISRUPTIVE, vm, host, *there, _step(vm, home), whole_pool=True)
    return replace(made, at_once=2)


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

    # @command puts it on the function that it returns, which a function's type does not tell.
    ours = (each.__command__ for each in (move, tour, call, wait, relay, guard, mend, spread))  # type: ignore[attr-defined]
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
        self.runner._leases.stop(5)
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
    people: People | None = None,
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
        people=people or Everybody(),
        clock=acts_by or clock,
        threads=threads or later,
        lease_seconds=lease_seconds,
    )
    engine = Engine(
        registry=names,
        resolver=resolver,
        forms=Forms(pools, scopes),
        people=people or Everybody(),
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
