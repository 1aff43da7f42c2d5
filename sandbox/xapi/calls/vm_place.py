"""VM: where it may run, moving it, and dry runs."""

from __future__ import annotations

from sandbox.xapi import allowed, domains
from sandbox.xapi.calls.vm_power import at_home, describe
from sandbox.xapi.context import Context
from sandbox.xapi.operations import both_there, raise_if, reserved, vm_operation
from sandbox.xapi.registry import BOTH, READ, RECORDED, call
from sandbox.xapi.rules import cpu, ha_guard, licence, versions
from sandbox.xapi.rules.placement import agility_error, boot_error, possible_hosts
from sandbox.xapi.rules.vm_operations import VmOperations

_MIGRATE_FIXED, _MIGRATE_PER_GIB = 3.0, 4.0
"""Simulated seconds of a live migration, and per GiB of memory."""
_GIB = 1 << 30


@call("VM.pool_migrate", source=BOTH)
def pool_migrate(context: Context, vm: str, host: str, options: dict[str, str]) -> None:
    """In xapi's order: CPUs; the operation; versions; boot-here checks without the CPU; HA; the licence; then the move.

    To the host that it is on already: success, with the message, and nothing moves.
    """
    force = options.get("force") == "true"
    context.get("VM", vm)
    context.get("host", host)
    if not force:
        raise_if(cpu.incompatibility(context.db, vm, host))
    source = context.get("VM", vm)["resident_on"]
    with vm_operation(context, vm, "pool_migrate", strict=not force):
        versions.require_not_older(context.db, host, source)
        raise_if(boot_error(context.db, vm, host, cpu_check=False))
        ha_guard.check_arrival(context.db, vm, host)
        with reserved(context, vm, host, "vm_migrate"):
            licence.require(context.db, "Xen_motion")
            origin = context.pool.hosts[at_home(context, vm)]
            target = context.require_live(host)
            if source != host:
                size = context.get("VM", vm)["memory_dynamic_max"] / _GIB
                context.work(_MIGRATE_FIXED + _MIGRATE_PER_GIB * size, alive=lambda: origin.alive and target.alive)
                both_there(origin, target)
            domains.move(context.pool, vm, host)
    announce_move(context, vm, source, host)


def announce_move(context: Context, vm: str, source: str, host: str) -> None:
    def named(ref: str) -> str:
        row = context.get("host", ref)
        return f"'{row['name_label']}' (uuid: {row['uuid']})"

    body = f"{describe(context, vm)} migrated from host {named(source)} to host {named(host)}"
    context.announce("VM_MIGRATED", 5, "VM", context.get("VM", vm)["uuid"], body)


@call("VM.assert_can_boot_here", source=BOTH)
def assert_can_boot_here(context: Context, vm: str, host: str) -> None:
    raise_if(boot_error(context.db, vm, host))


@call("VM.get_possible_hosts", source=BOTH)
def get_possible_hosts(context: Context, vm: str) -> list[str]:
    context.get("VM", vm)
    return possible_hosts(context.db, vm)


@call("VM.assert_agile", source=BOTH)
def assert_agile(context: Context, vm: str) -> None:
    raise_if(agility_error(context.db, vm))


@call("VM.assert_operation_valid", source=READ)
def assert_operation_valid(context: Context, vm: str, op: str) -> None:
    raise_if(VmOperations(context.db, vm).error(op, strict=True))


@call("VM.update_allowed_operations", source=READ)
def update_allowed_operations(context: Context, vm: str) -> None:
    context.get("VM", vm)
    allowed.refresh(context.db, "VM", vm)


@call("VM.retrieve_wlb_recommendations", source=READ)
def retrieve_wlb_recommendations(context: Context, vm: str) -> dict[str, list[str]]:
    """Without Workload Balancing: for each host, that the VM could boot there, or why not."""
    out = {}
    for host in context.db.rows("host"):
        error = boot_error(context.db, vm, host)
        out[host] = error if error else ["WLB", "0.0", ""]
    return out


def _allowed_devices(context: Context, vm: str, devices: str, field: str, count: int) -> list[str]:
    cls = "VBD" if devices == "VBDs" else "VIF"
    used = {context.db.value(cls, ref, field) for ref in context.get("VM", vm)[devices]}
    return [str(number) for number in range(count) if str(number) not in used]


@call("VM.get_allowed_VBD_devices", source=RECORDED)
def get_allowed_vbd_devices(context: Context, vm: str) -> list[str]:
    return _allowed_devices(context, vm, "VBDs", "userdevice", vbd_positions(context))


def vbd_positions(context: Context) -> int:
    """255 disks today, 16 up to 6.5."""
    return 255 if context.model.at_least("dundee") else 16


@call("VM.get_allowed_VIF_devices", source=RECORDED)
def get_allowed_vif_devices(context: Context, vm: str) -> list[str]:
    return _allowed_devices(context, vm, "VIFs", "device", 16 if context.model.at_least("1.250.0") else 7)
