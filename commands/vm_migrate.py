"""`vm migrate VM [to HOST]`: move a running VM to another host of its pool, without stopping it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import Refused, ToolstackRefusal
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import (
    Argument,
    Expect,
    Finding,
    Object,
    ObjectId,
    Plan,
    PoolTarget,
    Risk,
    Step,
    Trace,
    Value,
    Verdict,
)
from bot.ports import Context, PoolView
from bot.registry import command
from bot.rules import placement
from bot.text import joined, quoted, size

LIMIT_SECONDS = 2 * 3600
"""Very much memory over a slow network takes long; after this nobody should wait any more."""


@dataclass(frozen=True)
class Arguments:
    vm: VM
    host: Host | None = None


@command(
    "vm migrate VM [to HOST]",
    risk=Risk.DISRUPTIVE,
    summary="Move a running VM to another host of its pool, without stopping it.",
    details=(
        "Without a host, the one with the most free memory among those that can take it is proposed, and why.",
        "Its disks stay where they are: both hosts must see them.",
    ),
    examples=("vm migrate web-1 to xs2", "vm migrate web-1", "migrate vm web-1 to xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    source = vm.resident_on
    if vm.power_state != "Running" or source is None:
        raise Refused(
            f"{quoted(vm.name)} is {vm.power_state.lower()}; only a running VM can be moved to another host.",
            remedy="It can be started on any host that fits; its disks need not move.",
        )
    host, reasons = (arguments.host, ()) if arguments.host else _best(vm, source, inventory)
    if host == source:
        raise Refused(f"{quoted(vm.name)} runs on {quoted(host.name)} already. Nothing was changed.")
    pool = ObjectId("pool", inventory.pool.uuid, context.pool.name)
    return Plan(
        command="vm migrate",
        arguments=(("vm", vm.uuid), ("host", host.uuid)),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"move {quoted(vm.name)} from {quoted(source.name)} to {quoted(host.name)}",
        findings=(
            *_about(vm),
            *(check.finding(host.id) for check in placement.checks(vm, host, inventory)),
            *_dry_runs(vm, host, context.pool),
        ),
        steps=(
            Step(
                title=f"Migrate {quoted(vm.name)} live from {quoted(source.name)} to {quoted(host.name)}",
                target=PoolTarget(pool.uuid),
                call="VM.pool_migrate",
                arguments=(Object(vm.id), Object(host.id), Value({"live": "true"})),
                trace=Trace(object=vm.id, operation="pool_migrate"),
                expect=(
                    Expect(object=vm.id, field="resident_on", equals=Object(host.id)),
                    Expect(object=vm.id, field="power_state", equals=Value("Running")),
                ),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} runs on", source.name),),
        impact=(
            f"{quoted(vm.name)} keeps running; at the end it stands still for about a second.",
            f"{size(vm.number('memory_dynamic_max'))} of memory are copied over the network.",
        ),
        reasons=reasons,
        go_back=f"vm migrate {spelling(vm, inventory)} to {spelling(source, inventory)} in {quoted(context.pool.name)}",
    )


def _best(vm: VM, source: Host, inventory: Inventory) -> tuple[Host, tuple[str, ...]]:
    """The host to propose, and why that one.

    :raises Refused: no host can take it; the evidence says why for each.
    """
    others = [host for host in inventory.hosts if host != source]
    against = {
        host: [
            check.evidence or f"not so: {check.title}"
            for check in placement.checks(vm, host, inventory)
            if not check.ok
        ]
        for host in others
    }
    able = [host for host in others if not against[host]]
    unable = tuple(f"{quoted(host.name)} cannot: {'; '.join(why)}" for host, why in against.items() if why)
    if not able:
        raise Refused(
            f"No other host of the pool can take {quoted(vm.name)}.",
            evidence=unable or (f"{quoted(source.name)} is the only host of the pool",),
            remedy="The reasons say what would have to change.",
        )
    if vm.affinity in able:
        return vm.affinity, (f"{quoted(vm.affinity.name)} is its home server", *unable)
    free = {host: placement.free_memory(host, inventory) for host in able}
    able.sort(key=lambda host: (-free[host], len(host.resident_vms), host.name, host.uuid))
    best, rest = able[0], able[1:]
    if not rest:
        return best, (f"{quoted(best.name)} is the only host that can take it", *unable)
    compared = joined((f"{host.name}: {size(free[host])}" for host in rest), limit=4)
    return best, (f"{quoted(best.name)} has the most memory left, {size(free[best])} ({compared})", *unable)


def _about(vm: VM) -> Iterator[Finding]:
    """What speaks of the VM itself, wherever it would go."""
    blocked = vm.mapping("blocked_operations").get("pool_migrate")
    yield Finding(
        id="vm.blocked",
        verdict=Verdict.PASS if blocked is None else Verdict.BLOCK,
        subject=vm.id,
        title="moving it is not forbidden by its owner",
        evidence="" if blocked is None else f"blocked_operations says: {blocked or 'no reason given'}",
        remedy=""
        if blocked is None
        else f"If that no longer holds: xe vm-param-remove uuid={vm.uuid} param-name=blocked-operations "
        "param-key=pool_migrate",
    )
    busy = joined(dict.fromkeys(vm.current_operations.values()))
    yield Finding(
        id="vm.busy",
        verdict=Verdict.BLOCK if busy else Verdict.PASS,
        subject=vm.id,
        title="nothing else is being done with it",
        evidence=f"now: {busy}" if busy else "",
        remedy="Wait until that has ended, then ask again." if busy else "",
    )


def _dry_runs(vm: VM, host: Host, pool: PoolView) -> Iterator[Finding]:
    """The toolstack's own opinion, which sees more than a forecast from the database can."""
    here = f"the toolstack would run it on {quoted(host.name)}"
    runs: tuple[tuple[str, ObjectId, str, str, Argument], ...] = (
        ("vm.operation", vm.id, "the toolstack would let it move", "VM.assert_operation_valid", Value("pool_migrate")),
        ("vm.boot-here", host.id, here, "VM.assert_can_boot_here", Object(host.id)),
    )
    for finding_id, subject, title, call, argument in runs:
        try:
            pool.ask(call, Object(vm.id), argument)
            refusal = None
        except ToolstackRefusal as error:
            refusal = error
        yield Finding(
            id=finding_id,
            verdict=Verdict.PASS if refusal is None else Verdict.BLOCK,
            subject=subject,
            title=title,
            evidence="" if refusal is None else refusal.message,
            remedy="" if refusal is None else refusal.remedy,
        )
