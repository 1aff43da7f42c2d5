"""VM: start, stop, pause, suspend and their kin."""

from __future__ import annotations

from sandbox.xapi import disks, domains
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.operations import devices_marked, raise_if, reserved, vm_operation
from sandbox.xapi.registry import BOTH, READ, call
from sandbox.xapi.rules import ha_guard, versions
from sandbox.xapi.rules.placement import boot_error, choose_host, is_live
from sandbox.xapi.values import NULL

# Simulated seconds that the work takes.
_START, _CLEAN_SHUTDOWN, _HARD_SHUTDOWN, _REBOOT, _PAUSE = 5.0, 6.0, 1.0, 10.0, 0.3
_START_CANCEL_POINTS = 6
_SUSPEND_FIXED, _SUSPEND_PER_GIB = 2.0, 4.0
_GIB = 1 << 30
_CANCELLED_BY_HARD = (
    "clean_shutdown", "clean_reboot", "hard_reboot", "pool_migrate", "call_plugin", "shutdown", "suspend",
)  # fmt: skip


def describe(context: Context, vm: str) -> str:
    row = context.get("VM", vm)
    return f"VM '{row['name_label']}' (uuid: {row['uuid']})"


def on_host(context: Context, host: str) -> str:
    row = context.get("host", host)
    return f"{row['name_label']} (uuid: {row['uuid']})"


def tell(context: Context, vm: str, name: str, text: str) -> None:
    """The VM's message with priority 5."""
    context.announce(name, 5, "VM", context.get("VM", vm)["uuid"], f"{describe(context, vm)} {text}")


def at_home(context: Context, vm: str) -> str:
    """The live host that runs the VM. Raises Failure as forwarding to it does."""
    host = str(context.get("VM", vm)["resident_on"])
    context.require_live(host)
    return host


def _work_at(context: Context, host: str, seconds: float) -> None:
    """Take so long on the host. Raises Failure when it goes down meanwhile: the coordinator has passed the call on to
    it, and loses it; the database stays as it is.
    """
    there = context.pool.hosts[host]
    run = there.runs
    context.work(seconds, alive=lambda: there.runs == run)
    if there.runs != run:
        raise Failure("CANNOT_CONTACT_HOST", host)


def _boot(context: Context, vm: str, host: str, start_paused: bool, op: str, seconds: float) -> None:
    ha_guard.check_arrival(context.db, vm, host)
    with reserved(context, vm, host, op):
        context.require_live(host)
        _work_at(context, host, seconds)
        if context.task is not None and op == "vm_start":
            context.task.count_cancel_points(_START_CANCEL_POINTS)
        domains.build(context.pool, vm, host, paused=start_paused, fresh=op == "vm_start")


@call("VM.start", source=BOTH)
def start(context: Context, vm: str, start_paused: bool, _force: bool) -> None:
    with vm_operation(context, vm, "start"), devices_marked(context, vm):
        domains.prepare(context.db, vm)
        host = choose_host(context.db, vm)
        _boot(context, vm, host, start_paused, "vm_start", _START)
    tell(context, vm, "VM_STARTED", f"started on host: {on_host(context, host)}")


@call("VM.start_on", source=BOTH)
def start_on(context: Context, vm: str, host: str, start_paused: bool, _force: bool) -> None:
    row = context.get("VM", vm)
    context.get("host", host)
    versions.require_newest(context.db, host)
    if row["is_control_domain"] and row["affinity"] not in (NULL, host):
        text = "Cannot boot a control domain on a host different from its affinity"
        raise Failure("OPERATION_NOT_ALLOWED", text)
    if "evacuate" in context.get("host", host)["current_operations"].values():
        raise Failure("HOST_EVACUATE_IN_PROGRESS", host)
    with vm_operation(context, vm, "start_on"), devices_marked(context, vm):
        domains.prepare(context.db, vm)
        raise_if(boot_error(context.db, vm, host, cpu_check=False))
        _boot(context, vm, host, start_paused, "vm_start", _START)
    delay = context.get("VM", vm).get("start_delay", 0)
    context.wait(delay)
    tell(context, vm, "VM_STARTED", f"started on host: {on_host(context, host)}")


@call("VM.pause", source=BOTH)
def pause(context: Context, vm: str) -> None:
    with vm_operation(context, vm, "pause"):
        _work_at(context, at_home(context, vm), _PAUSE)
        context.db.write("VM", vm, power_state="Paused")
    tell(context, vm, "VM_PAUSED", "paused")


@call("VM.unpause", source=BOTH)
def unpause(context: Context, vm: str) -> None:
    with vm_operation(context, vm, "unpause"):
        _work_at(context, at_home(context, vm), _PAUSE)
        context.db.write("VM", vm, power_state="Running")
    tell(context, vm, "VM_UNPAUSED", "unpaused")


@call("VM.clean_shutdown", source=BOTH)
def clean_shutdown(context: Context, vm: str) -> None:
    with vm_operation(context, vm, "clean_shutdown"):
        _work_at(context, at_home(context, vm), _CLEAN_SHUTDOWN)
        domains.tear_down(context.pool, vm, "Halted")
    tell(context, vm, "VM_SHUTDOWN", "shutdown")


@call("VM.shutdown", source=BOTH)
def shutdown(context: Context, vm: str) -> None:
    """Cleanly if the guest can, else by force; a suspended VM loses its image."""
    with vm_operation(context, vm, "shutdown"):
        if context.get("VM", vm)["power_state"] == "Suspended":
            _drop_image(context, vm)
        else:
            _work_at(context, at_home(context, vm), _CLEAN_SHUTDOWN)
        domains.tear_down(context.pool, vm, "Halted")
    tell(context, vm, "VM_SHUTDOWN", "shutdown")


@call("VM.hard_shutdown", source=BOTH)
def hard_shutdown(context: Context, vm: str) -> None:
    with vm_operation(context, vm, "hard_shutdown"):
        cancel_others(context, vm, _CANCELLED_BY_HARD)
        state = context.get("VM", vm)["power_state"]
        if state == "Suspended":
            _drop_image(context, vm)
        elif state != "Halted":
            _work_at(context, at_home(context, vm), _HARD_SHUTDOWN)
        domains.tear_down(context.pool, vm, "Halted")
    tell(context, vm, "VM_SHUTDOWN", "shutdown forcibly")


def cancel_others(context: Context, vm: str, operations: tuple[str, ...]) -> None:
    """Ask the tasks of those operations to stop, and wait for their end."""
    tasks = [task for task, op in context.get("VM", vm)["current_operations"].items() if op in operations]
    for task in tasks:
        if context.db.find("task", task) is not None:
            context.subcall("task.cancel", task)
    context.wait(3600, lambda: not set(tasks) & set(context.get("VM", vm)["current_operations"]))


@call("VM.clean_reboot", source=BOTH)
def clean_reboot(context: Context, vm: str) -> None:
    with vm_operation(context, vm, "clean_reboot"):
        _reboot(context, vm)
    tell(context, vm, "VM_REBOOTED", "rebooted cleanly")


@call("VM.hard_reboot", source=BOTH)
def hard_reboot(context: Context, vm: str) -> None:
    with vm_operation(context, vm, "hard_reboot"):
        cancel_others(context, vm, ("clean_shutdown", "clean_reboot", "pool_migrate", "call_plugin", "suspend"))
        _reboot(context, vm)
    tell(context, vm, "VM_REBOOTED", "rebooted forcibly")


def _reboot(context: Context, vm: str) -> None:
    """ha_always_run is left as it is: only a start sets it."""
    host, always_run = at_home(context, vm), context.get("VM", vm)["ha_always_run"]
    _work_at(context, host, _REBOOT)
    domains.build(context.pool, vm, host, paused=False, fresh=True)
    context.db.write("VM", vm, ha_always_run=always_run)


@call("VM.suspend", source=BOTH)
def suspend(context: Context, vm: str) -> None:
    with vm_operation(context, vm, "suspend"):
        host = at_home(context, vm)
        sr = domains.suspend_sr(context.pool, vm)
        if sr is None:
            raise Failure("VM_NO_SUSPEND_SR", vm)
        row = context.get("VM", vm)
        _work_at(context, host, _SUSPEND_FIXED + _SUSPEND_PER_GIB * row["memory_dynamic_max"] / _GIB)
        size = row["memory_dynamic_max"]
        kind = {"SR": sr, "name_label": "Suspend image", "type": "suspend", "virtual_size": size}
        image = disks.make(context, kind, used=size)
        context.db.write("VM", vm, suspend_VDI=image)
        domains.tear_down(context.pool, vm, "Suspended")
    tell(context, vm, "VM_SUSPENDED", "suspended")


def _drop_image(context: Context, vm: str) -> None:
    image = context.get("VM", vm)["suspend_VDI"]
    if context.db.find("VDI", image) is not None:
        disks.remove(context, image)
    context.db.write("VM", vm, suspend_VDI=NULL)


@call("VM.resume", source=BOTH)
def resume(context: Context, vm: str, start_paused: bool, _force: bool) -> None:
    with vm_operation(context, vm, "resume"), devices_marked(context, vm, vifs=False):
        host = choose_host(context.db, vm)
        _resume(context, vm, host, start_paused)
    tell(context, vm, "VM_RESUMED", f"resumed on host: {on_host(context, host)}")


@call("VM.resume_on", source=READ)
def resume_on(context: Context, vm: str, host: str, start_paused: bool, force: bool) -> None:
    context.get("host", host)
    versions.require_newest(context.db, host)
    with vm_operation(context, vm, "resume_on"), devices_marked(context, vm, vifs=False):
        raise_if(boot_error(context.db, vm, host, cpu_check=not force))
        _resume(context, vm, host, start_paused)
    tell(context, vm, "VM_RESUMED", f"resumed on host: {on_host(context, host)}")


def _resume(context: Context, vm: str, host: str, start_paused: bool) -> None:
    seconds = _SUSPEND_FIXED + _SUSPEND_PER_GIB * context.get("VM", vm)["memory_dynamic_max"] / _GIB
    _boot(context, vm, host, start_paused, "vm_resume", seconds)
    _drop_image(context, vm)


@call("VM.power_state_reset", source=READ)
def power_state_reset(context: Context, vm: str) -> None:
    """Only for a VM whose host does not answer."""
    row = context.get("VM", vm)
    if row["is_control_domain"]:
        raise Failure("CANNOT_RESET_CONTROL_DOMAIN", vm)
    host = row["resident_on"]
    if row["power_state"] in ("Running", "Paused") and context.db.find("host", host) is not None:
        if host == context.pool.coordinator_ref:
            raise Failure("DOMAIN_EXISTS", vm)
        if is_live(context.db, host) and context.pool.hosts[host].answers:
            raise Failure("HOST_IS_LIVE", host)
    context.db.write("VM", vm, current_operations={})
    domains.tear_down(context.pool, vm, "Halted", protect=True)
