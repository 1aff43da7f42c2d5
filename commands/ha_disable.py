"""`ha disable`: turn high availability off."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.lookup import spelling
from bot.model import Expect, Plan, PoolTarget, Risk, Step, Trace, Value
from bot.ports import Context
from bot.registry import command
from bot.rules import ha, heartbeat
from bot.text import joined, quoted

LIMIT_SECONDS = 1800
"""When a host cannot be reached, the toolstack tries again for ever."""


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
    srs, tolerated = heartbeat.in_use(inventory), inventory.pool.number("ha_host_failures_to_tolerate")
    where = f" on {spelling(srs[0], inventory)}" if srs else ""
    return Plan(
        command="ha disable",
        arguments=(),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title="turn high availability off",
        findings=planning.findings(heartbeat.pool_checks(inventory, "ha_disable"), inventory.pool.id),
        steps=(
            Step(
                title="Turn high availability off",
                target=PoolTarget(pool.uuid),
                call="pool.disable_ha",
                arguments=(),
                trace=Trace(object=inventory.pool.id, operation="ha_disable"),
                expect=(Expect(object=inventory.pool.id, field="ha_enabled", equals=Value(False)),),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        whole_pool=True,
        facts=(("high availability is", "on"),),
        impact=(
            f"From then on nothing restarts {joined((vm.name for vm in losing), limit=6)} when a host fails."
            if losing
            else "No VM was protected, so none loses its protection.",
            "A coordinator that fails is no longer replaced by itself.",
        ),
        go_back=planning.line(f"ha enable{where} tolerate {tolerated}", context),
    )
