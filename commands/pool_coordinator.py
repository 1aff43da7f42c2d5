"""`pool coordinator HOST`: hand the coordinator's role to another host."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot import planning
from bot.errors import Refused
from bot.inventory import Host
from bot.lookup import spelling
from bot.model import Finding, Plan, PoolTarget, Risk, Verdict
from bot.planning import hosts
from bot.ports import Context
from bot.registry import command
from bot.rules import leading
from bot.rules.check import Check, advised
from bot.text import quoted


@dataclass(frozen=True)
class Arguments:
    host: Host


@command(
    "pool coordinator HOST",
    risk=Risk.DISRUPTIVE,
    summary="Make another host the pool's coordinator.",
    details=(
        "VMs go on running. For a minute or two the pool's API is away; the bot finds the new coordinator by itself.",
        "With high availability on only HA itself decides who leads, so it is refused.",
    ),
    examples=("pool coordinator xs2", "pool coordinator xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    before = inventory.pool.coordinator
    if before == host:
        raise Refused(f"{quoted(host.name)} is the coordinator already. Nothing was changed.")
    pool = planning.pool_id(context, inventory)
    findings = (
        *planning.findings(leading.checks(inventory), inventory.pool.id),
        *planning.findings(leading.suits(host, inventory), host.id),
        *(_advice(check, host) for check in leading.doubts(host, inventory)),
    )
    was = quoted(before.name) if before else "nobody"
    return Plan(
        command="pool coordinator",
        arguments=(("host", host.uuid),),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"make {quoted(host.name)} the coordinator instead of {was}",
        findings=findings,
        steps=tuple(hosts.lead(host, inventory, PoolTarget(pool.uuid))),
        whole_pool=True,
        facts=(("the coordinator is", was), ("high availability is", "on" if inventory.pool.ha_enabled else "off")),
        impact=(
            "VMs go on running; for a minute or two nothing can be asked of the pool or changed in it.",
            *(
                ("Before the next update the pool has to be synchronised with its repositories again.",)
                if inventory.pool.refs("repositories")
                else ()
            ),
            f"Whoever talks to {was} has to talk to {quoted(host.name)} from then on; {was} sends them there.",
        ),
        go_back=planning.line(f"pool coordinator {spelling(before, inventory)}", context) if before else "",
    )


def _advice(check: Check, host: Host) -> Finding:
    """What speaks against it is a warning: the toolstack would do it."""
    found = check.finding(host.id)
    return found if check.ok else replace(found, verdict=Verdict.WARN, title=advised(check.title))
