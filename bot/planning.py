"""What the plans of many commands are made of: the pool's id, findings about VMs, and the toolstack's own opinion."""

from __future__ import annotations

from collections.abc import Iterable

from bot.errors import Refused, ToolstackRefusal
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Argument, Expect, Finding, Object, ObjectId, PoolTarget, Step, Value, Verdict
from bot.ports import Context, PoolView
from bot.rules import ha, operations, placement
from bot.rules.check import Check
from bot.text import plural, quoted


def pool_id(context: Context, inventory: Inventory) -> ObjectId:
    """The pool of a plan, under the configuration's name."""
    return ObjectId("pool", inventory.pool.uuid, context.pool.name)


def line(command: str, context: Context) -> str:
    """A whole command line about this pool."""
    return f"{command} in {quoted(context.pool.name)}"


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


def findings(checks: Iterable[Check], subject: ObjectId) -> tuple[Finding, ...]:
    return tuple(check.finding(subject) for check in checks)


def second_opinion(
    found: tuple[Finding, ...], pool: PoolView, subject: ObjectId, title: str, call: str, *arguments: Argument
) -> tuple[Finding, ...]:
    """The toolstack's dry run, which sees more than a forecast from the database can: one finding, or none when it only
    repeats a reason that was found already.
    """
    try:
        pool.ask(call, *arguments)
    except ToolstackRefusal as refusal:
        if any(finding.code == refusal.code for finding in found):
            return ()
        verdict, told, remedy, code = Verdict.BLOCK, refusal.message, refusal.remedy, refusal.code
    else:
        verdict, told, remedy, code = Verdict.PASS, "", "", ""
    return (
        Finding(
            id=f"toolstack.{call}",
            verdict=verdict,
            subject=subject,
            title=title,
            evidence=told,
            remedy=remedy,
            code=code,
        ),
    )


def about(vm: VM, operation: str, pool: PoolView, inventory: Inventory) -> tuple[Finding, ...]:
    """Everything that speaks for or against an operation on a VM, wherever it would be done."""
    found = findings(operations.checks(vm, operation, inventory), vm.id)
    opinion = second_opinion(
        found, pool, vm.id, "the toolstack allows it now", "VM.assert_operation_valid", Object(vm.id), Value(operation)
    )
    return (*found, *opinion)


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
    check = Check(
        "host.live",
        "HOST_OFFLINE",
        host.live,
        f"{quoted(host.name)} is alive",
        "" if host.live else "the coordinator has not heard from it",
        "Look at the host itself; “pool status” says what is known.",
    )
    return (check.finding(host.id),)


def ha_lets_go(vm: VM, inventory: Inventory) -> tuple[str, ...]:
    """A shutdown or suspend by its owner tells HA not to restart the VM (ha_always_run)."""
    if inventory.pool.ha_enabled and ha.is_protected(vm):
        return ("HA does not restart it until somebody starts it again.",)
    return ()


def most_failures(pool: PoolView, inventory: Inventory) -> int:
    """How many hosts may fail at most, by the toolstack's own planner; with HA off, of what would be protected."""
    if inventory.pool.ha_enabled:
        return int(pool.ask("pool.ha_compute_max_host_failures_to_tolerate"))
    wanted = Value({vm.ref: ha.RESTART for vm in ha.reckoned(inventory)})
    return int(pool.ask("pool.ha_compute_hypothetical_max_host_failures_to_tolerate", wanted))


def possible(failures: int, most: int, inventory: Inventory) -> Check:
    """Can the pool tolerate so many failures? With a plan that exists now, the toolstack refuses to make it impossible;
    else it would take any number, and be overcommitted.
    """
    reason = ha.why_no_plan(ha.situation(inventory, only=ha.reckoned(inventory)), failures, inventory)
    pool = inventory.pool
    refuses = pool.ha_enabled and pool.number("ha_plan_exists_for") > 0 and not pool.flag("ha_allow_overcommit")
    return Check(
        "ha.possible",
        "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN" if refuses else "",
        failures <= most,
        f"{plural(failures, 'host failure')} can be tolerated",
        f"at most {most}{f': {reason}' if reason else ''}" if failures > most else "",
        f"Tolerate {most}, free memory, or protect fewer VMs; “ha status” says more.",
    )


def tolerate(failures: int, inventory: Inventory) -> Step:
    """Set the failures to tolerate; undone by setting the number that was."""
    pool, was = inventory.pool, inventory.pool.number("ha_host_failures_to_tolerate")

    def setting(number: int, undo: tuple[Step, ...] = ()) -> Step:
        return Step(
            title=f"Set the failures to tolerate to {number}",
            target=PoolTarget(pool.uuid),
            call="pool.set_ha_host_failures_to_tolerate",
            arguments=(Object(pool.id), Value(number)),
            expect=(Expect(object=pool.id, field="ha_host_failures_to_tolerate", equals=Value(number)),),
            limit_seconds=600,
            undo=undo,
        )

    return setting(failures, (setting(was),))
