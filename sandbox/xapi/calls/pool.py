"""Pools: settings, HA's planner, and what a survivor does when the coordinator is gone."""

from __future__ import annotations

from sandbox.xapi import life
from sandbox.xapi.context import Context
from sandbox.xapi.emergency import FUSE, follow, take_over
from sandbox.xapi.failure import Failure, internal_error
from sandbox.xapi.operations import pool_operation
from sandbox.xapi.registry import BOTH, READ, RECORDED, call, difference
from sandbox.xapi.rules import ha_guard, ha_plan
from sandbox.xapi.values import EPOCH, Time

_HANDOVER = 15.0


@call("pool.sync_database", source=RECORDED)
def sync_database(_context: Context) -> None:
    """The members' copies of the database are the coordinator's own here, so they are always in step."""


@call("pool.test_archive_target", source=RECORDED)
def archive_target(_context: Context, *_args: object) -> None:
    raise Failure("MESSAGE_REMOVED")


@call("pool.is_slave", source=READ, emergency=True, anywhere=True)
def is_slave(context: Context, _host: str) -> bool:
    return not context.host.is_coordinator


@call("pool.has_extension", source=READ)
def has_extension(context: Context, pool: str, _name: str) -> bool:
    context.get("pool", pool)
    return False


@call("pool.create_VLAN", source=RECORDED, only="an unknown network is refused as in xapi")
def create_vlan(context: Context, _device: str, network: str, _vlan: int) -> None:
    context.get("network", network)
    raise Failure("NOT_IMPLEMENTED", context.method)


# HA's planner


@call("pool.set_ha_host_failures_to_tolerate", source=BOTH)
def set_failures_to_tolerate(context: Context, pool: str, value: int) -> None:
    """Also without HA the plan is computed and told."""
    if value < 0:
        raise Failure("INVALID_VALUE", "ha_host_failures_to_tolerate", value)
    if context.get("pool", pool)["ha_plan_exists_for"] > 0:
        ha_guard.check(context.db, failures=value)
    context.db.write("pool", pool, ha_host_failures_to_tolerate=value)
    ha_guard.refresh(context.pool)


@call("pool.ha_compute_max_host_failures_to_tolerate", source=BOTH)
def compute_most_failures(context: Context) -> int:
    most = ha_plan.most_failures(context.db)
    pool = context.pool.record
    if pool["ha_enabled"]:
        wanted = pool["ha_host_failures_to_tolerate"]
        context.db.write("pool", context.pool.ref, ha_overcommitted=wanted > most, ha_plan_exists_for=min(wanted, most))
    return most


@call("pool.ha_compute_hypothetical_max_host_failures_to_tolerate", source=BOTH)
def compute_hypothetical(context: Context, configuration: dict[str, str]) -> int:
    for priority in configuration.values():
        if priority not in ("restart", "best-effort", ""):
            raise Failure("INVALID_VALUE", "ha_restart_priority", priority)
    for vm in configuration:
        context.get("VM", vm)
    return ha_plan.most_failures(context.db, [vm for vm, p in configuration.items() if p == "restart"])


@call("pool.ha_failover_plan_exists", source=BOTH)
def failover_plan_exists(context: Context, failures: int) -> bool:
    return ha_plan.plan(context.db, failures) == ha_plan.ALL


@call("pool.ha_compute_vm_failover_plan", source=BOTH)
def compute_failover_plan(
    context: Context, failed_hosts: list[str], failed_vms: list[str]
) -> dict[str, dict[str, str]]:
    """By memory alone: a VM whose disk is local gets a host too."""
    for host in failed_hosts:
        context.get("host", host)
    for vm in failed_vms:
        context.get("VM", vm)
    places = ha_plan.where_to(context.db, failed_hosts, failed_vms)
    return {
        vm: {"host": host} if host else {"error_code": "HOST_NOT_ENOUGH_FREE_MEMORY"} for vm, host in places.items()
    }


@call("pool.ha_prevent_restarts_for", source=RECORDED)
def prevent_restarts_for(context: Context, seconds: int) -> None:
    context.pool.no_restarts_before = context.estate.time.now() + seconds


# Who leads


difference(
    "pool.designate_new_master",
    "Another member that does not answer is told as INTERNAL_ERROR with one text.",
    "The host that is to lead passes on how its own connection failed, in words that were not seen.",
)


@call("pool.designate_new_master", source=READ)
def designate_new_master(context: Context, host: str) -> None:
    """Ten seconds later both toolstacks start anew: for half a minute nobody leads, and every session is gone."""
    context.get("host", host)
    with pool_operation(context, "designate_new_master"):
        if host == context.pool.coordinator_ref:
            return
        context.require_live(host)
        if context.pool.record["ha_enabled"]:
            raise Failure("HA_IS_ENABLED")
        if "last_update_sync" in context.pool.record:
            context.db.write("pool", context.pool.ref, last_update_sync=Time(EPOCH))
        if not all(context.pool.hosts[ref].alive for ref in context.db.rows("host")):
            raise internal_error('Unix.Unix_error(Unix.ECONNREFUSED, "connect", "")')
        context.work(_HANDOVER)
    context.pool.after(FUSE, lambda: life.hand_over(context.pool, host))


@call("pool.emergency_transition_to_master", source=READ, emergency=True, anywhere=True)
def emergency_transition(context: Context) -> None:
    """On a survivor: ten seconds later it starts anew as the coordinator, with its copy of the database."""
    if context.host.is_coordinator:
        return
    if context.pool.record["ha_enabled"]:
        raise Failure("HA_IS_ENABLED")
    host = context.host
    context.pool.after(FUSE, lambda: take_over(host))


@call(
    "pool.emergency_reset_master",
    source=READ,
    emergency=True,
    anywhere=True,
    only="to a coordinator that answers and knows the host",
)
def emergency_reset(context: Context, address: str) -> None:
    """The host follows the coordinator at that address from now on; also one that led a pool itself."""
    if context.pool.record["ha_enabled"]:
        raise Failure("HA_IS_ENABLED")
    there = next((h for h in context.estate.hosts.values() if address in (h.address, h.name)), None)
    leads = there is not None and there is not context.host and there.alive and there.is_coordinator
    if there is None or not leads or not follow(context.host, there.pool):
        raise Failure("NOT_IMPLEMENTED", context.method)


@call("pool.recover_slaves", source=READ)
def recover_slaves(context: Context) -> list[str]:
    """The members that could be told of their coordinator; who was not reached is left out."""
    out, uuid = [], context.pool.record["uuid"]
    for ref, host in context.pool.hosts.items():
        machine = context.estate.hosts[host.uuid]
        ours = machine.pool.record["uuid"] == uuid
        if machine is not context.host and machine.alive and ours and follow(machine, context.pool):
            out.append(ref)
    return out
