"""`vm suspend VM`: stop a running VM and keep its memory on storage."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.inventory import SR, VM, Inventory
from bot.lookup import spelling
from bot.model import Plan, PoolTarget, Risk
from bot.ports import Context
from bot.registry import command
from bot.rules.check import Check
from bot.text import quoted, size

LIMIT_SECONDS = 2 * 3600
"""Very much memory over a slow storage network takes long."""


@dataclass(frozen=True)
class Arguments:
    vm: VM


@command(
    "vm suspend VM",
    risk=Risk.DISRUPTIVE,
    summary="Stop a running VM and keep its memory on storage, so that it can go on later.",
    details=("The guest tools must be in it.",),
    examples=("vm suspend report-1",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    planning.in_state(vm, "suspend", "only a VM can be suspended that is", inventory)
    pool, host, sr = planning.pool_id(context, inventory), vm.resident_on, _suspend_sr(vm, inventory)
    where = f" on {spelling(host, inventory)}" if host else ""
    return Plan(
        command="vm suspend",
        arguments=(("vm", vm.uuid),),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"suspend {quoted(vm.name)}{f' on {quoted(host.name)}' if host else ''}",
        findings=(
            *planning.about(vm, "suspend", context.pool, inventory),
            *planning.home_answers(vm),
            *planning.findings(_storage(sr, vm, inventory), vm.id),
        ),
        steps=(
            planning.operate(
                f"Suspend {quoted(vm.name)}",
                vm,
                "suspend",
                PoolTarget(pool.uuid),
                planning.in_power_state(vm, "Suspended"),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} is", vm.power_state), ("its memory is kept on", sr.name if sr else "nothing")),
        impact=(
            f"{quoted(vm.name)} is away until it is resumed; its clock stands still meanwhile.",
            f"{size(vm.number('memory_dynamic_max'))} of memory are written to storage.",
            *planning.ha_lets_go(vm, inventory),
        ),
        go_back=planning.line(f"vm resume {spelling(vm, inventory)}{where}", context),
    )


def _suspend_sr(vm: VM, inventory: Inventory) -> SR | None:
    """Where xapi keeps the memory: the VM's own wish, the host's, the pool's, the default storage."""
    host = vm.resident_on
    wishes = (
        vm.text("suspend_SR"),
        host.text("suspend_image_sr") if host else "",
        inventory.pool.text("suspend_image_SR"),
        inventory.pool.text("default_SR"),
    )
    return next((sr for sr in (inventory.get(SR, ref) for ref in wishes) if sr is not None), None)


def _storage(sr: SR | None, vm: VM, inventory: Inventory) -> tuple[Check, ...]:
    there = Check(
        "vm.suspend-sr",
        "VM_NO_SUSPEND_SR",
        sr is not None,
        "there is storage for its memory",
        "neither the VM, its host nor the pool names one" if sr is None else "",
        f"Name one: xe pool-param-set uuid={inventory.pool.uuid} suspend-image-SR=SR",
    )
    if sr is None or not sr.physical_size:
        return (there,)
    need, left = vm.number("memory_dynamic_max"), sr.physical_size - sr.physical_utilisation
    room = Check(
        "vm.suspend-space",
        "SR_FULL",
        need <= left,
        f"{quoted(sr.name)} has room for its memory",
        f"{size(need)} needed, {size(max(left, 0))} free",
        "Free space on it, or name another storage for suspended VMs.",
    )
    return there, room
