"""Which operations a host and the pool allow (xapi's source, August 2026, held against xapi 26.9.0 as recorded)."""

from __future__ import annotations

from sandbox.xapi.rules.device_operations import Verdicts
from sandbox.xapi.store import Database

_NEW_VMS = ("provision", "vm_resume", "vm_migrate")
_FEWER_VMS = ("evacuate", "reboot", "shutdown")
_EXCLUSIVE = {
    "reboot": ("shutdown", "apply_updates"),
    "shutdown": ("reboot", "apply_updates"),
    "apply_updates": ("reboot", "shutdown", "enable"),
    "provision": ("provision",),
}


def host_verdicts(db: Database, ref: str) -> Verdicts:
    host, model = db.get("host", ref), db.model
    known = [op for op in model.enums["host_allowed_operations"] if op.startswith("vm_") or _host_op_known(db, op)]
    out = Verdicts(known)
    for task, name in host["current_operations"].items():
        clash = _FEWER_VMS if name in _NEW_VMS else _NEW_VMS if name in _FEWER_VMS else ()
        out.forbid(clash, "OTHER_OPERATION_IN_PROGRESS", "host", ref, name, task)
        out.forbid(_EXCLUSIVE.get(name, ()), "OTHER_OPERATION_IN_PROGRESS", "host", ref, name, task)
    if host["enabled"]:
        out.forbid(("reboot", "shutdown", "apply_updates"), "HOST_NOT_DISABLED")
    metrics = db.find("host_metrics", host["metrics"])
    if metrics is not None and metrics["live"]:
        out.forbid(("power_on",), "HOST_IS_LIVE", ref)
    if host.get("power_on_mode", "") == "":
        out.forbid(("power_on",), "HOST_POWER_ON_MODE_DISABLED")
    return out


def _host_op_known(db: Database, op: str) -> bool:
    return op == "provision" or db.model.knows(f"host.{op}")


# In xapi's order; the second is the call that brought the operation.
_POOL_BLOCKING = {
    "ha_enable": "pool.enable_ha",
    "ha_disable": "pool.disable_ha",
    "cluster_create": "Cluster.create",
    "designate_new_master": "pool.designate_new_master",
    "tls_verification_enable": "pool.enable_tls_verification",
    "configure_repositories": "pool.set_repositories",
    "sync_updates": "pool.sync_updates",
    "sync_bundle": "pool.set_update_sync_enabled",
    "apply_updates": "host.apply_updates",
}
_POOL_WAITING = {
    "cert_refresh": "host.refresh_server_certificate",
    "exchange_certificates_on_join": "pool.exchange_certificates_on_join",
    "exchange_ca_certificates_on_join": "pool.exchange_ca_certificates_on_join",
    "copy_primary_host_certs": "pool.exchange_certificates_on_join",
    "eject": "pool.eject",
    "get_updates": "host.apply_updates",
    "exchange_crls_on_join": "pool.exchange_crls_on_join",
}


def pool_verdicts(db: Database, ref: str) -> Verdicts:
    pool, model = db.get("pool", ref), db.model
    blocking = [op for op, came_with in _POOL_BLOCKING.items() if model.knows(came_with)]
    waiting = [op for op, came_with in _POOL_WAITING.items() if model.knows(came_with)]
    out = Verdicts([*blocking, *waiting])
    current = pool.get("current_operations", {})
    running = next((op for op in _POOL_BLOCKING if op in current.values()), None)
    patient = next(([name, task] for task, name in current.items() if name in _POOL_WAITING), [])
    if running:
        out.forbid(blocking, f"{running.upper()}_IN_PROGRESS")
        out.forbid(waiting, "OTHER_OPERATION_IN_PROGRESS", "pool", ref, *patient)
    elif patient:
        out.forbid([*blocking, *waiting], "OTHER_OPERATION_IN_PROGRESS", "pool", ref, *patient)
    elif pool["ha_enabled"]:
        out.forbid(("ha_enable", "tls_verification_enable"), "HA_IS_ENABLED")
        out.forbid(("cluster_create",), "INCOMPATIBLE_CLUSTER_STACK_ACTIVE", pool.get("ha_cluster_stack", ""))
    else:
        out.forbid(("ha_disable",), "HA_NOT_ENABLED")
    if db.rows("Cluster"):
        out.forbid(("cluster_create",), "CLUSTER_ALREADY_EXISTS")
    return out
