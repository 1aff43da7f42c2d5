"""A lab, changed for one case, with the bot's commands on one side and a plain XenAPI client on the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import XenAPI

import commands
from bot.clock import SystemClock
from bot.errors import Refused, ToolstackRefusal
from bot.execution import Performer, waiting
from bot.model import (
    Actor,
    CallRecord,
    CallState,
    HostTarget,
    Place,
    Plan,
    Report,
    Request,
    Requirement,
    State,
    Step,
    Target,
)
from bot.ports import PoolMemory, PoolView
from bot.registry import Registry
from bot.resolve import Resolver
from bot.run import Doing, Run
from bot.scope import Scopes
from bot.xapi import PoolSettings, XapiPools
from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from sandbox.xapi.world import Lab, Objects

NULL = "OpaqueRef:NULL"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
REGISTRY = Registry.of_package(commands)
OLGA = Actor(kind="terminal", id="olga", name="Olga")
HERE = Place(kind="terminal")


class Made:
    """A pool's objects by name, to change them before the lab starts."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def ref(self, cls: str, name: str) -> str:
        field_ = "device" if cls == "PIF" else "name_label"
        return next(ref for ref, row in self.objects[cls].items() if row.get(field_) == name)

    def row(self, cls: str, name: str) -> dict[str, Any]:
        return self.objects[cls][self.ref(cls, name)]

    @property
    def pool(self) -> dict[str, Any]:
        return next(iter(self.objects["pool"].values()))

    def host_metrics(self, host: str) -> dict[str, Any]:
        return self.objects["host_metrics"][self.row("host", host)["metrics"]]

    def pbds(self, sr: str, host: str) -> list[dict[str, Any]]:
        found = (self.ref("SR", sr), self.ref("host", host))
        return [row for row in self.objects["PBD"].values() if (row["SR"], row["host"]) == found]

    def vbds(self, vm: str) -> list[dict[str, Any]]:
        return [row for row in self.objects["VBD"].values() if row["VM"] == self.ref("VM", vm)]

    def vifs(self, vm: str) -> list[dict[str, Any]]:
        return [row for row in self.objects["VIF"].values() if row["VM"] == self.ref("VM", vm)]

    def memory(self, vm: str, gib: float) -> None:
        for limit in ("static_min", "dynamic_min", "dynamic_max", "static_max"):
            self.row("VM", vm)[f"memory_{limit}"] = int(gib * (1 << 30))

    def halt(self, vm: str) -> None:
        """As a VM that somebody shut down."""
        for each in self.vbds(vm) + self.vifs(vm):
            each["currently_attached"] = False
        self.row("VM", vm).update(
            power_state="Halted", resident_on=NULL, domid=-1, ha_always_run=False, guest_metrics=NULL
        )

    def protect(self, *vms: str, priority: str = "restart") -> None:
        for vm in vms:
            row = self.row("VM", vm)
            row["ha_restart_priority"] = priority
            row["ha_always_run"] = priority == "restart" and row["power_state"] == "Running"


Changed = Callable[[Made], None]


class Impatient(SystemClock):
    """Skips the pauses between the looks at what has to stay so for a while; they count as if they had been made."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        if waiting.WATCH_SECONDS / 2 < seconds <= waiting.WATCH_SECONDS:
            self._skipped += seconds
            seconds = 0.02
        super().sleep(seconds)


@dataclass
class World:
    lab: RunningLab
    pools: XapiPools
    name: str
    resolver: Resolver
    restarted: Callable[..., AbstractContextManager[World]]
    """Another process of the bot in the same lab, with the `memory` of the pools that it is given."""
    records: list[Any] = field(default_factory=list)

    # --- the bot ------------------------------------------------------------------------------------------------------

    @property
    def view(self) -> PoolView:
        return self.pools.view(self.name)

    def answer(self, text: str) -> Plan | Report:
        """What the command answers, with what the bot fills in. :raises UserError:"""
        command, parsed = REGISTRY.parse(text)
        assert not parsed.missing, parsed.missing
        arguments, context = self.resolver.resolve(command, parsed, OLGA, HERE)
        planned = command.plan(arguments, context)
        return self.resolver.completed(planned) if isinstance(planned, Plan) else planned

    def plan(self, text: str) -> Plan:
        found = self.answer(text)
        assert isinstance(found, Plan), found
        assert found.steps or found.blockers, "what does nothing would be reported as done"
        return found

    def done(self, text: str) -> Plan:
        """What nothing speaks against, planned again to the same digest as after the approval, and done."""
        plan = self.plan(text)
        assert not plan.blockers, plan.blockers
        assert self.replanned(plan).digest() == plan.digest()
        evidence = self.perform(plan)
        assert evidence or not any(step.expect for step in plan.steps)
        return plan

    def report(self, text: str) -> Report:
        found = self.answer(text)
        assert isinstance(found, Report), found
        return found

    def replanned(self, plan: Plan) -> Plan:
        """The same plan made again from its pinned arguments, as the engine does after the approval."""
        return self.resolver.replan(self.request(plan))

    def request(self, plan: Plan, state: State = State.APPROVED) -> Request:
        return Request(
            id="X-1", text="", actor=OLGA, place=HERE, plan=plan, digest=plan.digest(),
            requirement=Requirement(approvals=0, who="", expires_seconds=60), state=state,
            opened_at=NOW, expires_at=NOW,
        )  # fmt: skip

    def perform(self, plan: Plan, *, steps: int | None = None) -> list[str]:
        """Do the plan's steps as the runner does them; the evidence of their verification."""
        return self.run(plan, steps=steps).evidence

    def run(self, plan: Plan, *, steps: int | None = None) -> Run:
        request = self.request(plan, State.RUNNING)
        run = Run(request)
        performer = Performer(Memory(), Impatient())  # type: ignore[arg-type]
        for stage in (numbers for numbers in plan.stages if steps is None or numbers[0] < steps):
            doings = [
                Doing(run=run, hands=self.resolver.hands(request, step.target), number=number, step=step)
                for number in stage
                if steps is None or number < steps
                for step in [plan.steps[number]]
            ]
            performer.perform(doings, at_once=plan.at_once)
        return run

    def undo(self, step: Step) -> None:
        for each in step.undo:
            self.pools.hands(self.name, each.target).send(each, {})

    # --- the witness --------------------------------------------------------------------------------------------------

    @property
    def api(self) -> Any:
        return self.host_api(self.lab.pools[self.name]["coordinator"])

    def ref(self, cls: str, name: str) -> str:
        (ref,) = getattr(self.api, cls).get_by_name_label(name)
        return str(ref)

    def record(self, cls: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self.api, cls).get_record(self.ref(cls, name))
        return found

    def host_of(self, vm: str) -> str:
        api = self.api
        home = api.VM.get_resident_on(self.ref("VM", vm))
        return "" if home == NULL else str(api.host.get_name_label(home))

    def host_api(self, host: str) -> Any:
        """A session with that very host. A member of a pool refuses it, and names its coordinator."""
        session = XenAPI.Session(self.lab.hosts[host])
        session.xenapi.login_with_password(self.lab.username, self.lab.password, "1.0", "witness")
        return session.xenapi

    def code_of(self, call: str, *arguments: Any) -> str:
        """The code that the toolstack really answers to a call, "" when it does it."""
        cls, _, message = call.partition(".")
        try:
            getattr(getattr(self.api, cls), message)(*arguments)
        except XenAPI.Failure as failure:
            return str(failure.details[0])
        return ""

    def code_of_plan(self, plan: Plan) -> str:
        """The code that the toolstack answers when the plan's steps are really sent, in spite of its blockers."""
        results: dict[int, str] = {}
        for number, step in enumerate(plan.steps):
            if step.waits:
                continue
            hands = self.pools.hands(self.name, step.target)
            try:
                answer = hands.send(step, results)
            except ToolstackRefusal as refusal:
                return refusal.code
            results[number] = answer
            if step.asynchronous:
                code = self._task_code(answer, step.target)
                if code:
                    return code
        return ""

    def _task_code(self, uuid: str, target: Target) -> str:
        api = self.host_api(target.host) if isinstance(target, HostTarget) else self.api
        deadline = time.monotonic() + 20
        while True:
            record = api.task.get_record(api.task.get_by_uuid(uuid))
            if record["status"] != "pending":
                return str(record["error_info"][0]) if record["error_info"] else ""
            assert time.monotonic() < deadline, "the task did not end"
            time.sleep(0.02)


class Memory:
    """The store as far as the performer needs it."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, bool], tuple[CallRecord, str]] = {}

    def calls(self, request_id: str) -> tuple[tuple[CallRecord, str], ...]:
        return tuple(self._calls.values())

    def intend(
        self, request_id: str, step: int, undo: bool, call: str, mark: str, _entry: Any, at: datetime, **_: Any
    ) -> bool:
        begun = CallRecord(
            request_id=request_id, step=step, undo=undo, call=call, state=CallState.INTENDED, intended_at=at
        )
        self._calls[step, undo] = begun, mark
        return True

    def note_call(self, request_id: str, step: int, undo: bool, state: CallState, **_: Any) -> None:
        record, mark = self._calls[step, undo]
        self._calls[step, undo] = replace(record, state=state), mark

    def progress(self, *_: Any) -> None: ...

    def record(self, *_: Any) -> None: ...


def changed(lab: str | Lab, change: Changed | None = None) -> Lab:
    made = load(lab) if isinstance(lab, str) else lab
    if change is not None:
        change(Made(made.pools[0].objects))
    return made


@contextmanager
def world(
    lab: str | Lab = "tutorial", change: Changed | None = None, *, speed: float = 200.0, all_pools: bool = False
) -> Iterator[World]:
    """The lab's first pool is the bot's; the coordinator of each further one is a host that stands alone for it, or
    with `all_pools` they are the bot's, too.
    """
    with start(changed(lab, change), speed=speed) as running, ThreadPoolExecutor(4) as readers:
        name, *others = running.pools
        alone = [] if all_pools else [running.pools[each]["coordinator"] for each in others]
        configured = running.pools if all_pools else [name]
        settings = [_settings(running, each, running.pools[each]["hosts"]) for each in configured]
        settings += [_settings(running, host, [host], alone=True) for host in alone]
        clock = SystemClock()
        nobody: Any = None
        without_backups: Any = SimpleNamespace(backups=lambda pools: ())

        @contextmanager
        def bot(memory: PoolMemory | None = None) -> Iterator[World]:
            pools = XapiPools(settings, clock, secret=lambda _: running.password, memory=memory)
            resolver = Resolver(
                pools=pools,
                scopes=Scopes(),
                registry=REGISTRY,
                history=without_backups,
                policy=nobody,
                clock=clock,
                readers=readers,
            )
            try:
                yield World(running, pools, name, resolver, bot)
            finally:
                pools.close()

        with bot() as made:
            yield made


def _settings(running: RunningLab, name: str, hosts: list[str], *, alone: bool = False) -> PoolSettings:
    return PoolSettings(
        name=name,
        addresses=tuple(host.address for host in running.estate.hosts.values() if host.name in hosts),
        username=running.username,
        password=lambda: running.password,
        plain_http=True,
        address_map=running.addresses,
        connect_seconds=2.0,
        answer_seconds=20.0,
        probe_seconds=2.0,
        alone=alone,
    )


def refused(found: World, text: str) -> Refused:
    """The refusal that a command answers with."""
    try:
        answer = found.answer(text)
    except Refused as refusal:
        return refusal
    raise AssertionError(f"{text} was not refused: {answer}")


def codes(plan: Plan) -> list[str]:
    return [finding.code for finding in plan.blockers]
