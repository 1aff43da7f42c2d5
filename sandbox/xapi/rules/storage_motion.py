"""What keeps a VM's disks from moving to other SRs (xapi's source, August 2026): each function gives the first error.

A plan maps every disk of the VM to an SR of the destination's database, which may be another pool's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sandbox.xapi.rules import Error, cpu, memory
from sandbox.xapi.rules.placement import boot_error
from sandbox.xapi.rules.storage_operations import driver_features
from sandbox.xapi.rules.versions import older
from sandbox.xapi.store import Database
from sandbox.xapi.values import NULL, Row

_SOURCE_NEEDS = ("VDI_SNAPSHOT", "VDI_MIRROR")
_TARGET_NEEDS = ("VDI_SNAPSHOT", "VDI_MIRROR_IN")
_OWN_POOL_VIFS = "VIF mapping is not allowed for intra-pool migration -all VIFs must be on the same network"


@dataclass(frozen=True)
class Journey:
    """A VM's way to a host, perhaps of another pool (`there`); `disks` and `networks` as the caller mapped them."""

    here: Database
    vm: str
    there: Database
    host: str
    disks: Mapping[str, str]
    networks: Mapping[str, str]
    force: bool = False
    copy: bool = False
    reached: bool = True
    """The other pool's host answers on the network."""

    @property
    def stays(self) -> bool:
        """Within the pool."""
        return self.here is self.there

    @property
    def row(self) -> Row:
        return self.here.get("VM", self.vm)


def disks_of(db: Database, vm: str) -> Iterator[str]:
    """The VM's disks; no CDs."""
    for vbd in (db.get("VBD", ref) for ref in db.get("VM", vm)["VBDs"]):
        if not vbd["empty"] and vbd["type"] != "CD":
            yield vbd["VDI"]


def error(journey: Journey) -> Error | None:
    """The first reason against the journey, in xapi's order."""
    return (
        _licence(journey)
        or unmapped_disk(journey)
        or _older_host(journey)
        or _drivers(journey)
        or (_inside(journey) if journey.stays else _outside(journey))
        or _disk_itself(journey)
    )


def _licence(journey: Journey) -> Error | None:
    return unlicensed(journey.here)


def unlicensed(db: Database) -> Error | None:
    for host in db.rows("host").values():
        if host.get("license_params", {}).get("restrict_storage_xen_motion") == "true":
            return ["LICENCE_RESTRICTION", "Storage_motion"]
    return None


def unmapped_disk(journey: Journey) -> Error | None:
    for vdi in disks_of(journey.here, journey.vm):
        if vdi not in journey.disks:
            return ["VDI_NOT_IN_MAP", vdi]
    return None


def _older_host(journey: Journey) -> Error | None:
    home = journey.row["resident_on"]
    source = home if home != NULL else next(iter(journey.here.rows("pool").values()))["master"]
    if not older(journey.here, journey.there.get("host", journey.host), journey.here.get("host", source)):
        return None
    if journey.stays:
        return ["NOT_SUPPORTED_DURING_UPGRADE"]
    return ["VM_HOST_INCOMPATIBLE_VERSION_MIGRATE", journey.vm, journey.host]


def moved(journey: Journey) -> dict[str, str]:
    """The disks that leave their SR."""
    return {vdi: sr for vdi, sr in journey.disks.items() if journey.here.value("VDI", vdi, "SR") != sr}


def _drivers(journey: Journey) -> Error | None:
    for vdi, sr in moved(journey).items():
        source = journey.here.value("VDI", vdi, "SR")
        found = _lacking(journey.here, source, _SOURCE_NEEDS) or _lacking(journey.there, sr, _TARGET_NEEDS)
        if found:
            return found
    return None


def _lacking(db: Database, sr: str, needs: tuple[str, ...]) -> Error | None:
    there = driver_features(db, db.get("SR", sr)["type"])
    if "VDI_MIRROR" in there:
        there.add("VDI_MIRROR_IN")  # older drivers that can send can receive
    missing = [need for need in needs if need not in there]
    if not missing:
        return None
    told = [";".join(missing)] if db.model.at_least("25.4.0") else []
    return ["SR_DOES_NOT_SUPPORT_MIGRATION", sr, *told]


def _inside(journey: Journey) -> Error | None:
    found = boot_error(journey.here, journey.vm, journey.host, cpu_check=not journey.force, storage_check=False)
    if found or not journey.networks:
        return found
    return ["OPERATION_NOT_ALLOWED", _OWN_POOL_VIFS]


def _outside(journey: Journey) -> Error | None:
    vm, host = journey.row, journey.there.get("host", journey.host)
    state = vm["power_state"]
    if journey.copy and not journey.force and state != "Halted":
        return ["VM_BAD_POWER_STATE", journey.vm, "halted", state.lower()]
    offered = host.get("virtual_hardware_platform_versions")
    wanted = vm.get("hardware_platform_version")
    if offered is not None and wanted is not None and wanted not in offered:
        shown = "[" + "; ".join(map(str, offered)) + "]"
        code = "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION"
        return [code, journey.host, shown, journey.vm, str(wanted)]
    if not host["enabled"]:
        return ["HOST_DISABLED", journey.host]
    there = host["cpu_info"].get("cpu_count")
    if there is not None and vm["VCPUs_max"] > int(there):
        return ["HOST_NOT_ENOUGH_PCPUS", str(vm["VCPUs_max"]), there]
    return _unmapped_vif(journey) or _imported(journey)


def _imported(journey: Journey) -> Error | None:
    """What the other pool's host says to the VM's metadata in a dry run."""
    if not journey.reached:
        return ["CANNOT_CONTACT_HOST", journey.there.value("host", journey.host, "address")]
    found = None if journey.copy else _known_already(journey)
    if found or journey.row["power_state"] == "Halted":
        return found
    found = memory_error(journey)
    if found or journey.force:
        return found
    return cpu.incompatibility(journey.here, journey.vm, journey.host, there=journey.there)


def memory_error(journey: Journey) -> Error | None:
    needed, available = memory.to_start(journey.row), memory.free(journey.there, journey.host)
    if journey.row["power_state"] in ("Running", "Paused") and needed > available:
        return ["HOST_NOT_ENOUGH_FREE_MEMORY", str(needed), str(available)]
    return None


def _known_already(journey: Journey) -> Error | None:
    """The VM keeps its uuid and the seed of its MAC addresses, and so do its snapshots."""
    family = [journey.row, *(journey.here.get("VM", ref) for ref in journey.row.get("snapshots", ()))]
    uuids = {row["uuid"] for row in family}
    seeds = {row["other_config"].get("mac_seed") for row in family} - {None}
    for row in journey.there.rows("VM").values():
        seed = row["other_config"].get("mac_seed")
        if seed in seeds and row["uuid"] not in uuids:
            return ["DUPLICATE_MAC_SEED", str(seed)]
    found = (_in_its_place(row, existing, journey.there) for row in family if (existing := twin(row, journey.there)))
    return next((error for error in found if error), None)


def twin(row: Row, there: Database) -> str | None:
    """What has the VM's uuid there."""
    return there.tables["VM"].by_uuid.get(row["uuid"])


def _in_its_place(row: Row, existing: str, there: Database) -> Error | None:
    """May it be replaced? One that is halted and older is, without a word."""
    known = there.get("VM", existing)
    if known["power_state"] != "Halted":
        return ["VM_BAD_POWER_STATE", existing, "Halted", known["power_state"]]
    if known["version"] >= row["version"]:
        return ["VM_TO_IMPORT_IS_NOT_NEWER_VERSION", existing, str(known["version"]), str(row["version"])]
    return None


def all_vifs(journey: Journey) -> list[str]:
    """Of the VM and, where they come along, of its snapshots."""
    vms = [journey.vm, *journey.row.get("snapshots", ())]
    return [vif for vm in vms for vif in journey.here.value("VM", vm, "VIFs")]


def network_for(journey: Journey, vif: str) -> str | None:
    """The VIF's own place in the map, or that of another VIF with the same MAC address."""
    if vif in journey.networks:
        return journey.networks[vif]
    mac = journey.here.value("VIF", vif, "MAC")
    return next((n for v, n in journey.networks.items() if journey.here.value("VIF", v, "MAC") == mac), None)


def _unmapped_vif(journey: Journey) -> Error | None:
    for vif in all_vifs(journey):
        network = network_for(journey, vif)
        if network is None:
            return ["VIF_NOT_IN_MAP", vif]
        journey.there.get("network", network)
    return None


def _disk_itself(journey: Journey) -> Error | None:
    for vdi in moved(journey):
        row = journey.here.get("VDI", vdi)
        if row.get("cbt_enabled"):
            return ["VDI_CBT_ENABLED", vdi]
        if "key_hash" in row["sm_config"]:
            return ["VDI_IS_ENCRYPTED", vdi]
    return None
