"""`host start HOST`: switch a host on over the network, and wait until it serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import Host
from bot.lookup import spelling
from bot.model import Plan, PoolTarget, Risk, Suggestion
from bot.planning import power
from bot.ports import Context
from bot.registry import command
from bot.rules import host_power, maintenance
from bot.rules.check import Check
from bot.text import plural, quoted


@dataclass(frozen=True)
class Arguments:
    host: Host


@command(
    "host start HOST",
    risk=Risk.ROUTINE,
    summary="Switch a host on, as its power_on_mode says, and wait until it is back.",
    details=(
        "By wake-on-LAN, through its management controller, or by the coordinator's own script.",
        "Where nothing is configured, it says what to do instead.",
    ),
    examples=("host start xs2", "host start xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    if host.live:
        late = (
            "" if inventory.pool.ha_enabled else " Without HA the pool notices only after ten minutes that one is off."
        )
        raise Refused(
            f"{quoted(host.name)} is on: the coordinator hears from it. Nothing was changed.{late}",
            remedy="" if inventory.pool.ha_enabled else "If it was just switched off, ask again later.",
        )
    name, target = spelling(host, inventory), PoolTarget(inventory.pool.uuid)
    waiting = sum(len(maintenance.listed(host, key)) for key in maintenance.LISTS)
    service = planning.line(f"host maintenance {name} off", context)
    kept = not host.enabled and maintenance.can_last(host, inventory)
    return Plan(
        command="host start",
        arguments=(("host", host.uuid),),
        pool=planning.pool_id(context, inventory),
        risk=Risk.ROUTINE,
        title=f"switch {quoted(host.name)} on",
        findings=planning.findings(_checks(host), host.id),
        steps=(power.on(host, target), power.back(host, target, rebooted=False, as_it_was=kept)),
        touches=(host.id,),
        facts=(("it is switched on", host_power.how(host) or "by hand"),),
        impact=(
            f"{quoted(host.name)} is switched on {host_power.how(host)}; it takes five to fifteen minutes to be back.",
            *((f"{plural(waiting, 'VM')} that left it come back with “{service}”.",) if waiting else ()),
        ),
        go_back=planning.line(f"host shutdown {name}", context),
        on_success=(Suggestion("Bring its VMs back" if waiting else "Take it into service", service),)
        if waiting or kept
        else (),
        on_failure=(Suggestion("How it is", planning.line(f"host show {name}", context)),),
    )


def _checks(host: Host) -> Iterator[Check]:
    how = host_power.how(host)
    yield Check(
        "host.power-on",
        "HOST_POWER_ON_MODE_DISABLED",
        bool(how),
        f"{quoted(host.name)} can be switched on over the network",
        how or "its power_on_mode is empty: nothing is configured",
        host_power.by_hand(host),
    )
