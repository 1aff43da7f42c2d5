"""`vm start VM [on HOST]`: start a halted VM on a host that can run it."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.inventory import VM, Host
from bot.lookup import spelling
from bot.model import Plan, PoolTarget, Risk
from bot.ports import Context
from bot.registry import command
from bot.rules import ha, placement
from bot.text import duration, quoted

LIMIT_SECONDS = 1800
"""A start takes seconds; one that waits for a slow storage driver, minutes."""


@dataclass(frozen=True)
class Arguments:
    vm: VM
    host: Host | None = None


@command(
    "vm start VM [on HOST]",
    risk=Risk.ROUTINE,
    summary="Start a halted VM.",
    details=("Without a host, its home server or the one with the most free memory is proposed, and why.",),
    examples=("vm start wiki-1", "vm start wiki-1 on xs2"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    planning.in_state(vm, "start_on", "only a VM can be started that is", inventory)
    host, reasons = (arguments.host, ()) if arguments.host else placement.best(vm, inventory.hosts, inventory)
    pool = planning.pool_id(context, inventory)
    delay = vm.number("start_delay")
    return Plan(
        command="vm start",
        arguments=(("vm", vm.uuid), ("host", host.uuid)),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"start {quoted(vm.name)} on {quoted(host.name)}",
        findings=planning.arrival(vm, host, "start_on", context.pool, inventory),
        steps=(
            planning.put(
                f"Start {quoted(vm.name)} on {quoted(host.name)}",
                vm,
                host,
                "start_on",
                PoolTarget(pool.uuid),
                limit_seconds=LIMIT_SECONDS + delay,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} is", vm.power_state),),
        impact=(
            *((f"It waits {duration(delay)} after the start, as it is set up (start_delay).",) if delay else ()),
            *(
                ("From then on HA restarts it when it fails.",)
                if inventory.pool.ha_enabled and vm.text("ha_restart_priority") == ha.RESTART
                else ()
            ),
        ),
        reasons=reasons,
        go_back=planning.line(f"vm shutdown {spelling(vm, inventory)}", context),
    )
