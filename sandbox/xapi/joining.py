"""What a host brings into the pool that it joins, and what becomes of its own (xapi's source, August 2026)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sandbox.xapi import allowed
from sandbox.xapi.hosts import Host
from sandbox.xapi.registry import difference
from sandbox.xapi.rules.join_sides import is_tools_sr
from sandbox.xapi.store import Database
from sandbox.xapi.transplant import Load
from sandbox.xapi.values import NULL, Row

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool

_WITH_HOST = ("host_cpu", "host_patch", "Certificate", "PBD", "host_crashdump")
_WITH_VM = ("VBD", "VIF", "VTPM")
_LEFT_BEHIND: Row = {
    "tags": [], "logging": {}, "power_on_mode": "", "power_on_config": {}, "guest_VCPUs_params": {}, "blobs": {},
    "display": "enabled",
}  # fmt: skip
"""Fields of a host that the pool is not told: there it begins anew."""

difference(
    "pool.join",
    "The control domain, processors and patches of the host are in the pool's database at once.",
    "A real member writes them when it first speaks to its coordinator, half a minute later.",
)
difference(
    "pool.join",
    "PCI devices, GPUs, USB devices, blobs, and the joiner's appliances, schedules and groups do not come along.",
    "No lab has such a device; xapi drops the rest, too.",
)


def default_template(vm: Row) -> bool:
    """One of the templates that every installation has."""
    return bool(vm.get("is_default_template")) or vm["other_config"].get("default_template") == "true"


def owned(db: Database, cls: str, field: str, owners: Iterable[str]) -> list[str]:
    """Objects of a class whose `field` names one of the owners; none when the release has no such class."""
    wanted = set(owners)
    return [ref for ref, row in db.rows(cls).items() if row.get(field) in wanted]


def move_in(joiner: Pool, pool: Pool) -> Host:
    """Push the joiner's objects into the pool's database; both locks are held. Returns the member that it becomes
    when its toolstack starts again: its record is there, disabled and not live."""
    machine, db = joiner.coordinator, joiner.db
    chosen, known = _belongings(db, machine.ref), _already_there(db, pool.db)
    load = Load(db, chosen, known)
    _as_member(load, machine.ref)
    _disks_that_came(load, db)
    _inner_networks(load, db, pool.db)
    load.unload(pool.db)
    for cls in ("SR", "VDI", "VM", "VBD", "VIF", "host"):
        for ref in load.objects.get(cls, ()):
            allowed.refresh(pool.db, cls, ref)
    member = Host(pool, load.mapping[machine.ref])
    member.take_over(machine)
    pool.hosts[member.ref] = member
    if machine.ref in joiner.measured:
        pool.measured.add(member.ref)
    return member


def _belongings(db: Database, host: str) -> dict[str, list[str]]:
    """What goes along, by class. Bonds and VLANs do not: the member copies the coordinator's."""
    row = db.get("host", host)
    pifs = [ref for ref in owned(db, "PIF", "host", [host]) if _goes_along(db.get("PIF", ref))]
    pbds = owned(db, "PBD", "host", [host])
    srs = [sr for sr in dict.fromkeys(db.value("PBD", pbd, "SR") for pbd in pbds) if db.find("SR", sr)]
    srs = [sr for sr in srs if not db.value("SR", sr, "shared") and not is_tools_sr(db.get("SR", sr))]
    vms = list(db.rows("VM"))
    out = {cls: owned(db, cls, "host", [host]) for cls in _WITH_HOST}
    out["PBD"] = [pbd for pbd in pbds if db.value("PBD", pbd, "SR") in srs]
    patches = {db.value("host_patch", ref, "pool_patch") for ref in out["host_patch"]}
    out |= {
        "host": [host],
        "host_metrics": [row["metrics"]] if db.find("host_metrics", row["metrics"]) else [],
        "pool_patch": [ref for ref in db.rows("pool_patch") if ref in patches],
        "pool_update": [ref for ref in db.rows("pool_update") if ref in row.get("updates", ())],
        "PIF": pifs,
        "PIF_metrics": [m for m in (db.value("PIF", pif, "metrics") for pif in pifs) if db.find("PIF_metrics", m)],
        "network": [n for n in db.rows("network") if _has_vifs_or(db, n, pifs)],
        "SR": srs,
        "VDI": owned(db, "VDI", "SR", srs),
        "secret": _secrets(db, out["PBD"]),
        "VLAN": [ref for ref, vlan in db.rows("VLAN").items() if vlan["untagged_PIF"] in pifs],
        "VM": vms,
        "VM_metrics": [m for m in (db.value("VM", vm, "metrics") for vm in vms) if db.find("VM_metrics", m)],
        "VM_guest_metrics": [
            m for m in (db.value("VM", vm, "guest_metrics") for vm in vms) if db.find("VM_guest_metrics", m)
        ],
        "console": owned(db, "console", "VM", vms),
    }
    return out | {cls: owned(db, cls, "VM", vms) for cls in _WITH_VM}


def _goes_along(pif: Row) -> bool:
    return bool(pif["physical"] or (pif["management"] and pif["VLAN"] != -1))


def _has_vifs_or(db: Database, network: str, pifs: list[str]) -> bool:
    row = db.get("network", network)
    return bool(row["VIFs"]) or bool(set(row["PIFs"]) & set(pifs)) or not row["PIFs"]


def _secrets(db: Database, pbds: list[str]) -> list[str]:
    uuids = {v for pbd in pbds for k, v in db.value("PBD", pbd, "device_config").items() if k.endswith("_secret")}
    return [ref for ref, row in db.rows("secret").items() if row["uuid"] in uuids]


# What the pool has already


def _already_there(db: Database, pool: Database) -> dict[str, str]:
    """The joiner's objects that are one with an object of the pool: reference → the pool's reference."""
    known: dict[str, str] = {}

    def one_with(cls: str, key: Callable[[Database, Row], str]) -> None:
        there = {key(pool, row): ref for ref, row in pool.rows(cls).items()}
        for ref, row in db.rows(cls).items():
            mark = key(db, row)
            if mark and mark in there:
                known[ref] = there[mark]

    one_with("network", _network_mark)
    one_with("pool_patch", lambda _, row: str(row["uuid"]))
    one_with("pool_update", lambda _, row: str(row["uuid"]))
    one_with("secret", lambda _, row: str(row["uuid"]))
    one_with("SR", lambda _, row: "tools" if is_tools_sr(row) else "")
    one_with("VDI", _tools_disk)
    one_with("VM", lambda _, row: str(row["name_label"]) if default_template(row) else "")
    return known


def _network_mark(db: Database, row: Row) -> str:
    """Physical networks are one when their bridges are named alike, management VLANs when their tags are; the network
    between a host and its guests is everybody's."""
    if row["other_config"].get("is_host_internal_management_network") == "true":
        return "internal"
    pifs = [db.get("PIF", pif) for pif in row["PIFs"]]
    tags = {pif["VLAN"] for pif in pifs if pif["VLAN"] != -1}
    if tags:
        return f"vlan {min(tags)}" if any(pif["management"] for pif in pifs) else ""
    return f"bridge {row['bridge']}" if pifs else ""


def _tools_disk(db: Database, row: Row) -> str:
    sr = db.find("SR", row["SR"])
    return str(row["location"]) if sr is not None and is_tools_sr(sr) else ""


# What arrives differently


def _as_member(load: Load, host: str) -> None:
    row = load.row("host", host)
    row |= {"enabled": False, "ha_statefiles": [], "ha_network_peers": []}
    row |= {field: value for field, value in _LEFT_BEHIND.items() if field in row}
    row["suspend_image_sr"] = row["crash_dump_sr"]  # xapi takes the one for the other
    if metrics := load.objects["host_metrics"].get(row["metrics"]):
        metrics["live"] = False
    for pbd in load.objects["PBD"].values():
        pbd["currently_attached"] = False
    for vm in load.objects["VM"].values():
        if not vm["is_control_domain"]:
            vm |= {"resident_on": NULL, "ha_always_run": False}


def _disks_that_came(load: Load, db: Database) -> None:
    """A drive whose disc stayed behind is empty; a disk that stayed behind is gone from its VM."""
    there = set(load.mapping.values())
    for ref, row in db.rows("VM").items():
        if load.mapping.get(ref) not in load.objects["VM"]:  # one with a template of the pool
            for cls, field in (("VBD", "VBDs"), ("VIF", "VIFs"), ("VTPM", "VTPMs"), ("console", "consoles")):
                for device in row.get(field, ()):
                    load.objects.get(cls, {}).pop(load.mapping.get(device, ""), None)
            for cls, field in (("VM_metrics", "metrics"), ("VM_guest_metrics", "guest_metrics")):
                load.objects[cls].pop(load.mapping.get(row[field], ""), None)
    for ref, vbd in list(load.objects["VBD"].items()):
        if vbd["empty"] or vbd["VDI"] in there:
            continue
        if vbd["type"] == "CD":
            vbd["empty"] = True
        else:
            del load.objects["VBD"][ref]


def _inner_networks(load: Load, db: Database, pool: Database) -> None:
    """Networks without a NIC are made anew, with bridges that the pool does not use."""
    used = {row["bridge"] for row in pool.rows("network").values()}
    free = (f"xapi{number}" for number in range(len(used) + len(db.rows("network")) + 1))
    for ref, row in load.objects["network"].items():
        old = next(o for o, new in load.mapping.items() if new == ref)
        row["uuid"] = ""
        if not db.value("network", old, "PIFs"):
            row["bridge"] = next(bridge for bridge in free if bridge not in used)
