"""`pool ntp [servers SERVERS]`: what sets the clocks of a pool, and by which servers they are to be set."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.model import Plan, Report, Risk
from bot.planning import ntp as plans
from bot.ports import Context
from bot.registry import command
from bot.rules import ntp
from bot.text import joined, quoted


@dataclass(frozen=True)
class Arguments:
    servers: str | None = None


@command(
    "pool ntp [servers SERVERS]",
    risk=Risk.ROUTINE,
    summary="Show what sets the clocks of all hosts; with “servers”, name the NTP servers that are to set them.",
    details=(
        "Several servers with spaces between them. The change is verified: each host has to follow one of them, else"
        " all go back.",
        "Where the pool's version cannot be told, the answer is what to type on each host.",
    ),
    examples=("pool ntp", "pool ntp servers 10.0.0.1 10.0.0.2 10.0.0.3 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan | Report:
    inventory = context.pool.inventory()
    hosts = inventory.hosts
    if arguments.servers is None:
        return plans.shown(hosts, context, f"{context.pool.name}: what sets the clocks")
    wanted = plans.servers(arguments.servers)
    if not any(map(ntp.settable, hosts)):
        return plans.by_hand(hosts, wanted, f"Let {joined(wanted)} set the clocks of {quoted(context.pool.name)}")
    older = [host for host in hosts if not ntp.settable(host)]
    if older:
        raise Refused(
            f"{joined(host.name for host in older)} cannot be told: too old a version. Nothing was changed.",
            remedy="Finish the update of the pool, or name the servers host by host (“host ntp”).",
        )
    todo = [host for host in hosts if not plans.set_already(host, wanted)]
    if not todo:
        raise Refused(f"All hosts follow {joined(wanted)} already. Nothing was changed.")
    pool = planning.pool_id(context, inventory)
    return Plan(
        command="pool ntp",
        arguments=(("servers", " ".join(wanted)),),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"let {joined(wanted)} set the clocks of {joined(host.name for host in todo)}",
        findings=tuple(plans.findings(todo, wanted, pool)),
        steps=tuple(plans.steps(todo, wanted, pool.uuid)),
        touches=tuple(host.id for host in todo),
        facts=plans.facts(todo),
        impact=("Clocks that are far off are stepped.",),
        go_back=" ".join(plans.back(host, f"host {quoted(host.name)}") for host in todo),
    )
