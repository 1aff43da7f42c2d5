"""Hosts: enabled or not, emptied, what they say about themselves."""

from __future__ import annotations

import threading

from sandbox.xapi import allowed
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.operations import host_operation
from sandbox.xapi.registry import BOTH, READ, RECORDED, call, difference
from sandbox.xapi.rules import evacuation, ha_guard, memory
from sandbox.xapi.rules.ha_plan import Change
from sandbox.xapi.values import NULL

_BATCH = 10
"""VMs that leave a host at once."""

difference(
    "host.call_plugin", "No plugin exists.", "A plugin is a program on the host; XENAPI_MISSING_PLUGIN is its absence."
)


# Enabled


@call("host.disable", source=BOTH)
def disable(context: Context, host: str, _auto_enable: bool = True) -> None:
    """Twice is silent. VMs stay where they are."""
    context.get("host", host)
    ha_guard.check(context.db, Change(disabled=frozenset((host,))))
    target = context.require_live(host)
    if not _auto_enable and context.get("host", host)["enabled"]:
        target.auto_enable = False
    context.db.write("host", host, enabled=False)
    allowed.refresh(context.db, "host", host)


@call("host.enable", source=BOTH)
def enable(context: Context, host: str) -> None:
    with host_operation(context, host, "enable"):
        target = context.require_live(host)
        if target.booting:
            raise Failure("HOST_STILL_BOOTING")
        if context.get("host", host).get("pending_guidances"):
            raise Failure("HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", host)
        target.auto_enable = True
        context.db.write("host", host, enabled=True)
        if context.pool.record["ha_enabled"] and context.pool.record["ha_overcommitted"]:
            ha_guard.refresh(context.pool)
    allowed.refresh(context.db, "host", host)


# Evacuation


@call("host.get_vms_which_prevent_evacuation", source=BOTH)
def get_vms_which_prevent_evacuation(context: Context, host: str) -> dict[str, list[str]]:
    return dict(evacuation.plan(context.db, host).errors)


@call("host.assert_can_evacuate", source=BOTH)
def assert_can_evacuate(context: Context, host: str) -> None:
    errors = evacuation.plan(context.db, host).errors
    if errors:
        raise Failure("CANNOT_EVACUATE_HOST", "|".join(",".join(error) for error in errors.values()))


@call("host.evacuate", source=BOTH)
def evacuate(context: Context, host: str, network: str = NULL, batch_size: int = 0) -> None:
    """Nothing moves when the plan has an error; a later failure leaves some moved. Does not disable the host."""
    context.get("host", host)
    if network != NULL:
        context.get("network", network)
    if batch_size < 0:
        raise Failure("INVALID_VALUE", "evacuate_batch_size", batch_size)
    ha_guard.check(context.db, Change(disabled=frozenset((host,))))
    with host_operation(context, host, "evacuate"):
        plan = evacuation.plan(context.db, host)
        if plan.errors:
            raise Failure(*next(iter(plan.errors.values())))
        moves = list(plan.moves.items())
        step = batch_size or _BATCH
        for start in range(0, len(moves), step):
            _move_batch(context, moves[start : start + step])
            if context.task:
                context.task.write(progress=min(1.0, (start + step) / len(moves)))


def _move_batch(context: Context, moves: list[tuple[str, str]]) -> None:
    """The VMs of a batch travel at the same time, each as a task of its own."""
    pending = {vm: context.child("Async.VM.pool_migrate") for vm, _ in moves}
    failures: list[Failure] = []

    def run(vm: str, target: str) -> None:
        child = pending[vm]
        with context.db.lock:
            try:
                child.subcall("VM.pool_migrate", vm, target, {"live": "true"})
            except Failure as failure:
                failures.append(failure)
            except HostDown:
                return
            finally:
                child.end()
                pending.pop(vm)
                context.db.changed.notify_all()

    for vm, target in moves:
        threading.Thread(target=run, args=(vm, target), daemon=True).start()
    context.estate.time.wait(context.db.changed, 86400, lambda: not pending or context.estate.stopped)
    if context.task is not None:
        context.task.stop_if_cancelled()
    if failures:
        raise failures[0]


# What a host knows about itself


@call("host.compute_free_memory", source=RECORDED)
def compute_free_memory(context: Context, host: str) -> int:
    return memory.free(context.db, host)


@call("host.compute_memory_overhead", source=BOTH)
def compute_memory_overhead(context: Context, host: str) -> int:
    return int(context.get("host", host)["memory_overhead"])


@call("host.has_extension", source=RECORDED)
def has_extension(context: Context, host: str, _name: str) -> bool:
    context.get("host", host)
    return False


@call("host.call_plugin", source=RECORDED)
def call_plugin(context: Context, host: str, plugin: str, _function: str, _args: dict[str, str]) -> None:
    context.require_live(host)
    raise Failure("XENAPI_MISSING_PLUGIN", plugin)


@call("host.list_methods", source=READ)
def list_methods(_context: Context) -> list[str]:
    """Never written in xapi either."""
    raise Failure("NOT_IMPLEMENTED", "list_method")


@call("host.is_in_emergency_mode", source=READ, emergency=True, anywhere=True)
def is_in_emergency_mode(context: Context) -> bool:
    return context.host.in_emergency(context.estate.time.now())


@call("host.get_management_interface", source=READ)
def get_management_interface(context: Context, host: str) -> str:
    for pif in context.get("host", host)["PIFs"]:
        if context.db.value("PIF", pif, "management"):
            return str(pif)
    raise Failure("HOST_HAS_NO_MANAGEMENT_IP")


@call("host.set_power_on_mode", source=READ)
def set_power_on_mode(context: Context, host: str, mode: str, config: dict[str, str]) -> None:
    context.db.write("host", host, power_on_mode=mode, power_on_config=config)
    allowed.refresh(context.db, "host", host)


@call("host.set_hostname_live", source=READ)
def set_hostname_live(context: Context, host: str, name: str) -> None:
    context.require_live(host)
    if not name or len(name) > 63 or not all(c.isalnum() or c in "-." for c in name):
        raise Failure("HOST_NAME_INVALID", "hostname empty or contains a bad character")
    context.db.write("host", host, hostname=name)


@call("host.set_iscsi_iqn", source=READ)
def set_iscsi_iqn(context: Context, host: str, value: str) -> None:
    if not value.strip():
        raise Failure("INVALID_VALUE", "value", value)
    context.db.write("host", host, iscsi_iqn=value)
    context.db.set_key("host", host, "other_config", "iscsi_iqn", value)


@call("host.set_multipathing", source=READ)
def set_multipathing(context: Context, host: str, value: bool) -> None:
    """Keeps the older key of other_config in step; nothing is checked."""
    context.db.write("host", host, multipathing=value)
    context.db.set_key("host", host, "other_config", "multipathing", str(value).lower())
