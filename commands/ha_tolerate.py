"""`ha tolerate FAILURES`: how many hosts may fail with every protected VM restarted."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.model import Plan, Risk
from bot.planning import lowering
from bot.ports import Context
from bot.registry import command
from bot.rules import ha
from bot.text import plural, quoted


@dataclass(frozen=True)
class Arguments:
    failures: int


@command(
    "ha tolerate FAILURES",
    risk=Risk.ROUTINE,
    summary="Set how many hosts may fail with every protected VM still restarted.",
    details=("“ha status” says how many are possible. With 0 nothing is guaranteed.",),
    examples=("ha tolerate 1",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    inventory = context.pool.inventory()
    wanted, now = arguments.failures, inventory.pool.number("ha_host_failures_to_tolerate")
    if wanted == now:
        raise Refused(f"{quoted(context.pool.name)} is set to tolerate {plural(now, 'host failure')} already.")
    pool = planning.pool_id(context, inventory)
    found = planning.findings(
        (planning.possible(wanted, planning.most_failures(context.pool, inventory), inventory),), inventory.pool.id
    )
    return Plan(
        command="ha tolerate",
        arguments=(("failures", str(wanted)),),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"tolerate {plural(wanted, 'host failure')}",
        findings=found,
        steps=(planning.tolerate(wanted, inventory), *lowering.forgotten(inventory)),
        touches=(inventory.pool.id,),
        facts=(("it tolerates", str(now)), ("high availability is", "on" if inventory.pool.ha_enabled else "off")),
        impact=(
            *(("With 0, no restart is guaranteed any more.",) if not wanted and ha.meant(inventory) else ()),
            *(() if inventory.pool.ha_enabled else ("High availability is off; the number counts once it is on.",)),
        ),
        go_back=planning.line(f"ha tolerate {now}", context),
    )
