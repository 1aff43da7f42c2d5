"""HA on and off."""

from __future__ import annotations

from sandbox.xapi import allowed, disks
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, ocaml_failure
from sandbox.xapi.operations import pool_operation
from sandbox.xapi.registry import BOTH, READ, call, difference
from sandbox.xapi.rules import ha_guard, ha_statefile, licence, versions
from sandbox.xapi.rules.placement import is_live

_PER_HOST, _DISABLE = 15.0, 10.0
"""Simulated seconds: each host joins the liveset; the monitor's loop ends."""

difference("pool.enable_ha", "Cluster stacks other than xhad are not looked at.", "No lab has GFS2.")
difference(
    "host.emergency_ha_disable",
    "The host's own fencing is switched off in words only.",
    "No pretend host fences itself: it loses power when it is told to.",
)


@call("pool.enable_ha", source=BOTH)
def enable_ha(context: Context, heartbeat_srs: list[str], configuration: dict[str, str]) -> None:
    """In xapi's order: the pool operation, versions, the licence, PIFs that must be up, live hosts, the SR; then each
    host in turn.
    """
    with pool_operation(context, "ha_enable"):
        if versions.mixed(context.db):
            raise Failure("NOT_SUPPORTED_DURING_UPGRADE")
        licence.require(context.db, "HA")
        _check_hosts(context)
        sr = _choose_sr(context, heartbeat_srs)
        statefile = _volumes(context, sr)
        pool = context.pool.ref
        context.db.write(
            "pool", pool, ha_statefiles=[statefile], ha_configuration=configuration, ha_cluster_stack="xhad"
        )
        _timeout(context, configuration)
        hosts = list(context.db.rows("host"))
        for number, host in enumerate(hosts):
            context.require_live(host)
            context.work(_PER_HOST, number / len(hosts), (number + 1) / len(hosts))
            context.db.write("host", host, ha_statefiles=[statefile])
        context.db.write("pool", pool, ha_enabled=True)
        ha_guard.refresh(context.pool)
    _refresh(context)


def _check_hosts(context: Context) -> None:
    down = [
        ref for ref, pif in context.db.rows("PIF").items() if pif["disallow_unplug"] and not pif["currently_attached"]
    ]
    if down:
        raise Failure("REQUIRED_PIF_IS_UNPLUGGED", *down)
    for host in context.db.rows("host"):
        if not is_live(context.db, host):
            raise Failure("HOST_OFFLINE", host)


def _choose_sr(context: Context, wanted: list[str]) -> str:
    """The first that was named, or any that will do."""
    if wanted:
        ha_statefile.check_sr(context.db, wanted[0])
        return wanted[0]
    for sr in context.db.rows("SR"):
        try:
            ha_statefile.check_sr(context.db, sr)
        except Failure:
            continue
        return sr
    raise Failure("CANNOT_CREATE_STATE_FILE")


def _volumes(context: Context, sr: str) -> str:
    """The statefile and the redo log on the SR, made unless they are there from the last time."""
    found = {context.db.value("VDI", vdi, "type"): vdi for vdi in context.get("SR", sr)["VDIs"]}
    for kind, name, size in (
        ("ha_statefile", "Statefile for HA", ha_statefile.STATEFILE_SIZE),
        ("redo_log", "Metadata for HA", ha_statefile.redo_log_size(context.db)),
    ):
        if kind not in found:
            row = {"SR": sr, "name_label": name, "name_description": f"Used for {kind}", "type": kind}
            sized = {"virtual_size": size, "sm_config": {"type": "raw"}, "sharable": True}
            found[kind] = disks.make(context, {**row, **sized})
    return str(found["ha_statefile"])


def _timeout(context: Context, configuration: dict[str, str]) -> float:
    """Looked at only after the volumes are made."""
    text = configuration.get("timeout", context.pool.record["other_config"].get("default_ha_timeout", "60"))
    try:
        return float(int(text))
    except ValueError:
        raise ocaml_failure("int_of_string") from None


def _refresh(context: Context) -> None:
    allowed.refresh(context.db, "pool", context.pool.ref)
    for vdi, row in list(context.db.rows("VDI").items()):
        if row["type"] in ("ha_statefile", "redo_log"):
            allowed.refresh(context.db, "VDI", vdi)


@call("pool.disable_ha", source=BOTH)
def disable_ha(context: Context) -> None:
    """Statefiles, configuration and the number to tolerate stay."""
    with pool_operation(context, "ha_disable"):
        context.work(_DISABLE)
        context.db.write("pool", context.pool.ref, ha_enabled=False, ha_plan_exists_for=0)
    _refresh(context)


@call("pool.ha_schedule_plan_recomputation", source=READ)
def schedule_plan_recomputation(context: Context) -> None:
    ha_guard.refresh(context.pool)


@call("host.emergency_ha_disable", source=READ, emergency=True, anywhere=True)
def emergency_ha_disable(context: Context, soft: bool = False) -> None:
    """The pool's record still says what it said."""
    if not context.pool.record["ha_enabled"] and not soft:
        raise Failure("HA_NOT_ENABLED")
