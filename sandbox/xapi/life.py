"""Hosts that lose power, boot, and are missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host


def power_lost(host: Host) -> None:
    pool = host.pool
    with pool.db.lock:
        host.alive = False
        pool.db.changed.notify_all()


def power_back(host: Host) -> None:
    pool = host.pool
    with pool.db.lock:
        host.alive = True
        pool.db.changed.notify_all()
