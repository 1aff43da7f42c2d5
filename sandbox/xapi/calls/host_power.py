"""Hosts: going down, coming up, and being given up."""

from __future__ import annotations

from sandbox.xapi import allowed, life
from sandbox.xapi.context import Context
from sandbox.xapi.departures import forget_host
from sandbox.xapi.failure import Failure, ocaml_failure
from sandbox.xapi.operations import host_operation
from sandbox.xapi.registry import BOTH, READ, call, difference
from sandbox.xapi.rules.ha_statefile import reaches_statefiles
from sandbox.xapi.rules.placement import is_live

_POWER_ON_PATIENCE = 600.0


difference(
    "host.reboot",
    "VMs that are still there are halted when the host goes down; nothing tries to move them or asks their guests.",
    "Clients are told to evacuate first; the outcome for a VM that could not move is the same.",
)
difference(
    "host.reboot",
    "A host has lost HA's statefile where the statefile's storage is not plugged.",
    "There is no HA daemon that reads and writes it; a real host may lose it while its storage looks plugged.",
)


def _down(context: Context, host: str, reboot: bool) -> None:
    """The call's own operation is over when it is answered. What stays shows as shutdown, for both, under a task of
    its own."""
    with host_operation(context, host, "reboot" if reboot else "shutdown"):
        target = context.require_live(host)
        if context.pool.record["ha_enabled"] and not reaches_statefiles(context.db, host):
            raise Failure("HA_LOST_STATEFILE")
        label = "Host is rebooting" if reboot else "Host is shutting down"
        task = context.child(label).task_ref
        context.db.set_key("host", host, "current_operations", task, "shutdown")
        life.going_down(target, reboot)


@call("host.reboot", source=BOTH)
def reboot(context: Context, host: str) -> None:
    """Does not look at resident VMs: they are shut down with it."""
    _down(context, host, reboot=True)


@call("host.shutdown", source=READ)
def shutdown(context: Context, host: str) -> None:
    _down(context, host, reboot=False)


@call("host.power_on", source=READ)
def power_on(context: Context, host: str) -> None:
    """Ends when the host is live, or after ten minutes."""
    with host_operation(context, host, "power_on"):
        life.boot_later(context.pool.hosts[host])
        if not context.wait(_POWER_ON_PATIENCE, lambda: is_live(context.db, host)):
            raise ocaml_failure("The host failed to power on.")


@call("host.restart_agent", source=READ)
def restart_agent(context: Context, host: str) -> None:
    """After a second the toolstack ends, and starts again; of the coordinator, every session and task is gone."""
    target = context.require_live(host)
    context.pool.after(1.0, lambda: life.restart_toolstack(target))


def _given_up(context: Context, host: str, what: str) -> None:
    """The host must be dead, really."""
    context.get("host", host)
    if host == context.pool.coordinator_ref or context.pool.hosts[host].answers:
        raise Failure("HOST_IS_LIVE", host)
    if what == "destroy" and context.pool.record["ha_enabled"]:
        raise Failure("HA_IS_ENABLED")


def _user_vms(context: Context, host: str) -> list[str]:
    return [v for v in context.get("host", host)["resident_VMs"] if not context.db.value("VM", v, "is_control_domain")]


@call("host.declare_dead", source=READ)
def declare_dead(context: Context, host: str) -> None:
    _given_up(context, host, "declare_dead")
    context.pool.set_live(host, False)
    for vm in _user_vms(context, host):
        context.subcall("VM.power_state_reset", vm)
    context.db.write("host", host, enabled=False)
    allowed.refresh(context.db, "host", host)


@call("host.destroy", source=BOTH)
def destroy(context: Context, host: str) -> None:
    """Takes the record, its PBDs, PIFs and control domains away."""
    _given_up(context, host, "destroy")
    if _user_vms(context, host):
        raise Failure("HOST_HAS_RESIDENT_VMS", host)
    forget_host(context.pool, host)


@call("host.management_reconfigure", source=READ, only="the refusals, and to the interface that it is")
def management_reconfigure(context: Context, pif: str) -> None:
    """Only to where it is already."""
    row = context.get("PIF", pif)
    if context.pool.record["ha_enabled"]:
        raise Failure("HA_IS_ENABLED")
    if row["ip_configuration_mode"] == "None":
        raise Failure("PIF_HAS_NO_NETWORK_CONFIGURATION", pif)
    if not row["management"]:
        raise Failure("NOT_IMPLEMENTED", context.method)
