"""High availability in plans: how many failures can be tolerated, and setting that number."""

from __future__ import annotations

from bot.inventory import Inventory
from bot.model import Expect, Object, PoolTarget, Step, Value
from bot.ports import PoolView
from bot.rules import ha
from bot.rules.check import Check
from bot.text import plural


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


def tolerate(failures: int, inventory: Inventory) -> Step:
    """Set the failures to tolerate; undone by setting the number that was."""
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

    return setting(failures, (setting(was),))
