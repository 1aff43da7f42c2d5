"""VM: setters that check, or that change more than their field."""

from __future__ import annotations

from typing import Any

from sandbox.xapi import allowed, domains, free_memory
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, ocaml_failure
from sandbox.xapi.operations import raise_if, vm_operation
from sandbox.xapi.registry import BOTH, READ, call
from sandbox.xapi.rules import ha_guard, memory
from sandbox.xapi.rules.ha_plan import Change, is_protected
from sandbox.xapi.rules.placement import crash_action_error
from sandbox.xapi.values import NULL

_VCPU_RULE = "VCPU values must satisfy: 0 < VCPUs_at_startup ≤ VCPUs_max"


def is_dom0(context: Context, vm: str) -> bool:
    row = context.get("VM", vm)
    host = context.db.find("host", row["resident_on"])
    return bool(row["is_control_domain"]) and host is not None and host.get("control_domain", vm) == vm


# Memory


@call("VM.compute_memory_overhead", source=READ)
def compute_memory_overhead(context: Context, vm: str) -> int:
    row = context.get("VM", vm)
    return memory.overhead(row, memory.configured_type(row))


@call("VM.set_memory_limits", source=BOTH)
def set_memory_limits(
    context: Context, vm: str, static_min: int, static_max: int, dynamic_min: int, dynamic_max: int
) -> None:
    with vm_operation(context, vm, "changing_memory_limits"):
        _set_limits(context, vm, static_min, dynamic_min, dynamic_max, static_max)


def _set_limits(
    context: Context, vm: str, static_min: int, dynamic_min: int, dynamic_max: int, static_max: int
) -> None:
    memory.check_limits(static_min, dynamic_min, dynamic_max, static_max)
    row = context.get("VM", vm)
    if is_protected(row):
        ha_guard.check(context.db, Change(protected=(vm,)))
    context.db.write(
        "VM",
        vm,
        memory_static_min=static_min,
        memory_dynamic_min=dynamic_min,
        memory_dynamic_max=dynamic_max,
        memory_static_max=static_max,
    )
    domains.refresh_overhead(context.db, vm)
    if row["is_control_domain"] and row["power_state"] == "Running":
        context.db.write("VM", vm, requires_reboot=True)


@call("VM.set_memory", source=READ)
def set_memory(context: Context, vm: str, value: int) -> None:
    static_min = context.get("VM", vm)["memory_static_min"]
    set_memory_limits(context, vm, static_min, value, value, value)


@call("VM.set_memory_static_range", source=READ)
def set_memory_static_range(context: Context, vm: str, static_min: int, static_max: int) -> None:
    row = context.get("VM", vm)
    with vm_operation(context, vm, "changing_static_range"):
        _set_limits(context, vm, static_min, row["memory_dynamic_min"], row["memory_dynamic_max"], static_max)


@call("VM.set_memory_static_max", source=BOTH)
def set_memory_static_max(context: Context, vm: str, value: int) -> None:
    set_memory_static_range(context, vm, context.get("VM", vm)["memory_static_min"], value)


@call("VM.set_memory_static_min", source=READ)
def set_memory_static_min(context: Context, vm: str, value: int) -> None:
    set_memory_static_range(context, vm, value, context.get("VM", vm)["memory_static_max"])


@call("VM.set_memory_dynamic_range", source=READ)
def set_memory_dynamic_range(context: Context, vm: str, dynamic_min: int, dynamic_max: int) -> None:
    """On a running VM the host must have the memory."""
    with vm_operation(context, vm, "changing_dynamic_range"):
        row = context.get("VM", vm)
        if row["power_state"] == "Running":
            more = dynamic_min - row["memory_dynamic_min"]
            free = memory.free(context.db, row["resident_on"])
            if more > free:
                raise Failure("HOST_NOT_ENOUGH_FREE_MEMORY", more // 1024, free // 1024)
        _set_limits(context, vm, row["memory_static_min"], dynamic_min, dynamic_max, row["memory_static_max"])
        if row["power_state"] == "Running":
            context.db.write("VM", vm, memory_target=dynamic_max)
            free_memory.follow(context.pool, row["resident_on"])


@call("VM.set_memory_dynamic_max", source=READ)
def set_memory_dynamic_max(context: Context, vm: str, value: int) -> None:
    set_memory_dynamic_range(context, vm, context.get("VM", vm)["memory_dynamic_min"], value)


@call("VM.set_memory_dynamic_min", source=READ)
def set_memory_dynamic_min(context: Context, vm: str, value: int) -> None:
    set_memory_dynamic_range(context, vm, value, context.get("VM", vm)["memory_dynamic_max"])


@call("VM.maximise_memory", source=BOTH)
def maximise_memory(context: Context, vm: str, total: int, approximate: bool) -> int:
    """The largest static_max in whole MiB with which the VM takes at most `total` bytes."""
    row, kind = context.get("VM", vm), memory.configured_type(context.get("VM", vm))
    vcpus = 64 if approximate else row["VCPUs_max"]
    low, high = 0, total // memory.MIB
    while low < high:
        middle = (low + high + 1) // 2
        static_max = middle * memory.MIB
        if static_max + memory.overhead(row, kind, static_max, vcpus) <= total:
            low = middle
        else:
            high = middle - 1
    return low * memory.MIB


# Processors


@call("VM.set_VCPUs_max", source=BOTH)
def set_vcpus_max(context: Context, vm: str, value: int) -> None:
    with vm_operation(context, vm, "changing_VCPUs"):
        if is_dom0(context, vm):
            raise ocaml_failure("set_VCPUs_max is not allowed on dom0")
        if value < 1 or value < context.get("VM", vm)["VCPUs_at_startup"]:
            raise Failure("INVALID_VALUE", _VCPU_RULE, value)
        context.db.write("VM", vm, VCPUs_max=value)
        domains.refresh_overhead(context.db, vm)


@call("VM.set_VCPUs_at_startup", source=READ)
def set_vcpus_at_startup(context: Context, vm: str, value: int) -> None:
    with vm_operation(context, vm, "changing_VCPUs"):
        if is_dom0(context, vm):
            raise Failure("OPERATION_NOT_ALLOWED", "set_VCPUs_at_startup is not allowed on dom0")
        if value < 1 or value > context.get("VM", vm)["VCPUs_max"]:
            raise Failure("INVALID_VALUE", _VCPU_RULE, value)
        context.db.write("VM", vm, VCPUs_at_startup=value)
        domains.refresh_overhead(context.db, vm)


@call("VM.set_VCPUs_number_live", source=READ)
def set_vcpus_number_live(context: Context, vm: str, number: int) -> None:
    with vm_operation(context, vm, "changing_VCPUs_live"):
        row = context.get("VM", vm)
        if number < 1 or number > row["VCPUs_max"]:
            raise Failure("INVALID_VALUE", _VCPU_RULE, number)
        context.db.write("VM_metrics", row["metrics"], VCPUs_number=number)
        context.db.write("VM", vm, VCPUs_at_startup=number)


@call("VM.set_HVM_shadow_multiplier", source=BOTH)
def set_shadow_multiplier(context: Context, vm: str, value: float) -> None:
    with vm_operation(context, vm, "changing_shadow_memory"):
        if value < 1.0:
            raise Failure("INVALID_VALUE", "multiplier", f"{value:.12g}")
        context.db.write("VM", vm, HVM_shadow_multiplier=value)
        domains.refresh_overhead(context.db, vm)


# Order, protection and the rest


def _not_negative(field: str) -> None:
    @call(f"VM.set_{field}", source=BOTH)
    def setter(context: Context, vm: str, value: int) -> None:
        if value < 0:
            raise Failure("INVALID_VALUE", f"{field} must be non-negative", value)
        context.db.write("VM", vm, **{field: value})


for _field in ("order", "start_delay", "shutdown_delay"):
    _not_negative(_field)


@call("VM.set_ha_restart_priority", source=BOTH)
def set_ha_restart_priority(context: Context, vm: str, value: str) -> None:
    """The pool's figures are refreshed before the new priority is written, and not at all when it is taken away."""
    if value not in ("restart", "best-effort", ""):
        raise Failure("INVALID_VALUE", "ha_restart_priority", value)
    row = context.get("VM", vm)
    if value == "restart" != row["ha_restart_priority"]:
        if row["power_state"] != "Halted":
            ha_guard.check(context.db, Change(protected=(vm,)))
        if context.pool.record["ha_enabled"]:
            ha_guard.refresh(context.pool)
    if value != row["ha_restart_priority"]:
        context.db.write("VM", vm, ha_restart_priority=value)
        if row["power_state"] == "Running":
            context.db.write("VM", vm, ha_always_run=value == "restart")


@call("VM.set_ha_always_run", source=BOTH)
def set_ha_always_run(context: Context, vm: str, value: bool) -> None:
    """Deprecated: only writes the priority."""
    set_ha_restart_priority(context, vm, "restart" if value else "")


@call("VM.set_actions_after_crash", source=BOTH)
def set_actions_after_crash(context: Context, vm: str, value: str) -> None:
    raise_if(crash_action_error(context.db, context.get("VM", vm), value))
    context.db.write("VM", vm, actions_after_crash=value)


def _plain_enum(field: str) -> None:
    @call(f"VM.set_{field}", source=READ)
    def setter(context: Context, vm: str, value: Any) -> None:
        context.db.write("VM", vm, **{field: value})
        allowed.refresh(context.db, "VM", vm)


for _field in ("domain_type", "has_vendor_device", "bios_strings", "appliance", "groups", "suspend_VDI"):
    _plain_enum(_field)


@call("VM.set_HVM_boot_policy", source=READ)
def set_boot_policy(context: Context, vm: str, value: str) -> None:
    """Deprecated: an empty policy means PV."""
    kind = "hvm" if value else "pv"
    context.db.write("VM", vm, HVM_boot_policy=value, domain_type=kind)


def _refreshing(name: str) -> None:
    """Setters of fields that allowed_operations look at."""

    @call(f"VM.set_{name}", source=BOTH)
    def setter(context: Context, vm: str, value: Any) -> None:
        context.db.write("VM", vm, **{name: value})
        allowed.refresh(context.db, "VM", vm)


for _field in ("blocked_operations", "platform", "other_config"):
    _refreshing(_field)


@call("VM.set_is_a_template", source=READ)
def set_is_a_template(context: Context, vm: str, value: bool) -> None:
    if not value:
        row = context.get("VM", vm)
        if context.db.find("VM_metrics", row["metrics"]) is not None:
            context.db.write("VM_metrics", row["metrics"], install_time=context.now())
        context.db.write("VM", vm, is_a_template=False)
        allowed.refresh(context.db, "VM", vm)
        return
    with vm_operation(context, vm, "make_into_template"):
        row = context.get("VM", vm)
        if context.pool.record["ha_enabled"] and is_protected(row):
            raise Failure("VM_IS_PROTECTED", vm)
        if context.db.find("VM_metrics", row["metrics"]) is not None:
            context.db.destroy("VM_metrics", row["metrics"])
        context.db.write("VM", vm, ha_always_run=False, groups=[], metrics=NULL, is_a_template=True)
