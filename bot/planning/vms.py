"""What is found about a VM that is to be started, stopped or moved, and what must be true afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.errors import Refused
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Argument, Expect, Finding, Object, PoolTarget, Step, Trace, Value, Verdict
from bot.planning.common import findings, second_opinion
from bot.ports import PoolView
from bot.rules import ha, operations, placement
from bot.rules.check import Check
from bot.rules.hosts import alive
from bot.text import quoted

_OPTIONS: Mapping[str, tuple[Argument, ...]] = {
    "pool_migrate": (Value({"live": "true"}),),
    # Whether to leave it paused; whether to force it.
    "resume_on": (Value(False), Value(False)),
    "start_on": (Value(False), Value(False)),
}


def operate(title: str, vm: VM, operation: str, target: PoolTarget, *expect: Expect, limit_seconds: int) -> Step:
    """One operation on a VM where it is."""
    return Step(
        title=title,
        target=target,
        call=f"VM.{operation}",
        arguments=(Object(vm.id),),
        trace=Trace(object=vm.id, operation=operation),
        expect=expect,
        limit_seconds=limit_seconds,
    )


def put(title: str, vm: VM, host: Host, operation: str, target: PoolTarget, *, limit_seconds: int) -> Step:
    """Start, resume or migrate a VM (`start_on`, `resume_on`, `pool_migrate`): afterwards it runs on that host."""
    step = operate(title, vm, operation, target, *runs_on(vm, host), limit_seconds=limit_seconds)
    return replace(step, arguments=(Object(vm.id), Object(host.id), *_OPTIONS[operation]))


def in_power_state(vm: VM, state: str) -> Expect:
    return Expect(object=vm.id, field="power_state", equals=Value(state))


def in_state(vm: VM, operation: str, otherwise: str, inventory: Inventory) -> None:
    """:raises Refused: the VM is not in a state for the operation; says what it is, and what can be asked instead."""
    if vm.power_state in operations.STATES[operation]:
        return
    host = vm.resident_on
    where = f" on {quoted(host.name)}" if host else ""
    states = " or ".join(operations.STATES[operation]).lower()
    raise Refused(
        f"{quoted(vm.name)} is {vm.power_state.lower()}{where}; {otherwise} {states}. Nothing was changed.",
        remedy=_instead(vm, inventory),
    )


def _instead(vm: VM, inventory: Inventory) -> str:
    name = spelling(vm, inventory)
    return {
        "Halted": f"“vm start {name}” starts it.",
        "Suspended": f"“vm resume {name}” lets it go on; “vm shutdown {name} force” throws its memory away.",
        "Paused": f"To let it go on: xe vm-unpause uuid={vm.uuid}",
        "Running": f"“vm show {name}” shows it; it can be shut down, rebooted, suspended or moved.",
    }.get(vm.power_state, "")


def about(vm: VM, operation: str, pool: PoolView, inventory: Inventory) -> tuple[Finding, ...]:
    """Everything that speaks for or against an operation on a VM, wherever it would be done."""
    found = findings(operations.checks(vm, operation, inventory), vm.id)
    opinion = second_opinion(
        found, pool, vm.id, "the toolstack allows it now", "VM.assert_operation_valid", Object(vm.id), Value(operation)
    )
    if any(each.verdict is Verdict.PASS for each in opinion):
        known = operations.BETTER_KNOWN
        found = tuple(each for each in found if each.id not in known or each.verdict is not Verdict.BLOCK)
    return (*found, *opinion)


def movable(vms: Iterable[VM], pool: PoolView, inventory: Inventory) -> frozenset[VM]:
    """The VMs that the toolstack would move although checks of :data:`operations.BETTER_KNOWN` speak against it, and
    nothing else does. Only such are asked about.
    """
    call, found = "VM.assert_operation_valid", set()
    for vm in vms:
        failed = {check.id for check in operations.checks(vm, "pool_migrate", inventory) if not check.ok}
        if failed and failed <= operations.BETTER_KNOWN:
            told = second_opinion((), pool, vm.id, "", call, Object(vm.id), Value("pool_migrate"))
            if all(each.verdict is Verdict.PASS for each in told):
                found.add(vm)
    return frozenset(found)


def refusing(vm: VM, pool: PoolView, inventory: Inventory) -> dict[Host, Check]:
    """The other hosts where the toolstack would not run the VM, with its reason."""
    found = {}
    for host in inventory.hosts:
        if host == vm.resident_on:
            continue
        title = f"the toolstack would run it on {quoted(host.name)}"
        call = "VM.assert_can_boot_here"
        for each in second_opinion((), pool, host.id, title, call, Object(vm.id), Object(host.id)):
            if each.verdict is Verdict.BLOCK:
                found[host] = Check(each.id, each.code, False, each.title, each.evidence, each.remedy)
    return found


def arrival(vm: VM, host: Host, operation: str, pool: PoolView, inventory: Inventory) -> tuple[Finding, ...]:
    """Everything that speaks for or against a VM's coming to a host: the VM itself, the host, HA, the toolstack."""
    found = about(vm, operation, pool, inventory)
    found += findings(placement.checks(vm, host, inventory), host.id)
    guard = ha.arrival(vm, host, inventory)
    found += () if guard is None else (guard.finding(inventory.pool.id),)
    title = f"the toolstack would run it on {quoted(host.name)}"
    return found + second_opinion(
        found, pool, host.id, title, "VM.assert_can_boot_here", Object(vm.id), Object(host.id)
    )


def runs_on(vm: VM, host: Host) -> tuple[Expect, ...]:
    return (
        Expect(object=vm.id, field="resident_on", equals=Object(host.id)),
        Expect(object=vm.id, field="power_state", equals=Value("Running")),
    )


def home_answers(vm: VM) -> tuple[Finding, ...]:
    """What is done with a running VM is done by the host that it runs on."""
    host = vm.resident_on
    if host is None:
        return ()
    return (alive(host, "Look at the host itself; “pool status” says what is known.").finding(host.id),)


def ha_lets_go(vm: VM, inventory: Inventory) -> tuple[str, ...]:
    """A shutdown or suspend by its owner tells HA not to restart the VM (ha_always_run)."""
    if inventory.pool.ha_enabled and ha.is_protected(vm):
        return ("HA does not restart it until somebody starts it again.",)
    return ()
