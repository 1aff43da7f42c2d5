"""`host_metrics.memory_free` and `VM.memory_target`: what a monitor on a real host reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.registry import difference
from sandbox.xapi.store import Database
from sandbox.xapi.values import NULL

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool

_PLAUSIBLE = 0.05
"""Of a host's memory: how far the figure of a world may be from what its domains leave."""

difference(
    "host_metrics.memory_free",
    "Follows at once when a VM starts, stops or moves, on hosts whose figure was right when the lab began; elsewhere "
    "it stays.",
    "A real monitor reports within seconds. In the recording no hypervisor measured, and the figure never changed.",
)


def left(db: Database, host: str) -> int:
    """Bytes that the host's domains leave."""
    record = db.get("host", host)
    metrics = db.find("host_metrics", record["metrics"]) or {}
    domains = (db.get("VM", vm) for vm in record["resident_VMs"])
    used = sum(int(vm.get("memory_target", 0)) + int(vm.get("memory_overhead", 0)) for vm in domains)
    return int(metrics.get("memory_total", 0)) - int(record.get("memory_overhead", 0)) - used


def measured(db: Database) -> set[str]:
    """Hosts whose free memory is what their domains leave, more or less."""
    found = set()
    for host, record in db.rows("host").items():
        metrics = db.find("host_metrics", record["metrics"])
        if metrics is not None:
            wrong = abs(int(metrics["memory_free"]) - left(db, host))
            if wrong <= _PLAUSIBLE * int(metrics["memory_total"]):
                found.add(host)
    return found


def follow(pool: Pool, *hosts: str) -> None:
    """Domains came or went on these hosts. A null reference is no host."""
    for host in hosts:
        if host != NULL and host in pool.measured and pool.db.find("host", host) is not None:
            metrics = pool.db.value("host", host, "metrics")
            if pool.db.find("host_metrics", metrics) is not None:
                pool.db.write("host_metrics", metrics, memory_free=max(0, left(pool.db, host)))
