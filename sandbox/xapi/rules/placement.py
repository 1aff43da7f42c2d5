"""Where a VM may run: the boot-here checks in their order, agility, and the choice of a host.

Source: xapi (August 2026), held against assert_can_boot_here, get_possible_hosts and assert_agile as recorded.
"""

from __future__ import annotations

from sandbox.xapi.failure import Failure
from sandbox.xapi.rules import Error, cpu, memory
from sandbox.xapi.store import Database
from sandbox.xapi.values import NULL, Row


def is_live(db: Database, host: str) -> bool:
    metrics = db.find("host_metrics", db.get("host", host)["metrics"])
    return metrics is not None and bool(metrics["live"])


def boot_error(
    db: Database,
    ref: str,
    host: str,
    cpu_check: bool = True,
    memory_check: bool = True,
    storage_check: bool = True,
) -> Error | None:
    """The first reason why the VM could not run on that host."""
    vm, record = db.get("VM", ref), db.get("host", host)
    return (
        _legacy_gpu(db, vm)
        or _parameters(db, vm)
        or (None if is_live(db, host) else ["HOST_NOT_LIVE"])
        or _affinity(vm, host)
        or _enabled(vm, record, host)
        or _hardware(vm, record, ref, host)
        or (cpu.incompatibility(db, ref, host) if cpu_check else None)
        or (_storage(db, vm, ref, host) if storage_check else None)
        or _networks(db, vm, ref, host)
        or _passthrough(db, vm, ref, record, host)
        or (_memory(db, vm, ref, host) if memory_check else None)
        or _processors(vm, record)
    )


def _legacy_gpu(db: Database, vm: Row) -> Error | None:
    for vgpu in vm.get("VGPUs", ()):
        kind = db.value("VGPU", vgpu, "type")
        if db.value("VGPU_type", kind, "framebuffer_size") == -1:
            return ["VGPU_TYPE_NO_LONGER_SUPPORTED", kind]
    return None


def _parameters(db: Database, vm: Row) -> Error | None:
    most, first = vm["VCPUs_max"], vm["VCPUs_at_startup"]
    if most < 1:
        return ["INVALID_VALUE", "VCPUs_max", str(most)]
    if first < 1:
        return ["INVALID_VALUE", "VCPUs-at-startup", str(first)]
    if first > most:
        return ["VALUE_NOT_SUPPORTED", "VCPUs-at-startup", str(first), "value greater than VCPUs-max"]
    if vm["memory_static_max"] < vm["memory_static_min"] or vm["memory_dynamic_max"] < vm["memory_dynamic_min"]:
        return ["MEMORY_CONSTRAINT_VIOLATION"]
    if vm["HVM_shadow_multiplier"] < 1:
        return ["INVALID_VALUE", "HVM_shadow_multiplier", f"{vm['HVM_shadow_multiplier']:g}"]
    return crash_action_error(db, vm, vm["actions_after_crash"])


def crash_action_error(db: Database, vm: Row, action: str) -> Error | None:
    field = "VM.actions_after_crash"
    if action == "rename_restart":
        text = "option would leak a domain; VMs and not domains are managed by this API"
        return ["VALUE_NOT_SUPPORTED", field, action, text]
    if action.startswith("coredump") and memory.domain_type(db, vm) != "pv":
        text = "cannot invoke a coredump of an HVM, PVH or PV-in-PVH domain"
        return ["VALUE_NOT_SUPPORTED", field, action, text]
    return None


def _affinity(vm: Row, host: str) -> Error | None:
    if vm["is_control_domain"] and vm["affinity"] not in (NULL, host):
        text = "Cannot boot a control domain on a host different from its affinity"
        return ["OPERATION_NOT_ALLOWED", text]
    return None


def _enabled(vm: Row, record: Row, host: str) -> Error | None:
    at_home = vm["power_state"] == "Running" and vm["resident_on"] == host
    return None if vm["is_control_domain"] or at_home or record["enabled"] else ["HOST_DISABLED", host]


def _hardware(vm: Row, record: Row, ref: str, host: str) -> Error | None:
    if "hardware_platform_version" not in vm or "virtual_hardware_platform_versions" not in record:
        return None
    offered, wanted = record["virtual_hardware_platform_versions"], vm["hardware_platform_version"]
    if wanted in offered:
        return None
    shown = "[" + "; ".join(map(str, offered)) + "]"
    return ["VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION", host, shown, ref, str(wanted)]


def needed_srs(db: Database, vm: Row) -> list[str]:
    """SRs of the VM's disks, its CD and, suspended, its suspend image."""
    vdis = [db.value("VBD", vbd, "VDI") for vbd in vm["VBDs"] if not db.value("VBD", vbd, "empty")]
    if vm["power_state"] == "Suspended" and vm["suspend_VDI"] != NULL:
        vdis.append(vm["suspend_VDI"])
    return [db.value("VDI", vdi, "SR") for vdi in vdis]


def plugged_srs(db: Database, host: str) -> set[str]:
    pbds = (db.get("PBD", pbd) for pbd in db.get("host", host)["PBDs"])
    return {pbd["SR"] for pbd in pbds if pbd["currently_attached"]}


def _storage(db: Database, vm: Row, ref: str, host: str) -> Error | None:
    seen = plugged_srs(db, host)
    missing = next((sr for sr in needed_srs(db, vm) if sr not in seen), None)
    return ["VM_REQUIRES_SR", ref, missing] if missing else None


def _networks(db: Database, vm: Row, ref: str, host: str) -> Error | None:
    networks = [db.value("VIF", vif, "network") for vif in vm["VIFs"]]
    for network in networks:
        if not _network_reaches(db, network, host):
            return ["VM_REQUIRES_NETWORK", ref, network]
    for network in networks:
        here = (db.get("PIF", pif) for pif in db.get("network", network)["PIFs"])
        if any(pif["host"] == host and db.find("Bond", pif["bond_slave_of"]) for pif in here):
            return ["HOST_CANNOT_ATTACH_NETWORK", host, network]
    return None


def _network_reaches(db: Database, ref: str, host: str) -> bool:
    network = db.get("network", ref)
    if network["PIFs"]:
        return any(db.value("PIF", pif, "host") == host for pif in network["PIFs"])
    if network["other_config"].get("assume_network_is_shared") == "true" or not network.get("managed", True):
        return True
    # A network without a PIF lives where its running VMs are.
    users = (db.get("VM", db.value("VIF", vif, "VM")) for vif in network["VIFs"])
    homes = {vm["resident_on"] for vm in users if vm["power_state"] == "Running"}
    return not homes or host in homes


def _passthrough(db: Database, vm: Row, ref: str, record: Row, host: str) -> Error | None:
    for vusb in vm.get("VUSBs", ()):
        group = db.get("USB_group", db.value("VUSB", vusb, "USB_group"))
        if not any(db.value("PUSB", pusb, "host") == host for pusb in group["PUSBs"][:1]):
            return ["OPERATION_NOT_ALLOWED", f"VUSB {vusb} is not available on Host {host}"]
    for vgpu in vm.get("VGPUs", ()):
        group = db.get("GPU_group", db.value("VGPU", vgpu, "GPU_group"))
        if not any(db.value("PGPU", pgpu, "host") == host for pgpu in group["PGPUs"]):
            return ["VM_REQUIRES_GPU", ref, db.value("VGPU", vgpu, "GPU_group")]
    hvm = any("hvm" in capability for capability in record["capabilities"])
    return None if hvm or memory.domain_type(db, vm) == "pv" else ["VM_HVM_REQUIRED", ref]


def _memory(db: Database, vm: Row, ref: str, host: str) -> Error | None:
    needed, available = memory.to_start(vm), memory.free(db, host, besides=ref)
    return None if available >= needed else ["HOST_NOT_ENOUGH_FREE_MEMORY", str(needed), str(available)]


def _processors(vm: Row, record: Row) -> Error | None:
    there = record["cpu_info"].get("cpu_count")
    unrestricted = str(vm["platform"].get("vcpu-unrestricted", "")).lower() in ("1", "true")
    if there is None or vm["VCPUs_max"] <= int(there) or unrestricted:
        return None
    return ["HOST_NOT_ENOUGH_PCPUS", str(vm["VCPUs_max"]), there]


def possible_hosts(db: Database, ref: str) -> list[str]:
    """Hosts that pass every check but the CPU's; the one that it is already going to, if it is going."""
    going_to = db.get("VM", ref).get("scheduled_to_be_resident_on", NULL)
    if going_to != NULL:
        return [going_to]
    return [host for host in db.rows("host") if _possible(db, ref, host)]


def _possible(db: Database, ref: str, host: str) -> bool:
    try:
        return boot_error(db, ref, host, cpu_check=False) is None
    except Failure:
        return False


def choose_host(db: Database, ref: str) -> str:
    """A host to start on: the affinity if it will do, else the one with most free memory.

    Raises Failure NO_HOSTS_AVAILABLE.
    """
    vm = db.get("VM", ref)
    fitting = [h for h in db.rows("host") if boot_error(db, ref, h) is None]
    if not fitting:
        raise Failure("NO_HOSTS_AVAILABLE")
    if vm["affinity"] in fitting:
        return str(vm["affinity"])
    return max(fitting, key=lambda host: memory.free(db, host))


# Agility


def enabled_hosts(db: Database) -> set[str]:
    return {ref for ref, host in db.rows("host").items() if host["enabled"]}


def is_sr_shared_properly(db: Database, ref: str) -> bool:
    sr = db.get("SR", ref)
    plugged = {p["host"] for p in (db.get("PBD", pbd) for pbd in sr["PBDs"]) if p["currently_attached"]}
    return bool(sr["shared"]) and enabled_hosts(db) <= plugged


def is_network_shared_properly(db: Database, ref: str) -> bool:
    pifs = (db.get("PIF", pif) for pif in db.get("network", ref)["PIFs"])
    reached = {pif["host"] for pif in pifs if db.find("Bond", pif["bond_slave_of"]) is None}
    return enabled_hosts(db) <= reached


def agility_error(db: Database, ref: str) -> Error | None:
    """Why a VM could not run on any enabled host."""
    vm = db.get("VM", ref)
    if vm.get("VGPUs"):
        return ["VM_HAS_VGPU", ref]
    if vm.get("VUSBs"):
        return ["VM_HAS_VUSBS", ref]
    for vbd in (db.get("VBD", r) for r in vm["VBDs"]):
        if vbd["empty"]:
            continue
        sr = db.value("VDI", vbd["VDI"], "SR")
        if not is_sr_shared_properly(db, sr):
            return ["HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", sr]
    for vif in vm["VIFs"]:
        network = db.value("VIF", vif, "network")
        if not is_network_shared_properly(db, network):
            return ["HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED", network]
    return None
