"""`vm resume VM [on HOST]`: let a suspended VM go on where it stopped."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.inventory import VM, Host
from bot.lookup import spelling
from bot.model import Plan, PoolTarget, Risk
from bot.ports import Context
from bot.registry import command
from bot.rules import placement
from bot.text import quoted, size

LIMIT_SECONDS = 2 * 3600
"""Very much memory over a slow storage network takes long."""


@dataclass(frozen=True)
class Arguments:
    vm: VM
    host: Host | None = None


@command(
    "vm resume VM [on HOST]",
    risk=Risk.ROUTINE,
    summary="Let a suspended VM go on where it stopped.",
    details=("Without a host, its home server or the one with the most free memory is proposed, and why.",),
    examples=("vm resume report-1", "vm resume report-1 on xs2"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    planning.in_state(vm, "resume_on", "only a VM can be resumed that is", inventory)
    host, reasons = (arguments.host, ()) if arguments.host else placement.best(vm, inventory.hosts, inventory)
    pool = planning.pool_id(context, inventory)
    return Plan(
        command="vm resume",
        arguments=(("vm", vm.uuid), ("host", host.uuid)),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"resume {quoted(vm.name)} on {quoted(host.name)}",
        findings=planning.arrival(vm, host, "resume_on", context.pool, inventory),
        steps=(
            planning.put(
                f"Resume {quoted(vm.name)} on {quoted(host.name)}",
                vm,
                host,
                "resume_on",
                PoolTarget(pool.uuid),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} is", vm.power_state),),
        impact=(
            f"{size(vm.number('memory_dynamic_max'))} of memory are read from storage.",
            "Its clock stood still meanwhile, and connections that it had are likely gone.",
        ),
        reasons=reasons,
        go_back=planning.line(f"vm suspend {spelling(vm, inventory)}", context),
    )
