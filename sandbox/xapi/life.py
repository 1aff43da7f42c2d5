"""Hosts that lose power, shut down, boot, and are missed (xapi's timing, in simulated seconds)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi import allowed, domains, ha, startup
from sandbox.xapi.hosts import BOOT, DECLARED_DEAD

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host
    from sandbox.xapi.pool import Pool

SHUTDOWN_DELAY = 10.0
"""From the answer of host.reboot or host.shutdown to the toolstack's end."""
TOOLSTACK_START = 30.0
"""Until a toolstack that restarts answers again."""


def power_lost(host: Host) -> None:
    """The plug is pulled. Only the pool's silence timer tells, and VMs stay Running until somebody says otherwise."""
    pool = host.pool
    with pool.db.lock:
        if not host.alive:
            host.runs += 1  # what was going to start it again does not
            return
        host.lost_power_at = pool.estate.time.now()
        _stop(host)
        if pool.record["ha_enabled"]:
            ha.host_lost(host)
            return
        if host.is_coordinator:
            return
        mark = host.lost_power_at

        def missed() -> None:
            if not host.alive and host.lost_power_at == mark and pool.coordinator.alive:
                set_live(pool, host.ref, False)

        pool.after(DECLARED_DEAD, missed)


def _stop(host: Host) -> None:
    host.alive = False
    host.runs += 1
    host.local_sessions.clear()
    pool, now = host.pool, host.pool.estate.time.now()
    if host.is_coordinator:
        pool.forget_runtime()
        for other in pool.hosts.values():
            other.coordinator_gone(now)
    pool.db.changed.notify_all()


def set_live(pool: Pool, host: str, live: bool) -> None:
    metrics = pool.db.value("host", host, "metrics")
    if pool.db.find("host_metrics", metrics) is not None:
        pool.db.write("host_metrics", metrics, live=live)
    allowed.refresh(pool.db, "host", host)


def going_down(host: Host, reboot: bool) -> None:
    """host.reboot or host.shutdown was answered: the rest happens by itself."""
    pool = host.pool
    if not host.is_coordinator:
        set_live(pool, host.ref, False)

    def down() -> None:
        for vm in list(pool.db.get("host", host.ref)["resident_VMs"]):
            if not pool.db.value("VM", vm, "is_control_domain"):
                domains.tear_down(pool, vm, "Halted")
        _stop(host)
        if reboot:
            boot_later(host)

    pool.after(SHUTDOWN_DELAY, down)


def boot_later(host: Host) -> None:
    """The machine is off and comes back after the time of a boot, unless its power fails meanwhile."""
    run = host.runs
    host.pool.after(BOOT, lambda: power_back(host) if host.runs == run else None)


def power_back(host: Host) -> None:
    """The host boots: its domains are gone, its PBDs get plugged, and it becomes enabled unless a user said no."""
    host = host.pool.estate.succeed(host)
    pool = host.pool
    with pool.db.lock:
        if host.alive:
            return
        if not host.is_known:  # forgotten by its pool
            host.alive = True
            return
        for vm in list(pool.db.get("host", host.ref)["resident_VMs"]):
            if not pool.db.value("VM", vm, "is_control_domain"):
                domains.tear_down(pool, vm, "Halted", protect=True)
        features = pool.db.value("host", host.ref, "cpu_info").get("features_after_reboot")
        if features:
            pool.db.set_key("host", host.ref, "cpu_info", "features", features)
        _begin(host, ("boot_time", "agent_start_time"))


def restart_as_heir(machine: Host) -> None:
    """The toolstack ends and starts again, as what the machine became. The lock of the pool that it leaves is held."""
    if machine.alive and machine.successor is not None:
        heir = machine.successor
        _stop(machine)
        run = machine.runs
        heir.pool.after(TOOLSTACK_START, lambda: _first_hello(machine, run))


def leave(machine: Host, own: Pool) -> None:
    """The machine's toolstack ends; it boots as the coordinator of `own`. The lock of the pool it leaves is held."""
    heir = own.coordinator
    heir.take_over(machine)
    own.estate.found(own)
    _stop(machine)
    own.estate.succeed(machine)
    boot_later(heir)


def _first_hello(machine: Host, run: int) -> None:
    if machine.runs == run:
        _begin(machine.pool.estate.succeed(machine), ("agent_start_time",))


def _begin(host: Host, times: tuple[str, ...]) -> None:
    """The toolstack answers again: a member says hello to its coordinator."""
    pool = host.pool
    host.alive = True
    now = f"{int(host.clock.unix())}."
    config = {**pool.db.value("host", host.ref, "other_config"), **dict.fromkeys(times, now)}
    pool.db.write("host", host.ref, other_config=config, current_operations={}, enabled=False)
    if host.is_coordinator:
        for other in pool.hosts.values():
            other.coordinator_back(pool.estate.time.now())
    elif not pool.coordinator.alive:
        host.coordinator_gone(pool.estate.time.now())
    set_live(pool, host.ref, True)
    startup.begin(host)
    pool.db.changed.notify_all()


def change_coordinator(pool: Pool, host: str) -> None:
    """Another host leads from now on: all sessions and tasks are gone."""
    pool.forget_runtime()
    fields = {"last_update_sync": "19700101T00:00:00Z"} if "last_update_sync" in pool.record else {}
    pool.db.write("pool", pool.ref, master=host, **fields)
    now = pool.estate.time.now()
    for other in pool.hosts.values():
        if other.ref == host:
            other.lost_coordinator_at = other.found_coordinator_at = None
        else:
            other.coordinator_back(now)
    name = pool.db.value("host", host, "name_label")
    pool.post("POOL_MASTER_TRANSITION", 4, "Host", pool.hosts[host].uuid, f"The pool coordinator is now host '{name}'")
    pool.db.changed.notify_all()
