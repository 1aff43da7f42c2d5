"""VDI: moving one disk to another SR of the pool."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.xapi.calls.vm_migrate import move_within
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import raise_if, vdi_operation, vm_operation
from sandbox.xapi.registry import READ, call
from sandbox.xapi.rules import storage_motion
from sandbox.xapi.rules.placement import boot_error, plugged_srs
from sandbox.xapi.rules.storage_motion import Journey
from sandbox.xapi.values import Row


@call("VDI.pool_migrate", source=READ)
def pool_migrate(context: Context, vdi: str, sr: str, options: Row) -> str:
    """The disk on its new SR: another VDI with the same properties, in the place of the old one, which is gone.

    The VM keeps running on its host where that can see the SR.
    """
    row = context.get("VDI", vdi)
    context.get("SR", sr)
    if not row["VBDs"]:
        raise Failure("VDI_NEEDS_VM_FOR_MIGRATE", vdi)
    vm = context.db.value("VBD", row["VBDs"][0], "VM")
    with vm_operation(context, vm, "migrate_send"):
        state = context.get("VM", vm)
        running = state["power_state"] in ("Running", "Paused")
        home = state["resident_on"] if running else _host(context, vm, {sr}, options.get("force") != "true")
        context.require_live(home)
        with vdi_operation(context, vdi, "mirror"):
            _check(context, vdi)
            others = (d for d in storage_motion.disks_of(context.db, vm) if d != vdi)
            disks = {vdi: sr, **{d: context.db.value("VDI", d, "SR") for d in others}}
            host = home if set(disks.values()) <= plugged_srs(context.db, home) else _host(context, vm, disks.values())
            journey = Journey(context.db, vm, context.db, host, disks, {})
            raise_if(storage_motion.error(journey))
            return move_within(context, journey, running=running).get(vdi, vdi)


def _check(context: Context, vdi: str) -> None:
    row = context.get("VDI", vdi)
    if row["type"] == "cbt_metadata":
        raise Failure("VDI_INCOMPATIBLE_TYPE", vdi, row["type"])
    if row.get("cbt_enabled"):
        raise Failure("VDI_CBT_ENABLED", vdi)
    if row["on_boot"] == "reset":
        raise Failure("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", vdi)


def _host(context: Context, vm: str, srs: Iterable[str], cpu_check: bool = True) -> str:
    """A host that could run the VM and sees those SRs. Raises Failure NO_HOSTS_AVAILABLE."""
    wanted = set(srs)
    for host in context.db.rows("host"):
        sees = wanted <= plugged_srs(context.db, host)
        if sees and boot_error(context.db, vm, host, cpu_check=cpu_check, storage_check=len(wanted) == 1) is None:
            return host
    raise Failure("NO_HOSTS_AVAILABLE")
