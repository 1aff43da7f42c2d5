"""HA's overcommit guard, and the figures that it keeps on the pool (xapi's source, August 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.failure import Failure
from sandbox.xapi.rules.ha_plan import ALL, Change, most_failures, plan
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool


def pool_row(db: Database) -> Row:
    return next(iter(db.rows("pool").values()))


def check(db: Database, change: Change = Change(), failures: int | None = None) -> None:  # noqa: B008 - immutable
    """Raises Failure HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN when a full plan exists now and would not after."""
    pool = pool_row(db)
    if not pool["ha_enabled"] or pool["ha_allow_overcommit"]:
        return
    now = pool["ha_plan_exists_for"]
    if plan(db, now) == ALL and plan(db, now if failures is None else failures, change) != ALL:
        raise Failure("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN")


def check_arrival(db: Database, vm: str, host: str) -> None:
    """Before a VM starts, resumes or moves to a host."""
    row = db.get("VM", vm)
    if row["ha_restart_priority"] == "restart" and not row["ha_always_run"]:
        check(db, Change(protected=(vm,)))
    else:
        check(db, Change(arriving=(vm, host)))


def refresh(pool: Pool) -> None:
    """Compute ha_overcommitted and ha_plan_exists_for anew; tell when it got worse. Also done while HA is off."""
    db, row = pool.db, pool.record
    wanted = row["ha_host_failures_to_tolerate"]
    if plan(db, wanted) == ALL:
        db.write("pool", pool.ref, ha_overcommitted=False, ha_plan_exists_for=wanted)
        return
    before, most = row["ha_plan_exists_for"], most_failures(db)
    if before != most:
        db.write("pool", pool.ref, ha_plan_exists_for=min(wanted, most))
        if most < before:
            pool.post("HA_POOL_DROP_IN_PLAN_EXISTS_FOR", 3, "Pool", row["uuid"], str(most))
    if not row["ha_overcommitted"]:
        db.write("pool", pool.ref, ha_overcommitted=True)
        body = (
            f"The failover tolerance for pool '{row['name_label']}' has dropped and the initially specified number of "
            "host failures to tolerate can no longer be guaranteed"
        )
        pool.post("HA_POOL_OVERCOMMITTED", 3, "Pool", row["uuid"], body)
