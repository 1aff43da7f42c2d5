"""`host ntp HOST [servers SERVERS]`: what sets a host's clock, and by which servers it is to be set."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import Host
from bot.lookup import spelling
from bot.model import Plan, Report, Risk
from bot.planning import ntp as plans
from bot.ports import Context
from bot.registry import command
from bot.rules import ntp
from bot.text import joined, quoted


@dataclass(frozen=True)
class Arguments:
    host: Host
    servers: str | None = None


@command(
    "host ntp HOST [servers SERVERS]",
    risk=Risk.ROUTINE,
    summary="Show what sets a host's clock; with “servers”, name the NTP servers that are to set it.",
    details=(
        "Several servers with spaces between them. The change is verified: the host has to follow one of them.",
        "Where the pool's version cannot be told, the answer is what to type on the host.",
    ),
    examples=("host ntp xs1", "host ntp xs1 servers 10.0.0.1 10.0.0.2 10.0.0.3"),
)
def plan(arguments: Arguments, context: Context) -> Plan | Report:
    host, inventory = arguments.host, context.pool.inventory()
    if arguments.servers is None:
        return plans.shown([host], context, f"{context.pool.name}: what sets the clock of {quoted(host.name)}")
    wanted = plans.servers(arguments.servers)
    if not ntp.settable(host):
        return plans.by_hand([host], wanted, f"Let {joined(wanted)} set the clock of {quoted(host.name)}")
    if plans.set_already(host, wanted):
        raise Refused(f"{quoted(host.name)} follows {joined(wanted)} already. Nothing was changed.")
    pool = planning.pool_id(context, inventory)
    return Plan(
        command="host ntp",
        arguments=(("host", host.uuid), ("servers", " ".join(wanted))),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"let {joined(wanted)} set the clock of {quoted(host.name)}",
        findings=tuple(plans.findings([host], wanted, host.id)),
        steps=tuple(plans.steps([host], wanted, pool.uuid)),
        touches=(host.id,),
        facts=plans.facts([host]),
        impact=("A clock that is far off is stepped.",),
        go_back=plans.back(host, planning.line(f"host ntp {spelling(host, inventory)}", context)),
    )
