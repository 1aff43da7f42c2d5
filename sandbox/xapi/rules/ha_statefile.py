"""May an SR hold HA's statefile, and who reads it? (xapi 26.9.0 as recorded; sizes from xapi's source, August 2026)."""

from __future__ import annotations

from sandbox.xapi.failure import Failure
from sandbox.xapi.rules.placement import plugged_srs
from sandbox.xapi.rules.storage_operations import driver_features
from sandbox.xapi.store import Database

STATEFILE_SIZE = 266_240
REDO_LOG_SIZE, OLD_REDO_LOG_SIZE = 3_988_783_104, 268_435_456
_SPACE, _OLD_SPACE = 3_992_977_408, 373_293_056
"""Bytes; the redo log became bigger with xapi 23.30."""
_SUPPORTED = ("nfs", "lvmoiscsi", "lvmohba", "lvmofcoe", "gfs2", "hba", "netapp", "equal", "cslg", "lvm", "ext", "file")


def redo_log_size(db: Database) -> int:
    return REDO_LOG_SIZE if _is_new(db) else OLD_REDO_LOG_SIZE


def _is_new(db: Database) -> bool:
    return db.model.at_least("23.30.0")


def check_sr(db: Database, ref: str) -> None:
    """Raises Failure SR_HAS_NO_PBDS, INCOMPATIBLE_STATEFILE_SR, SR_OPERATION_NOT_SUPPORTED or
    SR_SOURCE_SPACE_INSUFFICIENT, in this order."""
    sr = db.get("SR", ref)
    pbds = [db.get("PBD", pbd) for pbd in sr["PBDs"]]
    if {p["host"] for p in pbds} < set(db.rows("host")) or not all(p["currently_attached"] for p in pbds):
        raise Failure("SR_HAS_NO_PBDS", ref)
    if sr["type"] not in _SUPPORTED:
        raise Failure("INCOMPATIBLE_STATEFILE_SR", sr["type"])
    if not driver_features(db, sr["type"]) & {"VDI_GENERATE_CONFIG", "VDI_ATTACH_OFFLINE"}:
        raise Failure("SR_OPERATION_NOT_SUPPORTED", ref)
    if any(db.value("VDI", vdi, "type") == "ha_statefile" for vdi in sr["VDIs"]):
        return
    if sr["physical_size"] - sr["physical_utilisation"] < (_SPACE if _is_new(db) else _OLD_SPACE):
        raise Failure("SR_SOURCE_SPACE_INSUFFICIENT", ref)


def reaches_statefiles(db: Database, host: str) -> bool:
    """Is all storage with a statefile of the pool plugged on the host?"""
    plugged = plugged_srs(db, host)
    statefiles = (db.find("VDI", ref) for pool in db.rows("pool").values() for ref in pool["ha_statefiles"])
    return all(vdi["SR"] in plugged for vdi in statefiles if vdi is not None)
