"""A host that left its pool, as it boots for the first time: a pool of its own with an empty local disk.

Source: xapi (August 2026). What it keeps: its uuid, its management address, its password, its software.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sandbox.xapi import free_memory
from sandbox.xapi.joining import default_template, owned
from sandbox.xapi.pool import Pool
from sandbox.xapi.registry import difference
from sandbox.xapi.rules.join_sides import is_tools_sr
from sandbox.xapi.rules.levelling import pool_cpu_info
from sandbox.xapi.store import Database, new_ref
from sandbox.xapi.transplant import Load
from sandbox.xapi.values import NULL, Row
from sandbox.xapi.world import PoolWorld

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host

_NO_IP = {"ip_configuration_mode": "None", "IP": "", "netmask": "", "gateway": "", "DNS": ""}
_MACHINE = (
    "uuid hostname address metrics software_version capabilities cpu_configuration cpu_info sched_policy"
    " supported_bootloaders memory_overhead edition license_params license_server bios_strings chipset_info updates"
    " virtual_hardware_platform_versions control_domain API_version_major API_version_minor API_version_vendor"
    " API_version_vendor_implementation iscsi_iqn tls_verification_enabled last_software_update last_update_hash"
    " editions"
)
"""Fields of a host that belong to the machine and its installation."""
_KEPT = frozenset(_MACHINE.split())
_MASK = "cpuid_feature_mask"

difference(
    "pool.eject",
    "The host keeps its edition, its templates and its drivers as they were in the pool.",
    "They are the installation's, which the lab knows from nowhere else; of a licence the host would be rid.",
)


def own_pool(host: Host) -> Pool:
    """The pool of one that the host is after its next boot, its machine switched off. The old pool's lock is held, and
    its records of the host are still there."""
    old = host.pool
    load = Load(old.db, _kept(old.db, host.ref), {})
    me = load.mapping[host.ref]
    local = _fresh_storage(load)
    _fresh_networks(load, old.db, host.ref)
    _fresh_host(load, old.db, host.ref, local)
    for cls in ("SR", "VM", "PBD", "SM"):
        for row in load.objects.get(cls, {}).values():
            if not row.get("is_control_domain"):
                row["uuid"] = str(uuid.uuid4())
    load.objects["pool"] = {new_ref(): _pool_record(old, me, local)}
    pool = Pool(old.estate, PoolWorld(old.release, load.objects))
    with pool.db.lock:
        pool.db.write("pool", pool.ref, cpu_info=_level(pool))
        pool.measured.add(me)
        free_memory.follow(pool, me)
    return pool


def _kept(db: Database, host: str) -> dict[str, list[str]]:
    row = db.get("host", host)
    pifs = [ref for ref in owned(db, "PIF", "host", [host]) if db.value("PIF", ref, "physical")]
    pbds = [ref for ref in owned(db, "PBD", "host", [host]) if _returns(db, db.value("PBD", ref, "SR"))]
    srs = [db.value("PBD", pbd, "SR") for pbd in pbds]
    domains = [vm for vm in row["resident_VMs"] if db.value("VM", vm, "is_control_domain")]
    templates = [ref for ref, vm in db.rows("VM").items() if vm["is_a_template"] and default_template(vm)]
    patches = owned(db, "host_patch", "host", [host])
    names = {db.value("host_patch", ref, "pool_patch") for ref in patches}
    certificates = owned(db, "Certificate", "host", [host])
    return {
        "host": [host],
        "host_metrics": [row["metrics"]] if db.find("host_metrics", row["metrics"]) else [],
        "host_cpu": owned(db, "host_cpu", "host", [host]),
        "host_patch": patches,
        "pool_patch": [ref for ref in db.rows("pool_patch") if ref in names],
        "pool_update": [ref for ref in db.rows("pool_update") if ref in row.get("updates", ())],
        "Certificate": certificates,
        "PIF": pifs,
        "PIF_metrics": [m for m in (db.value("PIF", pif, "metrics") for pif in pifs) if db.find("PIF_metrics", m)],
        "SM": list(db.rows("SM")),
        "SR": srs,
        "VDI": owned(db, "VDI", "SR", [sr for sr in srs if not is_local_disk(db.get("SR", sr))]),
        "PBD": pbds,
        "VM": [*domains, *templates],
        "VM_metrics": [m for m in (db.value("VM", vm, "metrics") for vm in domains) if db.find("VM_metrics", m)],
        "console": owned(db, "console", "VM", domains),
    }


def is_local_disk(sr: Row) -> bool:
    """Is the SR on a disk of the host itself?"""
    return not sr["shared"] and sr["type"] in ("lvm", "ext")


def _returns(db: Database, ref: str) -> bool:
    """Is it an SR that an installation makes: the tools', a drive's, or the one on its own disk?"""
    sr = db.find("SR", ref)
    return sr is not None and (is_tools_sr(sr) or sr["type"] == "udev" or is_local_disk(sr))


def _fresh_storage(load: Load) -> str:
    """The local SR is made anew and empty. Returns its reference, or null when the host has no such disk."""
    for sr in load.objects["SR"].values():
        sr |= {"tags": [], "blobs": {}, "local_cache_enabled": False}
        if is_local_disk(sr):
            sr |= {"physical_utilisation": 0, "virtual_allocation": 0, "name_description": ""}
    for pbd in load.objects["PBD"].values():
        pbd |= {"currently_attached": False, "other_config": {}}
    return next((ref for ref, sr in load.objects["SR"].items() if is_local_disk(sr)), NULL)


def _fresh_networks(load: Load, db: Database, host: str) -> None:
    """A network for each NIC, the host's internal one, and the management address on its primary NIC, on the same VLAN
    if it was on one."""
    pifs = owned(db, "PIF", "host", [host])
    management = next((db.get("PIF", pif) for pif in pifs if db.value("PIF", pif, "management")), {})
    primary, tag = _primary(db, management), management.get("VLAN", -1)
    address = {field: management[field] for field in _NO_IP if field in management}
    networks = load.objects.setdefault("network", {})
    for old in [pif for pif in pifs if pif in load.mapping]:
        row, network, leads = load.row("PIF", old), new_ref(), old == primary and tag == -1
        networks[network] = _nic_network(row["device"])
        row |= {"uuid": str(uuid.uuid4()), "network": network, "management": leads, "disallow_unplug": False}
        row |= {"other_config": {}, "bond_slave_of": NULL, "currently_attached": True, **(address if leads else _NO_IP)}
    if tag != -1 and primary in load.mapping:
        _management_vlan(load, load.mapping[primary], tag, address)
    inner = next((n for n in db.rows("network").values() if _internal(n)), None)
    if inner is not None:
        shown = ("name_label", "name_description", "bridge", "MTU", "other_config")
        networks[new_ref()] = {"uuid": str(uuid.uuid4()), **{field: inner[field] for field in shown}}


def _management_vlan(load: Load, nic: str, tag: int, address: Row) -> None:
    carrier, network, pif, metrics, vlan = load.objects["PIF"][nic], new_ref(), new_ref(), new_ref(), new_ref()
    ids = {ref: str(uuid.uuid4()) for ref in (network, pif, metrics, vlan)}
    load.objects["network"][network] = {
        "uuid": ids[network],
        "name_label": f"VLAN {tag}",
        "bridge": "xapi0",
        "MTU": 1500,
    }
    load.objects.setdefault("PIF_metrics", {})[metrics] = {"uuid": ids[metrics], "carrier": True}
    shown = {"network": network, "metrics": metrics, "VLAN": tag, "VLAN_master_of": vlan, "management": True, **address}
    kept: Row = {
        field: carrier[field] for field in ("host", "device", "MAC", "MTU", "primary_address_type") if field in carrier
    }
    load.objects["PIF"][pif] = {"uuid": ids[pif], "currently_attached": True, "managed": True, **kept, **shown}
    load.objects["VLAN"] = {vlan: {"uuid": ids[vlan], "tagged_PIF": nic, "untagged_PIF": pif, "tag": tag}}


def _nic_network(device: str) -> Row:
    bridge = device.replace("eth", "xenbr")
    name = f"Pool-wide network associated with {device}"
    return {"uuid": str(uuid.uuid4()), "name_label": name, "bridge": bridge, "MTU": 1500}


def _internal(network: Row) -> bool:
    return bool(network["other_config"].get("is_host_internal_management_network") == "true")


def _primary(db: Database, management: Row) -> str:
    """The NIC below the management interface, which may be a bond, or a VLAN on either."""
    ref = next((ref for ref, pif in db.rows("PIF").items() if pif is management), NULL)
    for vlan in db.rows("VLAN").values():
        if vlan["untagged_PIF"] == ref:
            ref = vlan["tagged_PIF"]
            break
    for bond in db.rows("Bond").values():
        if bond["master"] == ref:
            return str(bond.get("primary_slave") or bond["slaves"][0])
    return ref


def _fresh_host(load: Load, db: Database, host: str, local: str) -> None:
    row, fields = load.row("host", host), db.tables["host"].cls.fields
    iqn = {key: value for key, value in row["other_config"].items() if key == "iscsi_iqn"}
    row |= {name: fields[name].default for name in row.keys() - _KEPT}
    row |= {"name_label": row["hostname"] or db.value("host", host, "name_label")}
    row |= {"name_description": "Default install", "other_config": iqn, "enabled": False}
    row |= {field: local for field in ("suspend_image_sr", "crash_dump_sr") if field in row}
    for metrics in load.objects["host_metrics"].values():
        metrics["live"] = False


def _pool_record(old: Pool, me: str, local: str) -> Row:
    record = old.record
    config = {k: v for k, v in record["other_config"].items() if k == _MASK or k.startswith("memory-ratio")}
    kept: Row = {k: record[k] for k in ("restrictions", "tls_verification_enabled", "ha_cluster_stack") if k in record}
    homes = dict.fromkeys(("default_SR", "suspend_image_SR", "crash_dump_SR"), local)
    return {"uuid": str(uuid.uuid4()), "name_label": "", "master": me, "other_config": config, **homes, **kept}


def _level(pool: Pool) -> dict[str, str]:
    return pool_cpu_info(pool.db, pool.record) if pool.model.at_least("dundee") else {}
