"""A pool whose coordinator is gone: a survivor leads with its copy of the database, and others are pointed to it.

Until the old coordinator is told, it leads the pool as it knew it: there are two, each with a database of its own, as
with the real toolstack. Source: xapi (August 2026).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi import life
from sandbox.xapi.pool import Pool
from sandbox.xapi.registry import difference
from sandbox.xapi.world import PoolWorld

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host

FUSE = 10.0
"""Simulated seconds from the answer to the toolstack's restart."""

difference(
    "pool.emergency_transition_to_master",
    "The survivor's copy of the database is as new as the coordinator's was at its last moment.",
    "A real copy may be older, by up to a day where nobody asked for pool.sync_database.",
)
difference(
    "pool.emergency_transition_to_master",
    "A lab that is saved while two hosts lead one pool comes back with the newer of the two.",
    "A world says which hosts a pool has, not which of two pools a machine is in.",
)


def take_over(survivor: Host) -> None:
    """The survivor's toolstack starts anew as the coordinator of a copy of its pool. The pool's lock is held."""
    if not survivor.alive or survivor.is_coordinator or survivor.successor is not None:
        return
    estate, old = survivor.pool.estate, survivor.pool
    pool = Pool(estate, _copy(old))
    pool.guest_tools, pool.measured = dict(old.guest_tools), set(old.measured)
    for host in pool.hosts.values():
        host.alive, host.clock = False, estate.hosts[host.uuid].clock
    heir = pool.hosts[survivor.ref]
    heir.take_over(survivor)
    life.restart_toolstack(survivor)
    with pool.db.lock:
        pool.change_coordinator(survivor.ref)
    estate.found(pool, survivor)


def _copy(pool: Pool) -> PoolWorld:
    """The pool's world without anything under way: tasks end with their coordinator."""
    world = pool.world()
    for rows in world.objects.values():
        for row in rows.values():
            if "current_operations" in row:
                row["current_operations"] = {}
    return world


def place_in(pool: Pool, machine: Host) -> Host | None:
    """The member of the pool that the machine is, or can be again; None when the pool has no record of it."""
    return next((host for host in pool.hosts.values() if host.uuid == machine.uuid), None)


def follow(machine: Host, pool: Pool) -> bool:
    """Tell a live machine that this pool's coordinator is its own; it restarts as a member. Says whether the pool
    knows it."""
    host = place_in(pool, machine)
    if host is None:
        return False
    if host is machine:
        machine.lost_coordinator_at = machine.found_coordinator_at = None
        return True
    host.take_over(machine)
    machine.pool.after(FUSE, lambda: life.restart_toolstack(machine))
    return True
