"""An old database as a 26.9 toolstack shows it after loading it.

Loading gives every field that is new its default and forgets fields that were removed; then the upgrade rules run that
the old release has not seen yet (xapi 26.9, held against four databases that a real one loaded).  The states of hosts
and guests stay as the file has them: the toolstack would measure them anew.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.xapi.model import model, release_key
from sandbox.xapi.values import NULL
from sandbox.xapi.world import Objects, PoolWorld, Record
from sandbox.xapi.worlds import memory, sexpr
from sandbox.xapi.worlds.builder import fresh_record, stored_defaults
from sandbox.xapi.worlds.identity import stable_ref, stable_uuid
from sandbox.xapi.worlds.network import internal_network

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGET = "26.9.0"

# Removed fields: the database still has them, the toolstack neither loads nor sets them.
_REMOVED = {
    "VBD": ("metrics",),
    "VIF": ("metrics",),
    "VM_metrics": ("VCPUs_utilisation",),
    "VM_guest_metrics": ("memory", "disks"),
    "VM": ("is_snapshot_from_vmpp",),
}
_UNSEEN = frozenset({"user"})


def upgraded(world: PoolWorld) -> PoolWorld:
    """The same pool under xapi 26.9; a world that is not older is returned as it is."""
    if release_key(world.release) >= release_key(TARGET):
        return world
    known = model(TARGET)
    objects: Objects = {}
    for cls, rows in world.objects.items():
        if cls in known.classes and cls not in _UNSEEN:
            stored = stored_defaults(TARGET, cls).keys() - set(_REMOVED.get(cls, ()))
            objects[cls] = {
                ref: fresh_record(TARGET, cls) | copy.deepcopy({name: row[name] for name in stored & row.keys()})
                for ref, row in rows.items()
            }
    for last, rule in _RULES:
        if last is None or release_key(world.release) <= release_key(last):
            rule(objects)
    return PoolWorld(TARGET, objects, (*world.notes, f"Shown as xapi {TARGET} shows it after loading."))


def _rows(objects: Objects, cls: str) -> Iterable[Record]:
    return objects.get(cls, {}).values()


def _domain_type(objects: Objects) -> None:
    for vm in _rows(objects, "VM"):
        if vm["domain_type"] != "unspecified":
            continue
        paravirtual = vm["is_control_domain"] or not vm["HVM_boot_policy"]
        vm["domain_type"] = "pv" if paravirtual else "hvm"
        metrics = objects.get("VM_metrics", {}).get(vm["metrics"])
        if vm["power_state"] != "Halted" and metrics is not None:
            metrics["current_domain_type"] = vm["domain_type"]


def _mail_priority(objects: Objects) -> None:
    """Priorities used to grow with importance; now 1 is the most important."""
    key = "mail-min-priority"
    for pool in _rows(objects, "pool"):
        text = pool["other_config"].pop(key, None)
        if text is not None and re.fullmatch(r"-?[0-9]+", text):
            old = int(text)
            bounds = ((10, 0), (9, 1), (5, 2), (4, 3), (1, 4))
            pool["other_config"][key] = str(next((new for bound, new in bounds if old > bound), 5))


def _memory_overhead(objects: Objects) -> None:
    for vm in _rows(objects, "VM"):
        vm["memory_overhead"] = memory.overhead(
            TARGET,
            vm["memory_static_max"],
            vcpus=vm["VCPUs_max"],
            paravirtual=vm["domain_type"] == "pv",
            shadow_multiplier=vm["HVM_shadow_multiplier"],
        )


_GENERIC_BIOS = {
    "bios-vendor": "Xen",
    "system-manufacturer": "Xen",
    "system-product-name": "HVM domU",
    **dict.fromkeys(("bios-version", "system-version", "system-serial-number", "hp-rombios"), ""),
    **dict.fromkeys((f"baseboard-{k}" for k in ("manufacturer", "product-name", "version", "serial-number")), ""),
    **dict.fromkeys(("baseboard-asset-tag", "baseboard-location-in-chassis", "enclosure-asset-tag"), ""),
    "oem-1": "Xen",
    "oem-2": "MS_VM_CERT/SHA1/bdbeb6e0a816d43fa6d3fe8aaef04c2bad9d3e3d",
}


def _bios_strings(objects: Objects) -> None:
    for vm in _rows(objects, "VM"):
        vm["bios_strings"] = dict(_GENERIC_BIOS)


def _snapshot_parents(objects: Objects) -> None:
    """Snapshots descend from each other, which 5.5 did not keep; xapi's rule links them, and the VM, in pairs."""
    vms = objects.get("VM", {})
    for ref in vms:
        taken = sorted((row["snapshot_time"], key) for key, row in vms.items() if row["snapshot_of"] == ref)
        line = [key for _, key in taken] + [ref]
        for earlier, later in zip(line[::2], line[1::2], strict=False):
            vms[later]["parent"] = earlier


def _internal_network(objects: Objects) -> None:
    for network in _rows(objects, "network"):
        config = network["other_config"]
        guest_installer = config.get("is_guest_installer_network") == "true"
        if guest_installer and config.get("is_host_internal_management_network") != "true":
            network.update(internal_network())


def _redo_logs(objects: Objects) -> None:
    for vdi in _rows(objects, "VDI"):
        if vdi["type"] == "metadata":
            vdi["type"] = "redo_log"


def _restart_priorities(objects: Objects) -> None:
    """Up to 5.6 a number was both: whether HA restarts a VM, and when."""
    for vm in _rows(objects, "VM"):
        old = vm["ha_restart_priority"]
        numbered = old in ("0", "1", "2", "3")
        vm["ha_restart_priority"] = "restart" if numbered else old if old == "best-effort" else ""
        vm["order"] = int(old) if numbered else 0
        if vm["other_config"].get("auto_poweron") == "true" and not vm["ha_restart_priority"]:
            vm["ha_restart_priority"] = "best-effort"


def _interface_metrics(objects: Objects) -> None:
    """VLANs and tunnels share the metrics of the interface that they use."""
    pifs, metrics = objects.get("PIF", {}), objects.get("PIF_metrics", {})
    pairs = [(row["untagged_PIF"], row["tagged_PIF"]) for row in _rows(objects, "VLAN")]
    pairs += [(row["access_PIF"], row["transport_PIF"]) for row in _rows(objects, "tunnel")]
    for upper, lower in pairs:
        if upper in pifs and lower in pifs and pifs[upper]["metrics"] != pifs[lower]["metrics"]:
            metrics.pop(pifs[upper]["metrics"], None)
            pifs[upper]["metrics"] = pifs[lower]["metrics"]


def _protection_policies(objects: Objects) -> None:
    objects.pop("VMPP", None)
    for vm in _rows(objects, "VM"):
        vm["protection_policy"] = NULL


def _gpu_types(objects: Objects) -> None:
    """Whole-GPU passthrough became a type that each GPU supports."""
    if not objects.get("PGPU") and not objects.get("VGPU"):
        return
    key = (next(iter(objects["pool"].values()))["uuid"], "VGPU_type", "passthrough")
    ref = stable_ref(*key)
    objects["VGPU_type"] = {
        ref: fresh_record(TARGET, "VGPU_type")
        | {
            "uuid": stable_uuid(*key),
            "model_name": "passthrough",
            "identifier": "0001:passthrough",
            "implementation": "passthrough",
        }
    }
    for pgpu in _rows(objects, "PGPU"):
        pgpu.update(supported_VGPU_types=[ref], enabled_VGPU_types=[ref])
    for vgpu in _rows(objects, "VGPU"):
        vgpu["type"] = ref


def _interface_properties(objects: Objects) -> None:
    bonds = {row["master"] for row in _rows(objects, "Bond")}
    for ref, pif in objects.get("PIF", {}).items():
        pif["properties"] = {"gro": "on"} if pif["physical"] or ref in bonds else {}


def _guest_defaults(objects: Objects) -> None:
    for vm in _rows(objects, "VM"):
        vm["has_vendor_device"] = False
    for metrics in _rows(objects, "VM_guest_metrics"):
        metrics["PV_drivers_detected"] = False


def _storage_connections(objects: Objects) -> None:
    for pbd in _rows(objects, "PBD"):
        pbd["device_config"].pop("SRmaster", None)


def _gpu_recommendations(objects: Objects) -> None:
    """What was said of GPU passthrough for Linux guests is now said of virtual GPUs."""
    old = re.compile(r'<restriction field="allow-gpu-passthrough" value="0"\s*(/>|></restriction>)')
    new = '<restriction field="allow-gpu-passthrough" value="1"/><restriction field="allow-vgpu" value="0"/>'
    for vm in _rows(objects, "VM"):
        vm["recommendations"] = old.sub(new, vm["recommendations"])


def _sdn_controller(objects: Objects) -> None:
    for pool in _rows(objects, "pool"):
        if pool["vswitch_controller"] and not objects.get("SDN_controller"):
            key = (pool["uuid"], "SDN_controller", "vswitch controller")
            objects["SDN_controller"] = {
                stable_ref(*key): fresh_record(TARGET, "SDN_controller")
                | {"uuid": stable_uuid(*key), "protocol": "ssl", "address": pool["vswitch_controller"], "port": 6632}
            }


def _device_models(objects: Objects) -> None:
    for vm in _rows(objects, "VM"):
        if not vm["is_a_template"]:
            vm["platform"] = _with_device_model(vm["platform"], vm["domain_type"])
        saved = sexpr.parse_map(vm["snapshot_metadata"]) if vm["snapshot_metadata"] else []
        vm["snapshot_metadata"] = sexpr.write([[key, _saved(key, text, vm["domain_type"])] for key, text in saved])


def _saved(key: str, text: str, domain_type: str) -> str:
    if key != "platform" or not text:
        return text
    platform = _with_device_model(dict(sexpr.parse_map(text)), domain_type)
    return sexpr.write([[name, value] for name, value in platform.items()])


def _with_device_model(platform: dict[str, str], domain_type: str) -> dict[str, str]:
    key, profile = "device-model", "qemu-upstream-compat"
    if domain_type != "hvm" or key in platform:
        return {name: profile if (name, value) == (key, "qemu-trad") else value for name, value in platform.items()}
    return {key: profile, **platform}


def _passwords(objects: Objects) -> None:
    """Passwords of storage move into secrets of their own."""
    for ref, pbd in objects.get("PBD", {}).items():
        config: dict[str, str] = {}
        for name, text in pbd["device_config"].items():
            if name.endswith("password"):
                key = (ref, "secret", name)
                secret = fresh_record(TARGET, "secret") | {"uuid": stable_uuid(*key), "value": text}
                objects.setdefault("secret", {})[stable_ref(*key)] = secret
                name, text = f"{name}_secret", secret["uuid"]
            config[name] = text
        pbd["device_config"] = config


def _hosts_and_pool(objects: Objects) -> None:
    for host in _rows(objects, "host"):
        host["ssl_legacy"] = False
    for pool in _rows(objects, "pool"):
        pool["uefi_certificates"] = ""


def _guidance(objects: Objects) -> None:
    for host in _rows(objects, "host"):
        pending = set(host["pending_guidances"])
        if "reboot_host_on_livepatch_failure" in pending:
            pending.remove("reboot_host_on_livepatch_failure")
            pending |= {"reboot_host_on_kernel_livepatch_failure", "reboot_host_on_xen_livepatch_failure"}
        host["pending_guidances_recommended"] = sorted(pending | set(host["pending_guidances_recommended"]))
        host["pending_guidances"] = []


_RULES: tuple[tuple[str | None, Callable[[Objects], None]], ...] = (
    # (the last release whose databases need it, None for every older one; the rule), in xapi's order
    ("jura", _domain_type),
    ("tampa", _mail_priority),
    (None, _memory_overhead),
    ("george", _bios_strings),
    ("george", _snapshot_parents),
    (None, _internal_network),
    ("cowley", _redo_logs),
    ("cowley", _restart_priorities),
    ("boston", _interface_metrics),
    ("tampa", _protection_policies),
    ("clearwater", _gpu_types),
    ("clearwater-whetstone", _interface_properties),
    ("indigo", _guest_defaults),
    ("clearwater-whetstone", _storage_connections),
    ("creedence", _gpu_recommendations),
    ("ely", _sdn_controller),
    (None, _device_models),
    (None, _passwords),
    (None, _hosts_and_pool),
    ("24.9.0", _guidance),
)
