"""`ha disable`: turn high availability off."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.model import Plan, Risk
from bot.ports import Context
from bot.registry import command
from bot.rules import ha, heartbeat
from bot.text import joined, quoted


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "ha disable",
    risk=Risk.DISRUPTIVE,
    summary="Turn high availability off: VMs of a failed host then stay down.",
    details=("Settings stay: heartbeat storage, priorities and the failures to tolerate are kept for the next time.",),
    examples=("ha disable", "ha disable in lab"),
)
def plan(_arguments: Arguments, context: Context) -> Plan:
    inventory = context.pool.inventory()
    if not inventory.pool.ha_enabled:
        raise Refused(
            f"High availability of {quoted(context.pool.name)} is off already. Nothing was changed.",
            remedy="“ha enable” turns it on.",
        )
    pool, losing = planning.pool_id(context, inventory), ha.protected(inventory)
    return Plan(
        command="ha disable",
        arguments=(),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title="turn high availability off",
        findings=planning.findings(heartbeat.pool_checks(inventory, "ha_disable"), inventory.pool.id),
        steps=(planning.turn_off(inventory),),
        whole_pool=True,
        facts=(("high availability is", "on"),),
        impact=(
            f"From then on nothing restarts {joined((vm.name for vm in losing), limit=6)} when a host fails."
            if losing
            else "No VM was protected, so none loses its protection.",
            "A coordinator that fails is no longer replaced by itself.",
        ),
        go_back=planning.line(planning.enabling_line(inventory), context),
    )
