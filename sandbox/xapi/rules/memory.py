"""How much memory a VM takes and a host has (xapi's model, checked against figures of xapi 26.9.0 as recorded)."""

from __future__ import annotations

from sandbox.xapi.failure import Failure
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

MIB = 1 << 20
_PAGES_PER_MIB = 256


def _up(number: int, unit: int) -> int:
    return -(-number // unit)


def domain_type(db: Database, vm: Row) -> str:
    """hvm, pv, pvh or pv_in_pvh: of the running domain, else as configured. Releases before 7.5 say it by the boot
    policy."""
    metrics = db.find("VM_metrics", vm["metrics"])
    if vm["power_state"] != "Halted" and metrics is not None and "current_domain_type" in metrics:
        found = metrics["current_domain_type"]
    else:
        found = vm.get("domain_type", "unspecified")
    if found == "unspecified":
        return "hvm" if vm["HVM_boot_policy"] else "pv"
    return str(found)


def _shadow_mib(vm: Row, static_max_mib: int, multiplier: float) -> int:
    pages = _PAGES_PER_MIB * vm["VCPUs_max"] + 2 * static_max_mib
    return max(1, int(_up(pages, _PAGES_PER_MIB) * multiplier))


def overhead(vm: Row, kind: str, static_max: int | None = None, vcpus: int | None = None) -> int:
    """Bytes beyond the guest's own memory. `kind` is the configured domain type."""
    if vcpus is not None:
        vm = {**vm, "VCPUs_max": vcpus}
    mib = _up(vm["memory_static_max"] if static_max is None else static_max, MIB)
    extra, shim = (1, 0) if kind == "pv" else (2, 0)
    if kind == "pv_in_pvh":
        shim = 23 + mib // 90
    multiplier = 1.0 if kind == "pv" else vm["HVM_shadow_multiplier"]
    per_vcpu = _up(38 * vm["VCPUs_max"], _PAGES_PER_MIB)
    return (extra + shim + per_vcpu + _shadow_mib(vm, mib, multiplier)) * MIB


def configured_type(vm: Row) -> str:
    found = vm.get("domain_type", "unspecified")
    return str(found) if found != "unspecified" else ("hvm" if vm["HVM_boot_policy"] else "pv")


def to_start(vm: Row) -> int:
    """Bytes that a host must have free to start or receive the VM, others being squeezed."""
    kind = configured_type(vm)
    guest = vm["memory_static_max"] if kind == "pv_in_pvh" else vm["memory_dynamic_min"]
    return _up(guest, MIB) * MIB + overhead(vm, kind)


def at_static_max(vm: Row) -> int:
    """Bytes that the HA planner sets aside for the VM."""
    return _up(vm["memory_static_max"], MIB) * MIB + overhead(vm, configured_type(vm))


def for_guests(db: Database, host: str) -> int:
    """Bytes of a host that Xen leaves to domains, dom0 among them."""
    record = db.get("host", host)
    metrics = db.find("host_metrics", record["metrics"])
    return int(metrics["memory_total"]) - int(record["memory_overhead"]) if metrics else 0


def occupants(db: Database, host: str) -> set[str]:
    """VMs that are on the host or about to come."""
    return db.scheduled_to(host) | set(db.get("host", host)["resident_VMs"])


def free(db: Database, host: str, besides: str = "", static: bool = False) -> int:
    """Bytes for one more VM, not counting that `besides` is about to come. `static` counts every VM at its maximum
    instead of squeezing it."""
    record = db.get("host", host)
    field = "memory_static_max" if static else "memory_dynamic_min"
    used = 0
    for ref in occupants(db, host):
        if ref != besides or ref in record["resident_VMs"]:
            vm = db.get("VM", ref)
            used += vm[field] + vm["memory_overhead"]
    return max(0, for_guests(db, host) - used)


def check_limits(static_min: int, dynamic_min: int, dynamic_max: int, static_max: int) -> None:
    """Raises Failure MEMORY_CONSTRAINT_VIOLATION_ORDER."""
    if not 0 <= static_min <= dynamic_min <= dynamic_max <= static_max:
        raise Failure("MEMORY_CONSTRAINT_VIOLATION_ORDER")
