"""`ha protect VM restart|best-effort|off`: what high availability does for a VM when its host fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot import planning
from bot.errors import Refused
from bot.inventory import VM, Inventory
from bot.lookup import spelling
from bot.model import Expect, Finding, Object, Plan, PoolTarget, Risk, Step, Value, Verdict
from bot.ports import Context
from bot.registry import command
from bot.rules import agility, ha
from bot.text import quoted

LIMIT_SECONDS = 120
_VALUES = {"restart": ha.RESTART, "best-effort": ha.BEST_EFFORT, "off": ""}
_WORDS = {ha.RESTART: "restart", ha.BEST_EFFORT: "best-effort", "": "off"}


@dataclass(frozen=True)
class Arguments:
    vm: VM
    choice: str
    order: int | None = None
    seconds: int | None = None


@command(
    "ha protect VM restart|best-effort|off [order ORDER] [delay SECONDS]",
    risk=Risk.ROUTINE,
    summary="Say what high availability does for a VM when its host fails.",
    details=(
        "restart: guaranteed within the failures to tolerate; best-effort: if there is room; off: it stays down.",
        "VMs with a lower order start first; after each start its delay passes before the next order begins.",
    ),
    examples=("ha protect web-1 restart", "ha protect db-1 restart order 0 delay 30", "ha protect wiki-1 off"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    wanted, now = _VALUES[arguments.choice], vm.text("ha_restart_priority")
    pool = planning.pool_id(context, inventory)
    steps = tuple(_steps(arguments, wanted, pool.uuid))
    if not steps:
        raise Refused(f"{quoted(vm.name)} is protected like that already ({_WORDS.get(now, now)}).")
    pinned = [("vm", vm.uuid), ("choice", arguments.choice)]
    pinned += [("order", str(arguments.order))] if arguments.order is not None else []
    pinned += [("seconds", str(arguments.seconds))] if arguments.seconds is not None else []
    back = f"ha protect {spelling(vm, inventory)} {_WORDS.get(now, 'off')}"
    back += f" order {vm.number('order')}" if arguments.order is not None else ""
    back += f" delay {vm.number('start_delay')}" if arguments.seconds is not None else ""
    return Plan(
        command="ha protect",
        arguments=tuple(pinned),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"{_title(arguments.choice)} {quoted(vm.name)}",
        findings=tuple(_findings(vm, wanted, inventory)),
        steps=steps,
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} is protected as", _WORDS.get(now, now)),),
        impact=tuple(_impact(vm, wanted, inventory)),
        go_back=planning.line(back, context),
    )


def _title(choice: str) -> str:
    return {"restart": "protect", "best-effort": "restart if possible:", "off": "no longer protect"}[choice]


def _steps(arguments: Arguments, wanted: str, pool_uuid: str) -> Iterator[Step]:
    """Only what differs; the priority last, so that it takes effect with its order."""
    vm = arguments.vm
    for call, field, value in (
        ("VM.set_order", "order", arguments.order),
        ("VM.set_start_delay", "start_delay", arguments.seconds),
        ("VM.set_ha_restart_priority", "ha_restart_priority", wanted),
    ):
        was = vm.text(field) if field == "ha_restart_priority" else vm.number(field)
        if value is None or value == was:
            continue
        step = Step(
            title=f"Set {field.replace('_', ' ')} of {quoted(vm.name)} to {value if value != '' else 'none'}",
            target=PoolTarget(pool_uuid),
            call=call,
            arguments=(Object(vm.id), Value(value)),
            asynchronous=False,
            expect=(Expect(object=vm.id, field=field, equals=Value(value)),),
            limit_seconds=LIMIT_SECONDS,
        )
        before = replace(
            step,
            title=f"Set {field.replace('_', ' ')} of {quoted(vm.name)} back to {was if was != '' else 'none'}",
            arguments=(Object(vm.id), Value(was)),
            expect=(Expect(object=vm.id, field=field, equals=Value(was)),),
        )
        yield replace(step, undo=(before,))


def _findings(vm: VM, wanted: str, inventory: Inventory) -> Iterator[Finding]:
    """The toolstack takes a VM that is not agile, and is overcommitted from then on; so that is a blocker of ours."""
    if wanted != ha.RESTART:
        return
    for check in agility.checks(vm, inventory):
        yield replace(check.finding(vm.id), code="")
    if vm.power_state != "Halted":
        guard = ha.guard(inventory, ha.Change(protected=frozenset({vm})))
        if guard is not None:
            yield guard.finding(inventory.pool.id)
    tolerated = inventory.pool.number("ha_host_failures_to_tolerate")
    yield Finding(
        id="ha.tolerates",
        verdict=Verdict.PASS if tolerated else Verdict.WARN,
        subject=inventory.pool.id,
        title="the pool tolerates at least one host failure" if tolerated else "the pool is set to tolerate no failure",
        evidence="" if tolerated else "so no restart is guaranteed",
        remedy="" if tolerated else "“ha tolerate 1”",
    )


def _impact(vm: VM, wanted: str, inventory: Inventory) -> Iterator[str]:
    if not inventory.pool.ha_enabled:
        yield "High availability is off; this counts once it is on."
    elif wanted == ha.RESTART and vm.power_state != "Running":
        yield "It counts from the VM's next start on."
    if wanted == ha.RESTART and inventory.pool.flag("ha_reboot_vm_on_internal_shutdown", True):
        line = f"vm shutdown {spelling(vm, inventory)}"
        yield f"Shut down from inside, it is started again as well; “{line}” keeps it down."
    if inventory.pool.ha_enabled and wanted == "":
        yield f"If its host fails, {quoted(vm.name)} stays down until somebody starts it."
