"""`vm reboot VM [force]`: restart a VM where it runs."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.inventory import VM
from bot.model import Expect, Plan, PoolTarget, Risk, Value
from bot.ports import Context
from bot.registry import command
from bot.text import quoted

LIMIT_SECONDS = 1800
"""xapi itself gives the guest 20 minutes to go down."""


@dataclass(frozen=True)
class Arguments:
    vm: VM
    force: bool = False


@command(
    "vm reboot VM [force]",
    risk=Risk.DISRUPTIVE,
    summary="Restart a VM where it runs: the guest is asked to, or with “force” it is reset.",
    details=("With “force” what the guest has not written to its disks is lost.",),
    examples=("vm reboot web-1", "vm reboot web-1 force"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    operation = "hard_reboot" if arguments.force else "clean_reboot"
    doing = "only a VM can be reset that is" if arguments.force else "only a VM can be rebooted that is"
    planning.in_state(vm, operation, doing, inventory)
    pool, host = planning.pool_id(context, inventory), vm.resident_on
    title = f"{'reset' if arguments.force else 'reboot'} {quoted(vm.name)}"
    return Plan(
        command="vm reboot",
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
                planning.in_power_state(vm, "Running"),
                # Every boot makes a new domain.
                Expect(object=vm.id, field="domid", equals=Value(vm.text("domid")), differs=True),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} is", vm.power_state),),
        impact=(
            f"{quoted(vm.name)} stops at once, as if reset; what it has not written is lost, and it boots again."
            if arguments.force
            else f"{quoted(vm.name)} is away while it shuts down and boots again.",
        ),
        go_back="A reboot cannot be taken back.",
    )
