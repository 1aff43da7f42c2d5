"""Holding an object while something is done to it: `current_operations`, and the wait behind another's.

An operation that is refused only because another one runs is not refused: it waits in the server, and all checks are
made anew when the other ends (xapi 26.9 as recorded).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from sandbox.xapi import allowed
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.hosts import Host
from sandbox.xapi.rules import Error
from sandbox.xapi.rules.device_operations import vbd_verdicts, vif_verdicts
from sandbox.xapi.rules.host_operations import host_verdicts, pool_verdicts
from sandbox.xapi.rules.storage_operations import VdiOperations, sr_verdicts
from sandbox.xapi.rules.vm_operations import VmOperations

_PATIENCE = 7200.0
_DEVICE_PATIENCE = 120.0
"""Seconds of the lab's time until OTHER_OPERATION_IN_PROGRESS is given after all."""


def both_there(source: Host, target: Host) -> None:
    """Raises Failure when a host went down under a migration between the two. The coordinator loses the source, to
    which it has passed the call on; the source loses the target, and says so in its own words (xapi's
    transform_xenops_exn; which error of the stream it is depends on the moment).
    """
    if not source.alive:
        raise Failure("CANNOT_CONTACT_HOST", source.ref)
    if not target.alive:
        raise Failure("INTERNAL_ERROR", "xenopsd internal error: End_of_file")


def raise_if(error: Error | None) -> None:
    """Raises Failure with the error, if there is one."""
    if error:
        raise Failure(*error)


def insist(context: Context, check: Callable[[], Error | None], patience: float = _PATIENCE) -> None:
    """Wait behind other operations until `check` has nothing against it. Raises Failure with any other reason."""
    if context.task is not None:
        context.task.cancellable()
        context.task.stop_if_cancelled()
    deadline = context.estate.time.now() + patience
    while True:
        error = check()
        if error is None:
            return
        left = deadline - context.estate.time.now()
        if error[0] != "OTHER_OPERATION_IN_PROGRESS" or left <= 0:
            raise Failure(*error)
        generation = context.db.generation
        context.wait(left, lambda seen=generation: context.db.generation != seen)  # type: ignore[misc]  # a lambda with a default


@contextmanager
def _held(context: Context, cls: str, ref: str, op: str, refresh: Callable[[], None]) -> Iterator[None]:
    key = context.task_ref
    if "current_operations" in context.get(cls, ref):
        context.db.set_key(cls, ref, "current_operations", key, op)
    refresh()
    try:
        yield
    finally:
        if context.db.find(cls, ref) is not None and "current_operations" in context.get(cls, ref):
            context.db.drop_key(cls, ref, "current_operations", key)
            refresh()


@contextmanager
def vm_operation(context: Context, vm: str, op: str, strict: bool = True) -> Iterator[None]:
    """Raises Failure with the first check that fails, after waiting behind other operations on the VM."""
    insist(context, lambda: VmOperations(context.db, vm).error(op, strict))
    with _held(context, "VM", vm, op, lambda: allowed.refresh_vm(context.db, vm)):
        yield


@contextmanager
def host_operation(context: Context, host: str, op: str) -> Iterator[None]:
    insist(context, lambda: host_verdicts(context.db, host).get(op))
    with _held(context, "host", host, op, lambda: allowed.refresh(context.db, "host", host)):
        yield


@contextmanager
def pool_operation(context: Context, op: str) -> Iterator[None]:
    pool = context.pool.ref
    if context.pool.record.get("is_psr_pending"):
        raise Failure("POOL_SECRET_ROTATION_PENDING")
    insist(context, lambda: pool_verdicts(context.db, pool).get(op))
    with _held(context, "pool", pool, op, lambda: allowed.refresh(context.db, "pool", pool)):
        yield


@contextmanager
def sr_operation(context: Context, sr: str, op: str) -> Iterator[None]:
    insist(context, lambda: sr_verdicts(context.db, sr).get(op))
    with _held(context, "SR", sr, op, lambda: allowed.refresh(context.db, "SR", sr)):
        yield


@contextmanager
def vdi_operation(context: Context, vdi: str, op: str) -> Iterator[None]:
    insist(context, lambda: VdiOperations(context.db, vdi).error(op))
    with _held(context, "VDI", vdi, op, lambda: allowed.refresh(context.db, "VDI", vdi)):
        yield


@contextmanager
def device_operation(context: Context, cls: str, ref: str, op: str) -> Iterator[None]:
    """For one VBD or VIF. An empty drive has nothing to share."""

    def check() -> Error | None:
        verdicts = vbd_verdicts(context.db, ref, sharing=True) if cls == "VBD" else vif_verdicts(context.db, ref)
        return verdicts.get(op)

    insist(context, check, _DEVICE_PATIENCE)
    with _held(context, cls, ref, op, lambda: allowed.refresh(context.db, cls, ref)):
        yield


@contextmanager
def devices_marked(context: Context, vm: str, vifs: bool = True) -> Iterator[None]:
    """All VBDs (and VIFs) of a VM held for attaching, so that nobody takes a disk meanwhile."""
    with ExitStack() as stack:
        for vbd in list(context.get("VM", vm)["VBDs"]):
            stack.enter_context(device_operation(context, "VBD", vbd, "attach"))
        for vif in list(context.get("VM", vm)["VIFs"]) if vifs else ():
            stack.enter_context(device_operation(context, "VIF", vif, "attach"))
        yield


@contextmanager
def reserved(context: Context, vm: str, host: str, op: str) -> Iterator[None]:
    """Memory set aside on `host` for a VM that is coming, and the host marked with `op`."""
    context.db.write("VM", vm, scheduled_to_be_resident_on=host)
    try:
        with _held(context, "host", host, op, lambda: allowed.refresh(context.db, "host", host)):
            yield
    finally:
        if context.db.find("VM", vm) is not None:
            context.db.write("VM", vm, scheduled_to_be_resident_on="OpaqueRef:NULL")
