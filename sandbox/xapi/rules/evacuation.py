"""What stands in the way of emptying a host, and where its VMs would go (xapi's source, August 2026)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.xapi.rules import Error, memory
from sandbox.xapi.rules.placement import boot_error
from sandbox.xapi.rules.versions import older
from sandbox.xapi.rules.vm_operations import VmOperations
from sandbox.xapi.store import Database


@dataclass
class Plan:
    """Every user VM of the host is in exactly one of the two."""

    moves: dict[str, str] = field(default_factory=dict)
    errors: dict[str, Error] = field(default_factory=dict)


def plan(db: Database, host: str) -> Plan:
    """A VM must be able to boot on every target; then they are packed by memory, biggest first."""
    source = db.get("host", host)
    vms = [r for r in source["resident_VMs"] if not db.value("VM", r, "is_control_domain")]
    targets = [
        ref for ref, row in db.rows("host").items() if ref != host and row["enabled"] and not older(db, row, source)
    ]
    out = Plan()
    if not targets:
        out.errors = {ref: ["NO_HOSTS_AVAILABLE", ref] for ref in vms}
        return out
    movable = []
    for ref in vms:
        error = _unprotected(db, ref) or _first_boot_error(db, ref, targets)
        refused = VmOperations(db, ref).error("pool_migrate", strict=True)
        if error is None:
            movable.append(ref)
        if refused or error:
            out.errors[ref] = refused or error or []
    for ref, target in _pack(db, movable, targets).items():
        if ref not in out.errors and target is None:
            out.errors[ref] = ["HOST_NOT_ENOUGH_FREE_MEMORY", ref]
        elif ref not in out.errors and target is not None:
            out.moves[ref] = target
    return out


def _unprotected(db: Database, ref: str) -> Error | None:
    vm, pool = db.get("VM", ref), next(iter(db.rows("pool").values()))
    if not pool["ha_enabled"] or (vm["ha_always_run"] and vm["ha_restart_priority"] == "restart"):
        return None
    # Its own code came with xapi 26.17; before, the code for memory was (mis)used.
    own_code = db.model.at_least("26.17.0")
    return ["HOST_EVACUATE_VM_NOT_HA_PROTECTED" if own_code else "HOST_NOT_ENOUGH_FREE_MEMORY", ref]


def _first_boot_error(db: Database, ref: str, targets: list[str]) -> Error | None:
    errors = (boot_error(db, ref, target, memory_check=False) for target in targets)
    return next((error for error in errors if error), None)


def _pack(db: Database, vms: list[str], targets: list[str]) -> dict[str, str | None]:
    room = {target: memory.free(db, target) for target in targets}
    out: dict[str, str | None] = {}
    for ref in sorted(vms, key=lambda r: memory.to_start(db.get("VM", r)), reverse=True):
        needed = memory.to_start(db.get("VM", ref))
        best = max(room, key=lambda target: room[target])
        if room[best] < needed:
            out[ref] = None
            continue
        room[best] -= needed
        out[ref] = best
    return out
