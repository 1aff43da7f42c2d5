"""`pool shutdown [force] [including TEXT]`: VMs, members, and the coordinator last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import Entity, Host, Inventory
from bot.lookup import spelling
from bot.model import Finding, Plan, PoolTarget, Risk, Step, Suggestion, Verdict, together
from bot.planning import hosts, power
from bot.ports import Context
from bot.registry import command
from bot.rules import closing, host_power, leading
from bot.text import joined, plural, quoted

VM_LIMIT_SECONDS = 1800
"""xapi itself gives a guest 20 minutes."""
_TURNS = 8
"""Groups of VMs that are named."""


@dataclass(frozen=True)
class Arguments:
    force: bool = False
    text: str | None = None


@command(
    "pool shutdown [force] [including TEXT]",
    risk=Risk.DESTRUCTIVE,
    summary="Shut a whole pool down: high availability off, the VMs, the members, the coordinator last.",
    details=(
        "VMs are shut down cleanly, in reverse order of their start; those of the same order at once, 8 at a time at"
        " most. With “force” those that cannot be are switched off.",
        "If the bot itself runs in the pool (bot.runs_on), what it runs on has to be named: “including xenia-1”. It"
        " goes down last, and takes the bot with it.",
    ),
    examples=("pool shutdown in lab", "pool shutdown force", "pool shutdown including xenia-1"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    inventory = context.pool.inventory()
    own = closing.own_place(context.runs_on, inventory)
    last = own[1] if own else inventory.pool.coordinator
    if last is None:
        raise Refused("The pool's database names no coordinator, so nobody can be asked to shut it down.")
    if own is None and arguments.text:
        raise Refused(
            f"{quoted(arguments.text)} needs no naming: as far as is configured, the bot does not run in this pool.",
            remedy="Ask without “including”; if it does run there, whoever runs the bot sets bot.runs_on.",
        )
    target = PoolTarget(inventory.pool.uuid)
    turns = closing.turns(closing.stops(inventory, force=arguments.force, but=own[0] if own else None))
    stops = tuple(stop for turn in turns for stop in turn)
    members = [host for host in inventory.hosts if host.live and host != last]
    pause = planning.paused(inventory)[:1] if inventory.pool.ha_enabled else ()
    leads = () if last.is_coordinator else tuple(hosts.lead(last, inventory, target))
    words = f"pool shutdown{' force' if arguments.force else ''}"
    again = f"{words} including {spelling(own[0], inventory)}" if own else words
    return Plan(
        command="pool shutdown",
        arguments=(
            *((("force", "force"),) if arguments.force else ()),
            *((("text", arguments.text),) if arguments.text else ()),
        ),
        pool=planning.pool_id(context, inventory),
        risk=Risk.DESTRUCTIVE,
        title=f"shut the whole pool down: {plural(len(stops), 'VM')}, {plural(len(members) + 1, 'host')}",
        findings=(
            *(_own(own, arguments.text, again) if own else ()),
            *_pool(last, inventory, stops_ha=bool(pause), leads=bool(leads)),
            *(_vm(stop, again) for stop in stops),
            *_left_alone(inventory),
        ),
        steps=(
            *pause,
            *leads,
            *(step for turn in turns for step in together(_stop(stop, target) for stop in turn)),
            *together(hosts.disable(host, target) for host in members if host.enabled),
            *together(power.down(host, "host.shutdown", target) for host in members),
            *((power.gone(members, target),) if members else ()),
            *((hosts.disable(last, target),) if last.enabled else ()),
            power.down(last, "host.shutdown", target, last=True),
            *(() if own else (power.silent(inventory, target),)),
        ),
        touches=(*(host.id for host in (*members, last)), *(stop.vm.id for stop in stops)),
        whole_pool=True,
        facts=(
            ("high availability is", "on" if inventory.pool.ha_enabled else "off"),
            ("the coordinator is", quoted(inventory.pool.coordinator.name) if inventory.pool.coordinator else "nobody"),
            ("the bot runs", f"on {quoted(own[0].name)}" if own else "elsewhere"),
        ),
        impact=tuple(_impact(own, last, turns)),
        go_back=_go_back(last, members, stops, inventory),
        on_failure=(Suggestion("Go on", planning.line(again, context)), *planning.on_again(inventory, context)),
    )


def _own(own: tuple[Entity, Host], named: str | None, line: str) -> Iterator[Finding]:
    """Said first: the bot shuts itself down."""
    entity, host = own
    known = named is not None and named.strip() in (entity.name, entity.uuid)
    where = "" if entity == host else f" on {quoted(host.name)}"
    yield Finding(
        id="pool.bot-inside",
        verdict=Verdict.WARN if known else Verdict.BLOCK,
        subject=entity.id,
        title="whoever asks knows that the bot goes down with the pool"
        if not known
        else "the bot goes down with the pool",
        evidence=f"it runs on {quoted(entity.name)}{where}: it cannot say how it ended, nor switch anything on again",
        remedy="" if known else f"If that is meant: “{line}”",
    )


def _pool(last: Host, inventory: Inventory, *, stops_ha: bool, leads: bool) -> Iterator[Finding]:
    """What the whole pool has to allow. The host that the bot runs on goes last, so it has to lead."""
    for check in leading.checks(inventory):
        if (check.id in ("pool.secret", "pool.busy") and (stops_ha or leads)) or (check.id == "hosts.live" and leads):
            yield check.finding(inventory.pool.id)
    if leads:
        yield from planning.findings(leading.suits(last, inventory), last.id)


def _vm(stop: closing.Stop, line: str) -> Finding:
    title = f"{quoted(stop.vm.name)} can be shut down cleanly"
    if stop.against:
        tools = any(check.id in ("vm.tools", "vm.state") for check in stop.against)
        remedies = [check.remedy for check in stop.against if check.remedy]
        if tools and stop.operation == "clean_shutdown":
            remedies.append(f"“{_forced(line)}” switches off what cannot be shut down.")
        return Finding(
            id="vm.stops",
            verdict=Verdict.BLOCK,
            subject=stop.vm.id,
            title=title,
            evidence="; ".join(check.against for check in stop.against),
            remedy=" ".join(dict.fromkeys(remedies)),
            code=stop.against[0].code,
        )
    if stop.unclean:
        return Finding(
            id="vm.stops",
            verdict=Verdict.WARN,
            subject=stop.vm.id,
            title=f"{quoted(stop.vm.name)} is switched off as if its power had failed",
            evidence="; ".join(check.against for check in stop.unclean),
        )
    return Finding(id="vm.stops", verdict=Verdict.PASS, subject=stop.vm.id, title=title)


def _forced(line: str) -> str:
    return line if " force" in line else line.replace("pool shutdown", "pool shutdown force", 1)


def _left_alone(inventory: Inventory) -> Iterator[Finding]:
    dead = [host for host in inventory.hosts if not host.live]
    lost = [vm.name for vm, _ in closing.stranded(inventory)]
    for host in dead:
        yield Finding(
            id="host.live",
            verdict=Verdict.WARN,
            subject=host.id,
            title=f"{quoted(host.name)} is left as it is",
            evidence="the coordinator has not heard from it"
            + (f"; on record there: {joined(lost, limit=6)}" if lost else ""),
            remedy="Look at the host itself: if it is on, it stays on.",
        )


def _stop(stop: closing.Stop, target: PoolTarget) -> Step:
    verb = "Shut down" if stop.operation == "clean_shutdown" else "Switch off"
    title, off = f"{verb} {quoted(stop.vm.name)}", planning.in_power_state(stop.vm, "Halted")
    return planning.operate(title, stop.vm, stop.operation, target, off, limit_seconds=VM_LIMIT_SECONDS)


def _impact(own: tuple[Entity, Host] | None, last: Host, turns: tuple[tuple[closing.Stop, ...], ...]) -> Iterator[str]:
    if own is not None:
        yield f"The bot runs on {quoted(own[0].name)}: it goes down with {quoted(last.name)}, and reports nothing."
    told = [joined(stop.vm.name for stop in turn) for turn in turns[:_TURNS]]
    told += [f"{len(turns) - _TURNS} more groups"] if len(turns) > _TURNS else []
    yield f"Everything stops: {', then '.join(told)}." if turns else "No VM runs."
    yield f"{quoted(last.name)} goes down last; from then on nothing can be asked of the pool."


def _go_back(last: Host, members: list[Host], stops: tuple[closing.Stop, ...], inventory: Inventory) -> str:
    """What to do to come back, in words: no command can do it, for nobody is there to take it."""
    told = [f"Switch on {quoted(last.name)}, the coordinator, by its power button or controller."]
    able = [host for host in members if host_power.how(host)]
    rest = [host for host in members if host not in able]
    if able:
        told.append("Then " + ", ".join(f"“host start {spelling(host, inventory)}”" for host in able) + ".")
    if rest:
        told.append(f"By hand too: {joined((host.name for host in rest), limit=6)}.")
    if inventory.pool.ha_enabled:
        told.append(f"When all are back: “{planning.enabling_line(inventory)}”.")
    if stops:
        first = [spelling(stop.vm, inventory) for stop in reversed(stops)]
        told.append("VMs in order of start: " + ", ".join(f"“vm start {name}”" for name in first[:4]))
        told[-1] += f" and {len(first) - 4} more." if len(first) > 4 else "."
    return " ".join(told)
