"""High availability in plans: turning it on and off, how many failures can be tolerated, and setting that number."""

from __future__ import annotations

from bot.errors import Refused
from bot.inventory import SR, Host, Inventory
from bot.lookup import spelling
from bot.model import (
    Expect,
    Finding,
    Object,
    ObjectId,
    Objects,
    PoolTarget,
    Step,
    Suggestion,
    Trace,
    Value,
    Verdict,
)
from bot.planning.common import line
from bot.ports import Context, PoolView
from bot.rules import ha, heartbeat
from bot.rules.check import Check
from bot.text import joined, plural, quoted

LIMIT_SECONDS = 1800
"""Turning it on takes one to three minutes, as a rule, each host in turn. Turning it off takes less; but when a host
cannot be reached, the toolstack tries again for ever.
"""


def turn_on(srs: tuple[SR, ...], inventory: Inventory) -> Step:
    """With the heartbeat on the first of these; without any the toolstack picks one that qualifies. It is configured as
    it was the last time.
    """
    where = f", with its heartbeat on {quoted(srs[0].name)}" if srs else ""
    return Step(
        title=f"Turn high availability on{where}",
        target=PoolTarget(inventory.pool.uuid),
        call="pool.enable_ha",
        arguments=(Objects(tuple(sr.id for sr in srs[:1])), Value(heartbeat.configuration(inventory))),
        trace=Trace(object=inventory.pool.id, operation="ha_enable"),
        expect=(Expect(object=inventory.pool.id, field="ha_enabled", equals=Value(True)),),
        limit_seconds=LIMIT_SECONDS,
    )


def turn_off(inventory: Inventory, *, undo: tuple[Step, ...] = ()) -> Step:
    """Where the heartbeat was, the priorities and the number to tolerate are kept for the next time."""
    return Step(
        title="Turn high availability off",
        target=PoolTarget(inventory.pool.uuid),
        call="pool.disable_ha",
        arguments=(),
        trace=Trace(object=inventory.pool.id, operation="ha_disable"),
        expect=(Expect(object=inventory.pool.id, field="ha_enabled", equals=Value(False)),),
        limit_seconds=LIMIT_SECONDS,
        undo=undo,
    )


def paused(inventory: Inventory) -> tuple[Step, Step]:
    """High availability off, and on again with the same storage: what is forbidden while it is on is done in between.
    If that fails, it is turned on again. The number of failures to tolerate is kept by the pool itself.
    """
    again = turn_on(heartbeat.in_use(inventory), inventory)
    return turn_off(inventory, undo=(again,)), again


def unprotected(id: str, subject: ObjectId | None, inventory: Inventory, remedy: str) -> Finding:
    """That it is paused, in a plan that does so by itself. `id` is the finding's."""
    losing = joined((vm.name for vm in ha.protected(inventory)), limit=6) or "no VM"
    return Finding(
        id=id,
        verdict=Verdict.WARN,
        subject=subject,
        title="high availability is turned off meanwhile, and on again afterwards",
        evidence=f"for some minutes nothing restarts {losing} when a host fails",
        remedy=remedy,
    )


def on_again(inventory: Inventory, context: Context) -> tuple[Suggestion, ...]:
    """What is offered where a run that pauses it fails half-way: it may have stayed off."""
    if not inventory.pool.ha_enabled:
        return ()
    return (Suggestion("Turn HA on", line(enabling_line(inventory), context)),)


PAUSED = "High availability is off meanwhile: nothing restarts the VMs of a host that fails."
"""What it means to pause it, for people."""


def wants_pause(host: Host, asked: bool, inventory: Inventory) -> bool:
    """Is high availability to be turned off for a while, so that the coordinator can hand its role over?

    :raises Refused: it was asked for, and there is nothing to turn off or hand over.
    """
    if not asked:
        return False
    if not host.is_coordinator:
        raise Refused(f"{quoted(host.name)} is not the coordinator, so it has no role to hand over.")
    if not inventory.pool.ha_enabled:
        raise Refused(
            "High availability is off, so the coordinator hands its role over anyway.",
            remedy="Ask for it without “handover”.",
        )
    return True


def enabling_line(inventory: Inventory) -> str:
    """The command that turns it on again as it is now: same storage, same number."""
    srs, tolerated = heartbeat.in_use(inventory), inventory.pool.number("ha_host_failures_to_tolerate")
    return f"ha enable{f' on {spelling(srs[0], inventory)}' if srs else ''} tolerate {tolerated}"


def most_failures(pool: PoolView, inventory: Inventory) -> int:
    """How many hosts may fail at most, by the toolstack's own planner; with HA off, of what would be protected."""
    if inventory.pool.ha_enabled:
        return int(pool.ask("pool.ha_compute_max_host_failures_to_tolerate"))
    wanted = Value({vm.ref: ha.RESTART for vm in ha.reckoned(inventory)})
    return int(pool.ask("pool.ha_compute_hypothetical_max_host_failures_to_tolerate", wanted))


def possible(failures: int, most: int, inventory: Inventory) -> Check:
    """Can the pool tolerate so many failures? With a plan that exists now, the toolstack refuses to make it impossible;
    else it would take any number, and be overcommitted.
    """
    reason = ha.why_no_plan(ha.situation(inventory, only=ha.reckoned(inventory)), failures, inventory)
    pool = inventory.pool
    refuses = pool.ha_enabled and pool.number("ha_plan_exists_for") > 0 and not pool.flag("ha_allow_overcommit")
    return Check(
        "ha.possible",
        "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN" if refuses else "",
        failures <= most,
        f"{plural(failures, 'host failure')} can be tolerated",
        f"at most {most}{f': {reason}' if reason else ''}" if failures > most else "",
        f"Tolerate {most}, free memory, or protect fewer VMs; “ha status” says more.",
    )


def tolerate(failures: int, inventory: Inventory, *, undone: bool = True) -> Step:
    """Set the failures to tolerate; undone by setting the number that is set now."""
    pool, was = inventory.pool, inventory.pool.number("ha_host_failures_to_tolerate")

    def setting(number: int, undo: tuple[Step, ...] = ()) -> Step:
        return Step(
            title=f"Set the failures to tolerate to {number}",
            target=PoolTarget(pool.uuid),
            call="pool.set_ha_host_failures_to_tolerate",
            arguments=(Object(pool.id), Value(number)),
            expect=(Expect(object=pool.id, field="ha_host_failures_to_tolerate", equals=Value(number)),),
            limit_seconds=600,
            undo=undo,
        )

    return setting(failures, (setting(was),) if undone else ())
