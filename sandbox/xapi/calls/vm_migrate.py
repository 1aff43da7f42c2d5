"""VM: moving it together with its disks, within the pool or to another one of the lab."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace

from sandbox.xapi import allowed, domains, moving_out
from sandbox.xapi.calls.vm_place import announce_move
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, internal_error
from sandbox.xapi.operations import both_there, raise_if, reserved, vm_operation
from sandbox.xapi.registry import READ, call
from sandbox.xapi.rules import ha_guard, storage_motion
from sandbox.xapi.rules.placement import choose_host, plugged_srs
from sandbox.xapi.rules.storage_motion import Journey, disks_of
from sandbox.xapi.storage_motion import both, copied, slot, take_over
from sandbox.xapi.values import Row

_MEMORY_PER_GIB = 4.0
_GIB = 1 << 30
_SERVICES = ("SM", "xenops")
_NO_COPY = (
    "Copy mode is disallowed on intra pool storage migration, try efficient alternatives, for example, VM.copy/clone."
)


@call("host.migrate_receive", source=READ)
def migrate_receive(context: Context, host: str, network: str, _options: Row) -> dict[str, str]:
    """Where a VM may be sent: a map that `VM.migrate_send` takes, with a session of its own."""
    raise_if(storage_motion.unlicensed(context.db))
    context.get("host", host)
    pifs = [p for p in context.get("network", network)["PIFs"] if context.db.value("PIF", p, "host") == host]
    if not pifs:
        raise Failure("HOST_CANNOT_ATTACH_NETWORK", host, network)
    pif = context.get("PIF", pifs[0])
    if not pif["IP"]:
        none = pif["ip_configuration_mode"] == "None"
        raise Failure("PIF_HAS_NO_NETWORK_CONFIGURATION" if none else "INTERFACE_HAS_NO_IP", pifs[0])
    mine = context.db.find("session", context.session) or {}
    session = context.db.create("session", {**mine, "this_host": host, "last_active": context.now()})
    urls = {name: f"http://{pif['IP']}/services/{name}?session_id={session}" for name in _SERVICES}
    master = f"http://{context.pool.coordinator.address}"
    return {**urls, "host": host, "session_id": session, "master": master}


@dataclass(frozen=True)
class Request:
    """What a caller of migrate_send and assert_can_migrate asked for."""

    journey: Journey
    there: Context
    """A context of the destination's pool."""

    @property
    def host(self) -> str:
        return self.journey.host


def request(context: Context, vm: str, dest: Row, disks: Row, networks: Row, options: Row) -> Request:
    """Raises Failure SESSION_INVALID for a session that the destination does not know, CANNOT_CONTACT_HOST for a
    host that no pool of the lab has, INTERNAL_ERROR for a map that `host.migrate_receive` did not make."""
    context.get("VM", vm)
    if not {"host", "session_id", "master", *_SERVICES} <= dest.keys():
        raise internal_error("Not_found")
    pool = next((p for p in context.estate.pools if dest["host"] in p.hosts), None)
    if pool is None or not pool.coordinator.alive:
        raise Failure("CANNOT_CONTACT_HOST", dest["master"].removeprefix("http://"))
    if pool.db.find("session", dest["session_id"]) is None:
        raise Failure("SESSION_INVALID", dest["session_id"])
    there = context
    if pool is not context.pool:
        there = replace(context, pool=pool, host=pool.coordinator, session=dest["session_id"], task=None)
    flags = {name: options.get(name) == "true" for name in ("force", "copy")}
    flags["reached"] = pool.hosts[dest["host"]].alive
    return Request(Journey(context.db, vm, pool.db, dest["host"], disks, networks, **flags), there)


def _check(context: Context, asked: Request, gpus: Row) -> None:
    with both(context, asked.there):
        raise_if(storage_motion.error(asked.journey))
    if gpus or context.get("VM", asked.journey.vm).get("VGPUs"):
        raise Failure("NOT_IMPLEMENTED", context.method)


@call("VM.assert_can_migrate", source=READ, only="VMs without vGPUs")
def assert_can_migrate(
    context: Context,
    vm: str,
    dest: Row,
    _live: bool,
    vdi_map: Row,
    vif_map: Row,
    options: Row,
    vgpu_map: Row | None = None,
) -> None:
    _check(context, request(context, vm, dest, vdi_map, vif_map, options), vgpu_map or {})


@call("VM.migrate_send", source=READ, only="VMs without vGPUs; no change of a disk's format")
def migrate_send(
    context: Context,
    vm: str,
    dest: Row,
    _live: bool,
    vdi_map: Row,
    vif_map: Row,
    options: Row,
    vgpu_map: Row | None = None,
    vdi_format_map: Row | None = None,
) -> str:
    """The VM at its destination: its own reference within the pool, a new one in another."""
    asked = request(context, vm, dest, vdi_map, vif_map, options)
    source = context.get("VM", vm)["resident_on"]
    with vm_operation(context, vm, "migrate_send"):
        _check(context, asked, vgpu_map or {})
        if vdi_format_map:
            raise Failure("NOT_IMPLEMENTED", context.method)
        _check_sending(context, asked)
        running = context.get("VM", vm)["power_state"] in ("Running", "Paused")
        if not asked.journey.stays:
            sender = _sender(context, vm, running, anywhere=True)
            return moving_out.send(context, asked.journey, asked.there, sender)
        move_within(context, asked.journey, running=running)
    if running:
        announce_move(context, vm, source, asked.host)
    return vm


def _sender(context: Context, vm: str, running: bool, *, anywhere: bool = False) -> str:
    """The host that sends. With `anywhere`, for a VM that could start on none, any that has its storage."""
    if running:
        return str(context.get("VM", vm)["resident_on"])
    try:
        return choose_host(context.db, vm)
    except Failure:
        needed = {context.db.value("VDI", vdi, "SR") for vdi in disks_of(context.db, vm)}
        seeing = [
            host
            for host, row in context.db.rows("host").items()
            if row["enabled"] and needed <= plugged_srs(context.db, host) and context.pool.hosts[host].alive
        ]
        if not anywhere or not seeing:
            raise
        return seeing[0]


def _check_sending(context: Context, asked: Request) -> None:
    """What migrate_send asks for besides assert_can_migrate."""
    journey = asked.journey
    if journey.copy and journey.stays:
        raise Failure("OPERATION_NOT_ALLOWED", _NO_COPY)
    for vdi in disks_of(context.db, journey.vm):
        if context.db.value("VDI", vdi, "on_boot") == "reset":
            raise Failure("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", vdi)


def move_within(context: Context, journey: Journey, *, running: bool) -> dict[str, str]:
    """Within the pool; the VM's operation is held. Returns old disk → new disk for those that moved."""
    vm, host = journey.vm, journey.host
    source = _sender(context, vm, running)
    with ExitStack() as stack:
        if running and host != source:
            ha_guard.check_arrival(context.db, vm, host)
        stack.enter_context(reserved(context, vm, host, "vm_migrate") if running else nullcontext())
        stack.enter_context(slot(context, source))
        moving_out.eject_cds(context, vm, journey.disks)
        family = [vm, *context.get("VM", vm).get("snapshots", ())]
        new = stack.enter_context(copied(context, context, host, _with_snapshots(context, journey)))
        if running and host != source:
            origin, target = context.require_live(source), context.require_live(host)
            seconds = _MEMORY_PER_GIB * context.get("VM", vm)["memory_dynamic_max"] / _GIB
            context.work(seconds, 0.9, 1.0, alive=lambda: origin.alive and target.alive)
            both_there(origin, target)
        take_over(context, family, new)
        if context.get("VM", vm)["power_state"] in ("Running", "Paused"):  # it may have been shut down meanwhile
            domains.move(context.pool, vm, host)
        for member in family:
            allowed.refresh_vm(context.db, member)
        return dict(new)


def _with_snapshots(context: Context, journey: Journey) -> dict[str, str]:
    """The disks that really move: the VM's own, and its snapshots' beside the disk that each was taken of."""
    moves = storage_motion.moved(journey)
    for snapshot in journey.row.get("snapshots", ()):
        for vdi in disks_of(context.db, snapshot):
            row = context.get("VDI", vdi)
            target = journey.disks.get(vdi) or journey.disks.get(row["snapshot_of"])
            if target is None:
                target = context.pool.record["default_SR"]
                if context.db.find("SR", target) is None:
                    raise Failure("VDI_NOT_IN_MAP", vdi)
            if target != row["SR"]:
                moves[vdi] = target
    return moves


@call("VM.assert_can_migrate_sender", source=READ, only="VMs without vGPUs")
def assert_can_migrate_sender(context: Context, vm: str, *_rest: object) -> None:
    if context.get("VM", vm).get("VGPUs"):
        raise Failure("NOT_IMPLEMENTED", context.method)
