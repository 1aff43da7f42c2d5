"""Which operations VBDs and VIFs allow (xapi's source, August 2026, held against xapi 26.9.0 as recorded)."""

from __future__ import annotations

from sandbox.xapi.rules import Error
from sandbox.xapi.rules.vm_operations import has_pv_drivers, true
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

VBD_OPERATIONS = ("attach", "eject", "unplug", "unplug_force", "insert", "plug", "pause", "unpause")
VIF_OPERATIONS = ("attach", "plug", "unplug")
_PLUGGING = ("plug", "unplug", "unplug_force")
_STOPPING = ("clean_shutdown", "hard_shutdown", "suspend", "pause")


class Verdicts(dict[str, Error | None]):
    """Operation → its first error; None while nothing speaks against it."""

    def __init__(self, operations: tuple[str, ...] | list[str]) -> None:
        super().__init__(dict.fromkeys(operations))

    def forbid(self, operations: tuple[str, ...] | list[str], code: str, *args: str) -> None:
        for op in operations:
            if op in self and self[op] is None:
                self[op] = [code, *args]

    def allowed(self) -> list[str]:
        return [op for op, error in self.items() if error is None]


def is_system_domain(vm: Row) -> bool:
    return bool(vm["is_control_domain"]) or true(vm["other_config"], "is_system_domain")


def vbd_verdicts(db: Database, ref: str, sharing: bool) -> Verdicts:
    """`sharing` also looks at other VBDs of the same VDI, as a call does and allowed_operations does not."""
    vbd = db.get("VBD", ref)
    out = Verdicts(VBD_OPERATIONS)
    vm = db.find("VM", vbd["VM"])
    if vm is None:
        return out
    _vbd_concurrency(out, ref, vbd)
    if not vbd["unpluggable"]:
        out.forbid(("unplug", "unplug_force"), "VBD_NOT_UNPLUGGABLE", ref)
    if vbd["type"] != "CD":
        out.forbid(("insert", "eject"), "VBD_NOT_REMOVABLE_MEDIA", ref)
    out.forbid(*(("eject",), "VBD_IS_EMPTY", ref) if vbd["empty"] else (("insert",), "VBD_NOT_EMPTY", ref))
    state = vm["power_state"]
    _plugged(out, ref, vbd, vm)
    if state != "Running":
        also = () if state == "Paused" else ("pause", "unpause")
        out.forbid((*also, *_PLUGGING), "VM_BAD_POWER_STATE", vbd["VM"], "running", state.lower())
    _vm_stopping(out, vbd["VM"], vm)
    if state == "Running" and _is_hvm(db, vm):
        _hotplug(out, db, vbd["VM"], vm, "vbd", _PLUGGING)
        if vbd["type"] == "CD":
            text = "HVM CDROMs cannot be hotplugged/unplugged, only inserted or ejected"
            out.forbid(_PLUGGING, "OPERATION_NOT_ALLOWED", text)
    if vbd["type"] == "CD" and state == "Suspended":
        out.forbid(("insert", "eject"), "VM_BAD_POWER_STATE", vbd["VM"], "halted, running", "suspended")
    vdi = db.find("VDI", vbd["VDI"])
    if not vbd["empty"] and vdi is not None:
        _vdi_side(out, db, ref, vbd, vdi, vm, sharing)
    return out


def _vbd_concurrency(out: Verdicts, ref: str, vbd: Row) -> None:
    current = list(vbd["current_operations"].items())
    if not current:
        return
    task, name = current[0]
    rest = [op for op in VBD_OPERATIONS if op not in ("pause", "unpause")]
    out.forbid(rest, "OTHER_OPERATION_IN_PROGRESS", "VBD", ref, name, task)
    for blocked, harmless in (("pause", ("pause", "unpause")), ("unpause", ("attach", "pause", "unpause"))):
        other = next(((t, n) for t, n in current if n not in harmless), None)
        if other:
            out.forbid((blocked,), "OTHER_OPERATION_IN_PROGRESS", "VBD", ref, other[1], other[0])


def _plugged(out: Verdicts, ref: str, device: Row, vm: Row) -> None:
    if vm["power_state"] != "Running":
        return
    if device["currently_attached"]:
        out.forbid(("plug",), "DEVICE_ALREADY_ATTACHED", ref)
    else:
        out.forbid(("unplug", "unplug_force"), "DEVICE_ALREADY_DETACHED", ref)


def _vm_stopping(out: Verdicts, vm_ref: str, vm: Row) -> None:
    for op in vm["current_operations"].values():
        if op in _STOPPING:
            text = f"Current operation on VM:{vm_ref} is {op}"
            out.forbid(("plug", "unplug"), "OPERATION_NOT_ALLOWED", text)


def _is_hvm(db: Database, vm: Row) -> bool:
    metrics = db.find("VM_metrics", vm["metrics"])
    if metrics is not None and "current_domain_type" in metrics:
        return bool(metrics["current_domain_type"] == "hvm")
    return bool(vm["HVM_boot_policy"])


def _hotplug(out: Verdicts, db: Database, vm_ref: str, vm: Row, device: str, operations: tuple[str, ...]) -> None:
    guest = db.find("VM_guest_metrics", vm["guest_metrics"])
    claim = guest.get(f"can_use_hotplug_{device}", "unspecified") if guest else "unspecified"
    if claim == "no":
        text = f"VM states it does not support {device.upper()} hotplug."
        out.forbid(operations, "OPERATION_NOT_ALLOWED", text)
    elif claim == "unspecified" and not (guest or {}).get("PV_drivers_detected") and not has_pv_drivers(guest):
        out.forbid(operations, "VM_MISSING_PV_DRIVERS", vm_ref)


def _vdi_side(out: Verdicts, db: Database, ref: str, vbd: Row, vdi: Row, vm: Row, sharing: bool) -> None:
    if not vdi["managed"]:
        out.forbid(VBD_OPERATIONS, "VDI_NOT_MANAGED", ref)
    entering = ("attach", "plug", "insert")
    for task, op in vdi["current_operations"].items():
        if op not in ("mirror", "copy"):
            out.forbid(entering, "OTHER_OPERATION_IN_PROGRESS", "VDI", vbd["VDI"], op, task)
            break
    if vbd["currently_attached"] or not sharing:
        return
    others = [_user(db, r) for r in vdi["VBDs"] if r != ref]
    active = [o for o in others if o is not None]
    writers = any(o["mode"] == "RW" for o in active)
    writes = vbd["mode"] == "RW"
    if not vdi["sharable"] and not is_system_domain(vm) and (writers or (writes and active)):
        out.forbid(entering, "VDI_IN_USE", vbd["VDI"])
    if writes and vdi["read_only"]:
        out.forbid(entering, "VDI_READONLY", vbd["VDI"])


def _user(db: Database, ref: str) -> Row | None:
    """Another VBD's record if it really uses its disk now."""
    vbd = db.find("VBD", ref)
    vm = db.find("VM", vbd["VM"]) if vbd else None
    if vbd is None or vm is None or vm["power_state"] == "Suspended" or is_system_domain(vm):
        return None
    return vbd if vbd["currently_attached"] or vbd["current_operations"] else None


def vif_verdicts(db: Database, ref: str) -> Verdicts:
    vif = db.get("VIF", ref)
    out = Verdicts(VIF_OPERATIONS)
    vm = db.find("VM", vif["VM"])
    if vm is None:
        return out
    current = vif["current_operations"]
    if current:
        names, tasks = "; ".join(reversed(current.values())), "; ".join(reversed(current))
        out.forbid(VIF_OPERATIONS, "OTHER_OPERATION_IN_PROGRESS", "VIF", ref, f"{{{names}}}", f"{{{tasks}}}")
    if vm["is_control_domain"]:
        out.forbid(("plug",), "OPERATION_NOT_ALLOWED", "Control domain does not support hotplug")
    _plugged(out, ref, vif, vm)
    state = vm["power_state"]
    if state != "Running":
        out.forbid(("plug", "unplug"), "VM_BAD_POWER_STATE", vif["VM"], "running", state.lower())
    _vm_stopping(out, vif["VM"], vm)
    if state == "Running" and _is_hvm(db, vm):
        _hotplug(out, db, vif["VM"], vm, "vif", ("plug", "unplug"))
    return out
