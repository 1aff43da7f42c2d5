"""A host that goes down, and comes back, as parts of a plan: `host reboot`, `host shutdown`, `host start`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bot.inventory import Host, Inventory
from bot.lookup import spelling
from bot.model import Expect, Finding, MemberTarget, Object, PoolTarget, Step, Target, Trace, Value, Verdict
from bot.rules import closing, conditions, evacuation, heartbeat, maintenance
from bot.rules.check import Check, idle
from bot.rules.maintenance import Return
from bot.rules.placement import plugged
from bot.text import joined, quoted

LIMIT_SECONDS = 600
"""The call itself returns in seconds; the host goes down about ten seconds later."""
DOWN_SECONDS = 1800
"""Until it is not heard from any more: what still runs there is shut down first."""
BOOT_SECONDS = 3600
"""Five to fifteen minutes, as a rule; a server with much memory takes longer."""


def checks(host: Host, inventory: Inventory) -> Iterator[Check]:
    """What the toolstack asks before `host.reboot` or `host.shutdown`, besides that the host is disabled."""
    yield idle("host.busy", "nothing else is being done with it", host.under_way)
    if not inventory.pool.ha_enabled:
        return
    lost = [sr for sr in heartbeat.in_use(inventory) if not plugged(sr, host)]
    yield Check(
        "host.heartbeat",
        "HA_LOST_STATEFILE",
        not lost,
        f"{quoted(host.name)} sees the heartbeat storage",
        f"not plugged there: {joined(sr.name for sr in lost)}" if lost else "",
        f"“sr repair {spelling(lost[0], inventory)}”" if lost else "",
    )


def down(host: Host, call: str, target: Target, *, last: bool = False) -> Step:
    """`host.reboot` or `host.shutdown`; `last`: nobody is left to answer for the pool afterwards."""
    verb = "Reboot" if call == "host.reboot" else "Shut down"
    return Step(
        title=f"{verb} {quoted(host.name)}",
        target=target,
        call=call,
        arguments=(Object(host.id),),
        # Its own name for both, since xapi makes the same task of them.
        trace=Trace(object=host.id, operation="shutdown"),
        expect=(
            Expect(
                object=host.id,
                rule=conditions.LEFT if last else conditions.LEAVING,
                equals=Value(host.other_config.get("boot_time", "")),
                at=target if last else None,
            ),
        ),
        # The call returns in seconds. When the coordinator is gone before its answer, the pool tells when it is back.
        limit_seconds=BOOT_SECONDS if host.is_coordinator else LIMIT_SECONDS,
        away_seconds=BOOT_SECONDS,
        final=True,
    )


def silent(inventory: Inventory, target: PoolTarget) -> Step:
    """After the coordinator was switched off."""
    return Step(
        title="Wait until the pool no longer answers",
        target=target,
        expect=(Expect(object=inventory.pool.id, rule=conditions.SILENT),),
        limit_seconds=DOWN_SECONDS,
        away_seconds=DOWN_SECONDS,
    )


def gone(hosts: Sequence[Host], target: PoolTarget) -> Step:
    """That the pool does not hear from them is not enough: they are told to be away at once, and go down later."""
    expect = [
        each
        for host in hosts
        for each in (
            Expect(object=host.id, rule=conditions.AWAY),
            Expect(object=host.id, rule=conditions.MUTE, at=MemberTarget(host.id, host.address)),
        )
    ]
    return Step(
        title=f"Wait until {joined(host.name for host in hosts)} {'is' if len(hosts) == 1 else 'are'} off",
        target=target,
        expect=tuple(expect),
        limit_seconds=DOWN_SECONDS,
        away_seconds=DOWN_SECONDS,
    )


def back(host: Host, target: Target, *, rebooted: bool, as_it_was: bool = False) -> Step:
    """Wait until it serves again; `rebooted`: it has to have started anew since the plan was made. `as_it_was`: it may
    stay disabled.
    """
    anew = Expect(
        object=host.id,
        field="other_config",
        key="boot_time",
        equals=Value(host.other_config.get("boot_time", "")),
        differs=True,
    )
    rules = (conditions.LIVE, conditions.STORES) if as_it_was else (conditions.READY,)
    return Step(
        title=f"Wait until {quoted(host.name)} is back{'' if as_it_was else ', takes VMs'} and has its storage",
        target=target,
        expect=(*((anew,) if rebooted else ()), *(Expect(object=host.id, rule=rule) for rule in rules)),
        limit_seconds=BOOT_SECONDS,
        away_seconds=BOOT_SECONDS,
    )


def on(host: Host, target: PoolTarget) -> Step:
    """The toolstack's plugin may itself wait until the host is live. That it is on shows when it is back."""
    return Step(
        title=f"Switch {quoted(host.name)} on",
        target=target,
        call="host.power_on",
        arguments=(Object(host.id),),
        trace=Trace(object=host.id, operation="power_on"),
        limit_seconds=BOOT_SECONDS,
    )


def come_back(moves: tuple[evacuation.Move, ...]) -> tuple[Return, ...]:
    """The VMs of a host that was emptied, on their way back from where they went."""
    return tuple(Return(move.vm, "pool_migrate", move.target) for move in moves if move.target is not None)


def lists_away(host: Host, notes: Mapping[str, str]) -> dict[str, str]:
    """Take away the list that the run itself has written, and leave those of an earlier one."""
    return {} if maintenance.remembers(host) else dict.fromkeys(set(notes) & set(maintenance.LISTS), "")


def elected(host: Host, inventory: Inventory, verb: str) -> tuple[Finding, ...]:
    """With high availability on, and the coordinator going down: what HA does, and what can be asked instead."""
    if not (host.is_coordinator and inventory.pool.ha_enabled):
        return ()
    again = "on again" if verb == "reboot" else "on again only when the host is back"
    return (
        Finding(
            id="coordinator.elected",
            verdict=Verdict.WARN,
            subject=host.id,
            title=f"{quoted(host.name)} is the coordinator, and high availability is on",
            evidence="when it goes down, HA elects another: minutes without API, and nobody chooses which",
            remedy=f"“host {verb} {spelling(host, inventory)} handover” turns HA off, hands the role over, "
            f"and turns HA {again}.",
        ),
    )


def own_end(host: Host, runs_on: str, inventory: Inventory, *, returns: bool) -> tuple[Finding, ...]:
    """The bot that runs on the very host that goes down. A VM that it runs on moves away with the others."""
    own = closing.own_place(runs_on, inventory)
    if own is None or own[0] != host:
        return ()
    after = "it goes on with this when the host is back" if returns else "nobody is there then to switch it on again"
    return (
        Finding(
            id="host.bot-inside",
            verdict=Verdict.WARN if returns else Verdict.BLOCK,
            subject=host.id,
            title=f"the bot itself runs on {quoted(host.name)}" if returns else "the bot runs elsewhere",
            evidence=f"it runs on {quoted(host.name)}: {after}",
            remedy="" if returns else "Switch it off by hand, or let the bot run elsewhere.",
        ),
    )


def facts(host: Host, inventory: Inventory) -> tuple[tuple[str, str], ...]:
    """What a plan rests on that switches a host off."""
    return (
        (f"{quoted(host.name)} takes VMs", "yes" if host.enabled else "no"),
        ("high availability is", "on" if inventory.pool.ha_enabled else "off"),
        (f"{quoted(host.name)} is the coordinator", "yes" if host.is_coordinator else "no"),
    )
