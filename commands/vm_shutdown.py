"""`vm shutdown VM [force]`: shut a VM down, cleanly or by force."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.inventory import VM
from bot.lookup import spelling
from bot.model import Plan, PoolTarget, Risk
from bot.ports import Context
from bot.registry import command
from bot.text import quoted

CLEAN_LIMIT_SECONDS = 1800
"""xapi itself gives the guest 20 minutes."""
FORCE_LIMIT_SECONDS = 600


@dataclass(frozen=True)
class Arguments:
    vm: VM
    force: bool = False


@command(
    "vm shutdown VM [force]",
    risk=Risk.DISRUPTIVE,
    summary="Shut a VM down: the guest is asked to, or with “force” its power is cut.",
    details=(
        "A clean shutdown needs the guest's help and may take some minutes.",
        "With “force” what the guest has not written to its disks is lost, and so is the memory of a suspended VM.",
    ),
    examples=("vm shutdown web-1", "vm shutdown web-1 force"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    operation = "hard_shutdown" if arguments.force else "clean_shutdown"
    doing = "only a VM can be switched off that is" if arguments.force else "only a VM can be shut down cleanly that is"
    planning.in_state(vm, operation, doing, inventory)
    pool, host = planning.pool_id(context, inventory), vm.resident_on
    title = f"{'switch off' if arguments.force else 'shut down'} {quoted(vm.name)}"
    where = f" on {spelling(host, inventory)}" if host else ""
    return Plan(
        command="vm shutdown",
        arguments=(("vm", vm.uuid), *((("force", "force"),) if arguments.force else ())),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=title + (f" on {quoted(host.name)}" if host else ""),
        findings=(*planning.about(vm, operation, context.pool, inventory), *planning.home_answers(vm)),
        steps=(
            planning.operate(
                title[:1].upper() + title[1:],
                vm,
                operation,
                PoolTarget(pool.uuid),
                planning.in_power_state(vm, "Halted"),
                limit_seconds=FORCE_LIMIT_SECONDS if arguments.force else CLEAN_LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} is", vm.power_state),),
        impact=(_impact(vm, arguments.force), *planning.ha_lets_go(vm, inventory)),
        go_back=planning.line(f"vm start {spelling(vm, inventory)}{where}", context),
    )


def _impact(vm: VM, force: bool) -> str:
    if vm.power_state == "Suspended":
        return f"{quoted(vm.name)} loses its suspended memory, as if its power had failed."
    if force:
        return f"{quoted(vm.name)} stops at once, as if its power had failed; what it has not written is lost."
    return f"{quoted(vm.name)} is away until somebody starts it again."
