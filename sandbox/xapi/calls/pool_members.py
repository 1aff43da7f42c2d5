"""Hosts that join a pool and leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi import first_boot, life
from sandbox.xapi.context import Context
from sandbox.xapi.departures import forget_host
from sandbox.xapi.failure import Failure, internal_error
from sandbox.xapi.joining import move_in
from sandbox.xapi.operations import pool_operation, raise_if
from sandbox.xapi.registry import BOTH, READ, call, difference
from sandbox.xapi.rules import join_checks
from sandbox.xapi.rules.join_sides import Sides
from sandbox.xapi.two_pools import both_held

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host

_ASK, _PUSH, _LEAVE = 2.0, 8.0, 10.0
"""Simulated seconds: both sides are looked at; everything is sent over; a member clears up."""
RESTART_DELAY = 10.0
"""From the answer of pool.join to the end of the joiner's toolstack."""
_PAM_DELAY = 2.0

difference(
    "pool.join",
    "An address where nothing answers is JOINING_HOST_CONNECTION_FAILED; names other than a host's own do not resolve.",
    "Of an address without a host only the two codes of the connection are known.",
)
difference(
    "pool.join",
    "All checks are made again when everything has been exchanged.",
    "A VM that starts in between would end up in two pools; what a real host does then was not seen.",
)
difference(
    "pool.join",
    "Certificates, CRLs, UEFI certificates, SSH and console settings are not exchanged.",
    "Nothing here reads them.",
)


@call("pool.join", source=READ)
def join(context: Context, address: str, username: str, password: str) -> None:
    """The pool shows the host, not live, when this ends; ten seconds later the joiner's toolstack restarts."""
    _join(context, address, username, password, force=False)


@call("pool.join_force", source=READ)
def join_force(context: Context, address: str, username: str, password: str) -> None:
    """Software versions and CPUs may differ; nothing else."""
    _join(context, address, username, password, force=True)


def _join(context: Context, address: str, username: str, password: str, force: bool) -> None:
    if context.pool.record.get("restrictions", {}).get("restrict_pooling") == "true":
        raise Failure("LICENCE_RESTRICTION")
    target = _reach(context, address)
    if not target.is_coordinator:
        raise Failure("HOST_IS_SLAVE", target.pool.coordinator.address)
    if (username, password) != (context.estate.username, context.estate.password):
        context.wait(_PAM_DELAY)
        raise Failure("SESSION_AUTHENTICATION_FAILED", username, "Authentication failure")
    context.work(_ASK, 0.0, 0.2)
    with both_held(context, target.pool):
        _check(context, target, force)
    context.work(_PUSH, 0.2, 1.0)
    with both_held(context, target.pool):
        if not target.alive or not target.is_coordinator:
            raise Failure("JOINING_HOST_CONNECTION_FAILED")
        _check(context, target, force)
        move_in(context.pool, target.pool)
    machine = context.host
    context.pool.after(RESTART_DELAY, lambda: life.restart_toolstack(machine))


def _check(context: Context, target: Host, force: bool) -> None:
    if context.host.successor is not None:
        raise Failure("OPERATION_NOT_ALLOWED", "Host is already part of a pool")
    raise_if(join_checks.error(Sides(context.db, target.pool.db), force))


def _reach(context: Context, address: str) -> Host:
    """The live host at that address. Raises Failure JOINING_HOST_CONNECTION_FAILED."""
    for host in context.estate.hosts.values():
        if host.alive and (host.address == address or host.name == address):
            return host
    raise Failure("JOINING_HOST_CONNECTION_FAILED")


@call("pool.eject", source=BOTH)
def eject(context: Context, host: str) -> None:
    """The host reboots into a pool of its own with an empty local disk; what was on the disk is lost."""
    with pool_operation(context, "eject"):
        machine = context.require_live(host)
        if machine.is_coordinator:
            raise internal_error("Xapi_pool.Cannot_eject_master")
        if context.pool.record["ha_enabled"]:
            raise Failure("HA_IS_ENABLED")
        if "apply_updates" in context.pool.record.get("current_operations", {}).values():
            raise Failure("NOT_SUPPORTED_DURING_UPGRADE")
        _no_guests(context, host)
        for pbd in list(context.get("host", host)["PBDs"]):
            _part(context, "PBD.unplug", pbd)
        context.work(_LEAVE)
        machine = context.require_live(host)
        own = first_boot.own_pool(machine)
        _forget_storage(context, host)
        life.leave(machine, own)
        forget_host(context.pool, host)


def _part(context: Context, method: str, ref: str) -> None:
    """A call that shows as a task of its own below this one."""
    child = context.child(method)
    try:
        child.subcall(method, ref)
    finally:
        child.end()


def _no_guests(context: Context, host: str) -> None:
    for vm in context.get("host", host)["resident_VMs"]:
        row = context.get("VM", vm)
        if not row["is_control_domain"] and row["power_state"] != "Halted":
            raise Failure("OPERATION_NOT_ALLOWED", "VM resident on host")


def _forget_storage(context: Context, host: str) -> None:
    """SRs that nobody else is connected to; the VMs whose disks were there stay, without them. The first boot formats
    the host's own disk."""
    for pbd in list(context.get("host", host)["PBDs"]):
        sr = context.db.find("SR", context.db.value("PBD", pbd, "SR"))
        if sr is not None and sr["PBDs"] == [pbd]:
            _part(context, "SR.forget", context.db.value("PBD", pbd, "SR"))
            if first_boot.is_local_disk(sr):
                context.estate.storage.erase(sr["uuid"])
