"""What a pool's database loses when a host or a VM leaves it for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi import allowed
from sandbox.xapi.rules.levelling import relevel

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool
    from sandbox.xapi.store import Database

_OF_HOST = ("PBD", "host_cpu", "host_patch", "host_crashdump", "PGPU", "PUSB", "PCI", "Certificate", "Cluster_host")


def forget_host(pool: Pool, host: str) -> None:
    """The record goes, and all that is of this host alone: control domain, PIFs, bonds, VLANs, PBDs. References from
    elsewhere (an affinity) stay where they are, as in xapi."""
    db, row = pool.db, pool.db.get("host", host)
    srs = {db.value("PBD", pbd, "SR") for pbd in row["PBDs"]}
    for vm in list(row["resident_VMs"]):
        if db.value("VM", vm, "is_control_domain"):
            forget_vm(db, vm)
    _forget_networks(pool, host)
    for cls in _OF_HOST:
        for ref in [r for r, found in db.rows(cls).items() if found.get("host") == host]:
            db.destroy(cls, ref)
    if db.find("host_metrics", row["metrics"]) is not None:
        db.destroy("host_metrics", row["metrics"])
    pool.hosts.pop(host)
    pool.measured.discard(host)
    db.destroy("host", host)
    for sr in srs:
        allowed.refresh(db, "SR", sr)
    relevel(pool)


def forget_vm(db: Database, vm: str) -> None:
    """The record goes, with its devices, consoles and metrics; disks stay."""
    row = db.get("VM", vm)
    for cls, field in (("VBD", "VBDs"), ("VIF", "VIFs"), ("console", "consoles")):
        for ref in list(row[field]):
            db.destroy(cls, ref)
    for cls, field in (("VM_metrics", "metrics"), ("VM_guest_metrics", "guest_metrics")):
        if db.find(cls, row[field]) is not None:
            db.destroy(cls, row[field])
    db.destroy("VM", vm)


def _forget_networks(pool: Pool, host: str) -> None:
    db = pool.db
    pifs = {ref for ref, pif in db.rows("PIF").items() if pif["host"] == host}
    for cls, field in (("Bond", "master"), ("VLAN", "untagged_PIF"), ("tunnel", "access_PIF")):
        for ref in [r for r, row in db.rows(cls).items() if row[field] in pifs]:
            db.destroy(cls, ref)
    for ref in pifs:
        metrics = db.value("PIF", ref, "metrics")
        if db.find("PIF_metrics", metrics) is not None:
            db.destroy("PIF_metrics", metrics)
        db.destroy("PIF", ref)
