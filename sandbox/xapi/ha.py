"""What HA does by itself: it notices dead hosts, elects a coordinator, and restarts protected VMs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi import dispatch_internal, domains
from sandbox.xapi.failure import Failure
from sandbox.xapi.rules import ha_guard, ha_plan
from sandbox.xapi.rules.ha_plan import is_protected

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host
    from sandbox.xapi.pool import Pool
    from sandbox.xapi.values import Row

_RETRY = 120.0
"""A VM whose restart failed is not tried again sooner."""


def timeout(pool: Pool) -> float:
    """Seconds from the last heartbeat to the fence."""
    record = pool.record
    text = record["ha_configuration"].get("timeout", record["other_config"].get("default_ha_timeout", "60"))
    return float(text) if text.isdigit() else 60.0


def host_lost(host: Host) -> None:
    """A host stopped answering while HA is on: after the timeout the survivors act."""
    pool, mark = host.pool, host.lost_power_at

    def act() -> None:
        if host.alive or host.lost_power_at != mark or not pool.record["ha_enabled"]:
            return
        survivors = [h for h in pool.hosts.values() if h.alive]
        if not survivors:
            return
        if host.is_coordinator:
            pool.change_coordinator(min(survivors, key=lambda h: h.uuid).ref)
        declare_failed(pool, host)

    pool.after(timeout(pool), act)


def host_left(host: Host) -> None:
    """A host went down as it was told to: that is no failure, and nothing is restarted. If it led, a survivor leads
    after the timeout.
    """
    pool, run = host.pool, host.runs

    def act() -> None:
        if host.alive or host.runs != run or not host.is_coordinator or not pool.record["ha_enabled"]:
            return
        survivors = [h for h in pool.hosts.values() if h.alive]
        if survivors:
            pool.change_coordinator(min(survivors, key=lambda h: h.uuid).ref)
            pool.set_live(host.ref, False)

    pool.after(timeout(pool), act)


def declare_failed(pool: Pool, host: Host) -> None:
    """live=false, enabled as it was; every VM of it Halted in one pass; then the restarts."""
    pool.set_live(host.ref, False)
    pool.post("HA_HOST_FAILED", 3, "Host", host.uuid, f"Server '{host.name}' has failed")
    lost = [v for v in pool.db.get("host", host.ref)["resident_VMs"] if not pool.db.value("VM", v, "is_control_domain")]
    for vm in lost:
        pool.db.write("VM", vm, current_operations={})
        domains.tear_down(pool, vm, "Halted", protect=True)
    ha_guard.refresh(pool)
    restart(pool, also=[v for v in lost if pool.db.value("VM", v, "ha_restart_priority") == "best-effort"])


def _order(row: Row) -> tuple[bool, int]:
    """Ascending, 0 first; negative numbers last."""
    return (row.get("order", 0) < 0, row.get("order", 0))


def restart(pool: Pool, also: list[str]) -> None:
    """Start what is protected and not running, by order; then the others that were there."""
    if not pool.record["ha_enabled"] or pool.estate.time.now() < pool.no_restarts_before:
        if pool.record["ha_enabled"]:
            pool.after(20.0, lambda: restart(pool, also))
        return
    waiting = [r for r, vm in pool.db.rows("VM").items() if is_protected(vm) and vm["power_state"] == "Halted"]
    places = _planned(pool, waiting)
    for vm in [*sorted(waiting, key=lambda v: _order(pool.db.get("VM", v))), *also]:
        pool.in_background(lambda vm=vm: _start(pool, vm, places.get(vm)))  # type: ignore[misc]  # a lambda with a default


def _planned(pool: Pool, waiting: list[str]) -> dict[str, str]:
    """Where the planner puts the agile ones; nowhere in particular without a place for each."""
    agile = [vm for vm in waiting if not ha_plan.is_rigid(pool.db, vm)]
    places = ha_plan.where_to(pool.db, [], sorted(agile, key=lambda vm: pool.db.value("VM", vm, "uuid")))
    planned = {vm: host for vm, host in places.items() if host is not None}
    return planned if len(planned) == len(places) else {}


def _start(pool: Pool, vm: str, host: str | None) -> None:
    try:
        if host is None:
            dispatch_internal.run(pool, "VM.start", vm, False, True)
        else:
            dispatch_internal.run(pool, "VM.start_on", vm, host, False, True)
    except Failure:
        if pool.db.find("VM", vm) is None or not is_protected(pool.db.get("VM", vm)):
            return
        if vm not in pool.restart_failed:
            pool.restart_failed.add(vm)
            pool.post("HA_PROTECTED_VM_RESTART_FAILED", 2, "VM", pool.db.value("VM", vm, "uuid"), "")
        pool.after(_RETRY, lambda: restart(pool, []))
    else:
        pool.restart_failed.discard(vm)
