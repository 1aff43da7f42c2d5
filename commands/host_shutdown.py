"""`host shutdown HOST [handover]`: empty a host and switch it off, as one run."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.inventory import Host, Inventory
from bot.lookup import spelling
from bot.model import Finding, Plan, PoolTarget, Risk, Suggestion, Verdict
from bot.planning import emptying, power
from bot.ports import Context
from bot.registry import command
from bot.rules import host_power
from bot.text import plural, quoted


@dataclass(frozen=True)
class Arguments:
    host: Host
    handover: bool = False
    member: Host | None = None


@command(
    "host shutdown HOST [handover] [coordinator MEMBER]",
    risk=Risk.DISRUPTIVE,
    summary="Switch a host off: its VMs move to others before.",
    details=(
        "It stays in maintenance: “host start” switches it on again, “host maintenance … off” brings its VMs back.",
        "The coordinator first hands its role to another host. With high availability on HA elects one instead; with"
        " “handover” HA is turned off before, and stays off until the host is back.",
    ),
    examples=("host shutdown xs2", "host shutdown xs1 handover", "host shutdown xs1 coordinator xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    name, target = spelling(host, inventory), PoolTarget(inventory.pool.uuid)
    pause = planning.paused(inventory)[:1] if planning.wants_pause(host, arguments.handover, inventory) else ()
    ha_on = inventory.pool.ha_enabled and not pause
    handover = emptying.handover(host, arguments.member, inventory, ha_on=ha_on)
    emptied = emptying.emptying(host, context.pool, inventory, ha_on=ha_on)
    start = planning.line(f"host start {name}", context)
    again = f"; then “{planning.enabling_line(inventory)}”" if pause else ""
    return Plan(
        command="host shutdown",
        arguments=(
            ("host", host.uuid),
            *((("handover", "handover"),) if arguments.handover else ()),
            *handover.pinned,
        ),
        pool=planning.pool_id(context, inventory),
        risk=Risk.DISRUPTIVE,
        title=f"switch {quoted(host.name)} off"
        + (f" ({plural(len(emptied.moves), 'VM')} to move away)" if emptied.moves else ""),
        findings=(
            emptying.alive(host),
            *planning.findings(power.checks(host, inventory), host.id),
            *_leads_alone(host, bool(handover.steps), ha_on, inventory),
            *(power.elected(host, inventory, "shutdown") if not pause else ()),
            *handover.findings,
            *power.own_end(host, context.runs_on, inventory, returns=False),
            *emptied.findings,
            _power_on(host),
        ),
        steps=(
            *pause,
            *handover.steps,
            *emptied.steps,
            power.down(host, "host.shutdown", target),
            power.gone([host], target),
        ),
        touches=(host.id, *emptied.touches),
        whole_pool=host.is_coordinator or bool(pause),
        facts=power.facts(host, inventory),
        impact=(
            *((planning.PAUSED,) if pause else ()),
            *handover.impact,
            *emptied.impact,
            f"To come back: “{start}”, then “host maintenance {name} off”{again}.",
        ),
        reasons=(*handover.reasons, *emptied.reasons),
        go_back=start,
        on_failure=(
            Suggestion("Take it back into service", planning.line(f"host maintenance {name} off", context)),
            *(planning.on_again(inventory, context) if pause else ()),
        ),
    )


def _leads_alone(host: Host, hands_over: bool, ha_on: bool, inventory: Inventory) -> tuple[Finding, ...]:
    """Whoever switches the coordinator off switches the pool off: nothing can be asked of it any more, from here."""
    if not host.is_coordinator or hands_over or (ha_on and len(inventory.hosts) > 1):
        return ()
    return (
        Finding(
            id="coordinator.leads",
            verdict=Verdict.BLOCK,
            subject=host.id,
            title="another host can lead the pool meanwhile",
            evidence=f"{quoted(host.name)} is the coordinator, and nobody would take its place",
            remedy="“pool shutdown” switches the whole pool off.",
        ),
    )


def _power_on(host: Host) -> Finding:
    """Whether it can be switched on again from here is worth knowing before it is off."""
    how = host_power.how(host)
    return Finding(
        id="host.power-on",
        verdict=Verdict.PASS if how else Verdict.WARN,
        subject=host.id,
        title=f"{quoted(host.name)} can be switched on again from here"
        if how
        else f"{quoted(host.name)} cannot be switched on again from here",
        evidence=how or "its power_on_mode is empty",
        remedy="" if how else host_power.by_hand(host),
    )
