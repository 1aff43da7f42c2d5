"""`host maintenance HOST on|off`: empty a host and keep VMs away from it, and bring them back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import Host, Inventory
from bot.lookup import spelling
from bot.model import Finding, ObjectId, Plan, PoolTarget, Risk, Suggestion, Verdict
from bot.planning import emptying, hosts, lowering
from bot.ports import Context
from bot.registry import command
from bot.rules import maintenance
from bot.rules.hosts import MAINTENANCE_KEY, in_maintenance
from bot.rules.maintenance import Return
from bot.text import joined, plural, quoted

_STAYS = {
    "pool_migrate": "stays on {home}",
    "resume_on": "stays suspended",
    "start_on": "stays halted",
}


@dataclass(frozen=True)
class Arguments:
    host: Host
    choice: str
    member: Host | None = None


@command(
    "host maintenance HOST on|off [coordinator MEMBER]",
    risk=Risk.DISRUPTIVE,
    summary="Empty a host and keep VMs away from it; or take it back into service, and its VMs back to it.",
    details=(
        "on: the host is disabled, its running VMs move live to others, and who left is noted as XenCenter does.",
        "The coordinator first hands its role to another host, the one named or the best; with high availability on it"
        " keeps it.",
        "off: the host is enabled, and the VMs that left it come back, also those that XenCenter noted. Failures to"
        " tolerate that were lowered for it are raised again.",
    ),
    examples=("host maintenance xs2 on", "host maintenance xs1 on coordinator xs2", "host maintenance xs2 off in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    if arguments.choice == "on":
        return _on(arguments.host, arguments.member, context)
    if arguments.member is not None:
        raise Refused(
            "A host that is taken back into service hands nothing over.",
            remedy=f"“pool coordinator {spelling(arguments.member, context.pool.inventory())}” hands the role over.",
        )
    return _off(arguments.host, context)


# --- on ---------------------------------------------------------------------------------------------------------------


def _on(host: Host, member: Host | None, context: Context) -> Plan:
    inventory = context.pool.inventory()
    name, pool = spelling(host, inventory), inventory.pool
    if in_maintenance(host) and not host.resident_vms:
        raise Refused(
            f"{quoted(host.name)} is in maintenance already, and empty. Nothing was changed.",
            remedy=f"“host maintenance {name} off” takes it back into service.",
        )
    handover = emptying.handover(host, member, inventory)
    emptied = emptying.emptying(host, context.pool, inventory, lasting=True)
    off = planning.line(f"host maintenance {name} off", context)
    return Plan(
        command="host maintenance",
        arguments=(("host", host.uuid), ("choice", "on"), *handover.pinned),
        pool=planning.pool_id(context, inventory),
        risk=Risk.DISRUPTIVE,
        title=f"empty {quoted(host.name)} for maintenance ({plural(len(emptied.moves), 'VM')} to move)",
        findings=(emptying.alive(host), *handover.findings, *emptied.findings),
        steps=(*handover.steps, *emptied.steps),
        touches=(host.id, *emptied.touches),
        whole_pool=bool(handover.steps),
        facts=(
            (f"{quoted(host.name)} takes VMs", "yes" if host.enabled else "no"),
            ("high availability is", "on" if pool.ha_enabled else "off"),
            *((("the coordinator is", quoted(host.name)),) if host.is_coordinator else ()),
        ),
        impact=(*handover.impact, *emptied.impact, *_role(host, inventory)),
        reasons=(*handover.reasons, *emptied.reasons),
        go_back=off,
        on_failure=(
            Suggestion("Go on", planning.line(f"host maintenance {name} on", context)),
            Suggestion("Bring back", off),
        ),
    )


def _role(host: Host, inventory: Inventory) -> Iterator[str]:
    if host.is_coordinator and inventory.pool.ha_enabled:
        yield "It stays the coordinator; when it goes down, high availability elects another, minutes without API."


# --- off --------------------------------------------------------------------------------------------------------------


def _off(host: Host, context: Context) -> Plan:
    inventory = context.pool.inventory()
    marked = MAINTENANCE_KEY in host.other_config
    if host.enabled and not marked and not maintenance.remembers(host):
        raise Refused(f"{quoted(host.name)} is in service. Nothing was changed.")
    allowed = planning.movable(maintenance.moved(host, inventory), context.pool, inventory)
    found = maintenance.returns(host, inventory, allowed)
    coming, name = [back for back in found if not back.against], spelling(host, inventory)
    target = PoolTarget(inventory.pool.uuid)
    raising, told = lowering.back(host, [back.vm for back in coming], inventory)
    return Plan(
        command="host maintenance",
        arguments=(("host", host.uuid), ("choice", "off")),
        pool=planning.pool_id(context, inventory),
        risk=Risk.DISRUPTIVE,
        title=f"take {quoted(host.name)} back into service ({plural(len(coming), 'VM')} to bring back)",
        findings=(emptying.alive(host), *(_stays(back) for back in found if back.against), *told),
        steps=(
            *hosts.notes(host, host.other_config, {MAINTENANCE_KEY: ""}, target),
            *(() if host.enabled else (hosts.enable(host, target),)),
            *(hosts.bring(back, host, target) for back in coming),
            *hosts.notes(host, host.other_config, dict.fromkeys(maintenance.LISTS, ""), target),
            *raising,
        ),
        touches=(host.id, *_ids(coming)),
        facts=((f"{quoted(host.name)} takes VMs", "yes" if host.enabled else "no"),),
        impact=tuple(_returning(coming)),
        go_back=planning.line(f"host maintenance {name} on", context),
        on_success=(Suggestion("How HA stands", planning.line("ha status", context)),)
        if inventory.pool.ha_enabled
        else (),
        on_failure=(Suggestion("Go on", planning.line(f"host maintenance {name} off", context)),),
    )


def _ids(coming: list[Return]) -> tuple[ObjectId, ...]:
    return tuple(back.vm.id for back in coming)


def _returning(coming: list[Return]) -> Iterator[str]:
    for operation, what in (
        ("pool_migrate", "Moved back, running"),
        ("resume_on", "Resumed where it was suspended"),
        ("start_on", "Started, since it was shut down for the maintenance"),
    ):
        names = [back.vm.name for back in coming if back.operation == operation]
        if names:
            yield f"{what}: {joined(names, limit=6)}."


def _stays(back: Return) -> Finding:
    """A VM that cannot come back keeps nobody else from it; its place on XenCenter's list is given up."""
    home = quoted(back.home.name) if back.home else ""
    return Finding(
        id="vm.returns",
        verdict=Verdict.WARN,
        subject=back.vm.id,
        title=f"{quoted(back.vm.name)} {_STAYS[back.operation].format(home=home)}",
        evidence="; ".join(check.against for check in back.against),
        remedy=" ".join(dict.fromkeys(check.remedy for check in back.against if check.remedy)),
    )
