"""Hosts that lose power, shut down, boot, restart their toolstack, and are missed (xapi's timing, in simulated
seconds)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.xapi import domains, ha, startup
from sandbox.xapi.hosts import BOOT, DECLARED_DEAD

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host
    from sandbox.xapi.pool import Pool

SHUTDOWN_DELAY = 10.0
"""From the answer of host.reboot or host.shutdown to the toolstack's end."""
TOOLSTACK_START = 30.0
"""Until a toolstack that restarts answers again."""
_BOOTED, _STARTED = ("boot_time", "agent_start_time"), ("agent_start_time",)
"""What host.other_config notes of a boot, and of a toolstack's start."""


def power_lost(host: Host) -> None:
    """The plug is pulled. Only the pool's silence timer tells, and VMs stay Running until somebody says otherwise."""
    pool = host.pool
    with pool.db.lock:
        if not host.powered:
            host.runs += 1  # what was going to boot it again does not
            return
        host.powered = False
        host.lost_power_at = pool.estate.time.now()
        _stop(host)
        if pool.record["ha_enabled"]:
            ha.host_lost(host)
        elif not host.is_coordinator:
            miss_later(host)


def miss_later(host: Host) -> None:
    """Without HA, its pool shows a host that stays silent as not live after ten minutes."""
    pool, run = host.pool, host.runs

    def missed() -> None:
        if not host.alive and host.runs == run and pool.coordinator.alive and host.is_known:
            pool.set_live(host.ref, False)

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


def going_down(host: Host, reboot: bool) -> None:
    """host.reboot or host.shutdown was answered: the rest happens by itself."""
    pool = host.pool
    if not host.is_coordinator:
        pool.set_live(host.ref, False)

    def down() -> None:
        if not host.powered:
            return
        for vm in list(pool.db.get("host", host.ref)["resident_VMs"]):
            if not pool.db.value("VM", vm, "is_control_domain"):
                domains.tear_down(pool, vm, "Halted")
        host.powered, host.went_down_cleanly = False, True
        _stop(host)
        if pool.record["ha_enabled"]:
            ha.host_left(host)
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
        if host.powered:
            return
        host.powered = True
        if host.is_known:
            _domains_gone(host, lambda _: False)
            _mask(host)
        _begin(host, _BOOTED)


def _mask(host: Host) -> None:
    """Up to 6.5: what host.set_cpu_features asked for takes effect at the boot."""
    features = host.pool.db.value("host", host.ref, "cpu_info").get("features_after_reboot")
    if features:
        host.pool.db.set_key("host", host.ref, "cpu_info", "features", features)


def _domains_gone(host: Host, runs: Callable[[str], bool]) -> None:
    """VMs that the pool's database still has on the host, though they do not run there, are halted."""
    pool = host.pool
    for vm in list(pool.db.get("host", host.ref)["resident_VMs"]):
        if not pool.db.value("VM", vm, "is_control_domain") and not runs(vm):
            domains.tear_down(pool, vm, "Halted", protect=True)


def restart_toolstack(host: Host) -> None:
    """The toolstack ends and starts again; VMs run on. As another, if the machine became a member of another pool or
    the coordinator of its own. The lock of the host's pool is held."""
    if host.alive:
        _stop(host)
        run, heir = host.runs, host.successor or host
        heir.pool.after(TOOLSTACK_START, lambda: _started(host) if host.runs == run else None)


def _started(machine: Host) -> None:
    host = machine.pool.estate.succeed(machine)
    if host is not machine and host.is_known:
        _domains_gone(host, lambda vm: _runs_on(machine, vm))
    _begin(host, _STARTED)


def _runs_on(machine: Host, vm: str) -> bool:
    """Does the VM run on the machine, as its pool until now knows it? Members of one pool share references."""
    row = machine.pool.db.find("VM", vm)
    return row is not None and row["resident_on"] == machine.ref


def leave(machine: Host, own: Pool) -> None:
    """The machine's toolstack ends; it boots as the coordinator of `own`. The lock of the pool it leaves is held."""
    heir = own.coordinator
    heir.take_over(machine)
    machine.powered = False
    heir.went_down_cleanly = True
    _stop(machine)
    own.estate.found(own, machine)
    boot_later(heir)


def _begin(host: Host, times: tuple[str, ...]) -> None:
    """The toolstack answers again: a member says hello to its coordinator. One whose pool has forgotten it stays in
    emergency mode."""
    pool = host.pool
    host.alive = True
    if not host.is_known:
        return
    now = f"{int(host.clock.unix())}."
    config = {**pool.db.value("host", host.ref, "other_config"), **dict.fromkeys(times, now)}
    pool.db.write("host", host.ref, other_config=config, current_operations={}, enabled=False)
    if host.is_coordinator:
        for other in pool.hosts.values():
            other.coordinator_back(pool.estate.time.now())
            if not other.alive and not pool.record["ha_enabled"]:
                miss_later(other)
    elif not pool.coordinator.alive:
        host.coordinator_gone(pool.estate.time.now())
    pool.set_live(host.ref, True)
    startup.begin(host, booted="boot_time" in times)
    pool.db.changed.notify_all()


def hand_over(pool: Pool, host: str) -> None:
    """The role goes to a live member: both toolstacks start anew, and every member knows whom to follow."""
    old, new = pool.coordinator, pool.hosts[host]
    if not old.alive or not new.alive:
        return
    restart_toolstack(old)
    pool.change_coordinator(host)
    restart_toolstack(new)
    for other in pool.hosts.values():
        other.lost_coordinator_at = other.found_coordinator_at = None
