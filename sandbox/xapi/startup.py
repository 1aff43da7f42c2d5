"""What a host does when its toolstack starts: networks like the coordinator's, storage connected, enabled.

Source: xapi (August 2026). A plug that fails is only told; without HA the host becomes enabled all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi import allowed, dispatch_internal
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.network_sync import copy_networks
from sandbox.xapi.rules.levelling import relevel

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host

_BEFORE_PLUGS = 5.0
_AGAIN = 60.0
"""Simulated seconds: until the storage is looked at; until a member whose coordinator went away tries again."""


def begin(host: Host, booted: bool) -> None:
    """The toolstack answers; the rest follows by itself. After a boot no storage is connected. The pool's lock is
    held."""
    pool, run = host.pool, host.runs
    host.booting = True
    fenced, host.went_down_cleanly = booted and not host.went_down_cleanly, False
    for pbd in pool.db.get("host", host.ref)["PBDs"] if booted else ():
        pool.db.write("PBD", pbd, currently_attached=False)
    relevel(pool)
    pool.after(_BEFORE_PLUGS, lambda: _get_ready(host, run, fenced))


def _get_ready(host: Host, run: int, fenced: bool) -> None:
    """`fenced`: it starts after a boot, and was not told to go down before. Under HA that is taken for a fence."""

    def there() -> bool:
        return host.alive and host.runs == run and host.is_known

    pool = host.pool
    if not there():
        return
    try:
        if not host.is_coordinator:
            copy_networks(pool, host)
            _connect_shared_storage(host)
        if fenced and pool.record["ha_enabled"]:
            pool.post("HA_HOST_WAS_FENCED", 4, "Host", host.uuid, "")
            fenced = False
        failed = _plug(host)
    except HostDown:
        if there():
            pool.after(_AGAIN, lambda: _get_ready(host, run, fenced))
        return
    if not there():
        return
    host.booting = False
    if _may_be_enabled(host, failed):
        pool.db.write("host", host.ref, enabled=True)
    allowed.refresh(pool.db, "host", host.ref)


def _may_be_enabled(host: Host, failed: bool) -> bool:
    pool = host.pool
    guidance = pool.db.get("host", host.ref).get("pending_guidances")
    return host.auto_enable and not guidance and not (failed and pool.record["ha_enabled"])


def _connect_shared_storage(host: Host) -> None:
    """A PBD for each shared SR that the coordinator is connected to, configured as the coordinator's, with secrets of
    its own. Raises HostDown when the coordinator goes away."""
    pool, db = host.pool, host.pool.db
    if pool.record["other_config"].get("sync_create_pbds") == "nosync":
        return
    mine = {db.value("PBD", pbd, "SR") for pbd in db.get("host", host.ref)["PBDs"]}
    for pbd in list(db.get("host", pool.coordinator_ref)["PBDs"]):
        row = db.get("PBD", pbd)
        sr = db.find("SR", row["SR"])
        if sr is not None and sr["shared"] and row["SR"] not in mine and host.is_known:
            config = {key: value for key, value in row["device_config"].items() if key != "SRmaster"}
            record = {"host": host.ref, "SR": row["SR"], "device_config": config}
            dispatch_internal.run_in_passing(pool, "PBD.create", record)


def _plug(host: Host) -> bool:
    """Plug what the host has. Says whether one failed. Raises HostDown when its coordinator goes away."""
    pool, failed = host.pool, False
    for pbd in list(pool.db.get("host", host.ref)["PBDs"]):
        row = pool.db.find("PBD", pbd)
        if row is None or pool.db.find("SR", row["SR"]) is None:
            continue
        try:
            dispatch_internal.run_in_passing(pool, "PBD.plug", pbd)
        except Failure:
            failed = True
    if failed:
        pool.post("PBD_PLUG_FAILED_ON_SERVER_START", 3, "Host", host.uuid, "")
    return failed
