"""`host reboot HOST [handover]`: empty a host, reboot it, and bring its VMs back, as one run."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.inventory import Host
from bot.lookup import spelling
from bot.model import Plan, PoolTarget, Risk, Suggestion
from bot.planning import emptying, hosts, lowering, power
from bot.ports import Context
from bot.registry import command
from bot.rules import maintenance
from bot.rules.hosts import MAINTENANCE_KEY, in_maintenance
from bot.text import plural, quoted


@dataclass(frozen=True)
class Arguments:
    host: Host
    handover: bool = False
    member: Host | None = None


@command(
    "host reboot HOST [handover] [coordinator MEMBER]",
    risk=Risk.DISRUPTIVE,
    summary="Reboot a host: its VMs move away before, and come back afterwards.",
    details=(
        "The run ends when the host is back, takes VMs, has its storage plugged and its VMs run there again.",
        "The coordinator first hands its role to another host. With high availability on HA elects one instead; with"
        " “handover” HA is turned off for the time, and on again with the same storage and number.",
        "A host that was in maintenance already is only rebooted.",
    ),
    examples=("host reboot xs2", "host reboot xs1 handover", "host reboot xs1 coordinator xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    name, target = spelling(host, inventory), PoolTarget(inventory.pool.uuid)
    pause = planning.paused(inventory) if planning.wants_pause(host, arguments.handover, inventory) else None
    ha_on = inventory.pool.ha_enabled and pause is None
    handover = emptying.handover(host, arguments.member, inventory, ha_on=ha_on)
    emptied = emptying.emptying(host, context.pool, inventory, ha_on=ha_on)
    was_in_use, lasts = host.enabled or bool(host.resident_vms), maintenance.can_last(host, inventory)
    returning = power.come_back(emptied.moves)
    after = (
        *hosts.notes(host, emptied.notes, {MAINTENANCE_KEY: ""}, target),
        *(hosts.bring(back, host, target) for back in returning),
        *hosts.notes(host, emptied.notes, power.lists_away(host, emptied.notes), target),
        *(lowering.raised(emptied.lowered, inventory) if emptied.lowered is not None else ()),
    )
    in_maintenance_line = planning.line(f"host maintenance {name} off", context)
    return Plan(
        command="host reboot",
        arguments=(
            ("host", host.uuid),
            *((("handover", "handover"),) if arguments.handover else ()),
            *handover.pinned,
        ),
        pool=planning.pool_id(context, inventory),
        risk=Risk.DISRUPTIVE,
        title=f"reboot {quoted(host.name)}"
        + (f" ({plural(len(returning), 'VM')} to move away and back)" if returning else ""),
        findings=(
            emptying.alive(host),
            *planning.findings(power.checks(host, inventory), host.id),
            *(power.elected(host, inventory, "reboot") if pause is None else ()),
            *handover.findings,
            *power.own_end(host, context.runs_on, inventory, returns=True),
            *(emptied.findings if was_in_use else ()),
        ),
        steps=(
            *(pause[:1] if pause else ()),
            *handover.steps,
            *(emptied.steps if was_in_use else ()),
            power.down(host, "host.reboot", target),
            power.back(host, target, rebooted=True, as_it_was=not was_in_use and lasts),
            *(after if was_in_use else ()),
            *(pause[1:] if pause else ()),
        ),
        touches=(host.id, *emptied.touches),
        whole_pool=host.is_coordinator or pause is not None,
        facts=power.facts(host, inventory),
        impact=(
            *((planning.PAUSED,) if pause else ()),
            *handover.impact,
            *(emptied.impact if was_in_use else ()),
            f"{quoted(host.name)} is away for five to fifteen minutes, as a rule.",
            *(_stays_in_maintenance(name, lasts) if in_maintenance(host) and not was_in_use else ()),
        ),
        reasons=(*handover.reasons, *(emptied.reasons if was_in_use else ())),
        go_back="",
        on_failure=(
            Suggestion("Take it back into service", in_maintenance_line),
            *(planning.on_again(inventory, context) if pause else ()),
        ),
    )


def _stays_in_maintenance(name: str, lasts: bool) -> tuple[str, ...]:
    """How it was disabled, no record tells."""
    told = "The toolstack takes it into service by itself when it is back"
    if lasts:
        told += ", unless it was disabled for good, as the bot does it"
    return (f"{told}; its VMs come back with “host maintenance {name} off”.",)
