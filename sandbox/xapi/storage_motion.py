"""Disks on their way to other SRs while their VM may run: copied, then taken into use together, or not at all."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

from sandbox.xapi import disks
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.registry import difference
from sandbox.xapi.storage.pbds import attach, refresh_sr
from sandbox.xapi.two_pools import both_held
from sandbox.xapi.values import NULL

_FIXED, _PER_GIB = 2.0, 8.0
"""Simulated seconds to set a copy up, and for each GiB that is written."""
_GIB = 1 << 30
_MOST = 3
"""Storage migrations that a host sends at a time."""
_FINISH = 0.9
"""The part of the progress that is over when all disks are copied."""

difference(
    "VM.migrate_send",
    "A VM's writes during the copy take no time; within a pool a suspend image stays on its SR.",
    "No data is moved.",
)


def both(context: Context, there: Context) -> AbstractContextManager[None]:
    """The locks of both ends, which may be one."""
    return nullcontext() if there.pool is context.pool else both_held(context, there.pool)


@contextlib.contextmanager
def slot(context: Context, source: str) -> Iterator[None]:
    """One of the source host's places. Raises Failure TOO_MANY_STORAGE_MIGRATES."""
    sending = context.pool.storage_migrations
    if sending[source] >= _MOST:
        raise Failure("TOO_MANY_STORAGE_MIGRATES", str(_MOST))
    sending[source] += 1
    try:
        yield
    finally:
        sending[source] -= 1


@contextlib.contextmanager
def copied(context: Context, there: Context, host: str, moves: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Copies of the disks (disk → SR at the destination) as disk → copy. If what follows fails, the copies go again.

    Raises Failure as PBD.plug, MIRROR_FAILED, SR_BACKEND_FAILURE_44, TASK_CANCELLED.
    """
    new: dict[str, str] = {}
    try:
        _copy_all(context, there, host, moves, new)
        yield new
    except (Failure, HostDown):
        with both(context, there):
            for vdi in new.values():
                if there.db.find("VDI", vdi) is not None:
                    disks.remove(there, vdi)
        raise


def _copy_all(context: Context, there: Context, host: str, moves: Mapping[str, str], new: dict[str, str]) -> None:
    order = sorted(moves, key=lambda vdi: (context.get("VDI", vdi)["virtual_size"], vdi))
    total = sum(context.get("VDI", vdi)["virtual_size"] for vdi in order) or 1
    done = 0
    for vdi in order:
        row, sr = dict(context.get("VDI", vdi)), moves[vdi]
        with both(context, there):
            _plug(there, sr, host)
            new[vdi] = disks.receive(there, {**row, **_strange(context, there)}, sr, used=row["physical_utilisation"])
        reached = functools.partial(_reaches, there, sr, host)
        part = row["virtual_size"] / total
        seconds = _FIXED + _PER_GIB * row["physical_utilisation"] / _GIB
        context.work(seconds, _FINISH * done, _FINISH * (done + part), alive=reached)
        done += part
        if not reached() or context.db.find("VDI", vdi) is None:
            raise Failure("MIRROR_FAILED", vdi)


def _strange(context: Context, there: Context) -> dict[str, str]:
    """References that mean nothing in another pool."""
    if context.pool is there.pool:
        return {}
    return {"snapshot_of": NULL, "parent": NULL, "metadata_of_pool": NULL}


def _plug(there: Context, sr: str, host: str) -> None:
    """The destination and its coordinator get the SR attached, where they have a PBD."""
    for pbd in list(there.get("SR", sr)["PBDs"]):
        row = there.get("PBD", pbd)
        wanted = row["host"] in (host, there.pool.coordinator_ref) and there.db.value("host", row["host"], "enabled")
        if wanted and not row["currently_attached"]:
            attach(there, pbd)
            refresh_sr(there, sr)
    if not _reaches(there, sr, host):
        raise Failure("SR_NOT_ATTACHED", there.db.value("SR", sr, "uuid"))


def _reaches(there: Context, sr: str, host: str) -> bool:
    """Does the live destination have the SR plugged? Looked at without the other pool's lock: nothing is written."""
    row = there.db.find("SR", sr)
    pbds = [there.db.find("PBD", pbd) for pbd in row["PBDs"]] if row else []
    plugged = any(pbd and pbd["host"] == host and pbd["currently_attached"] for pbd in pbds)
    machine = there.pool.hosts.get(host)
    return plugged and machine is not None and machine.alive


def take_over(context: Context, vms: list[str], new: Mapping[str, str]) -> None:
    """Within a pool: the VBDs of the VMs use the copies from now on, and the old disks are gone."""
    db = context.db
    for vm in vms:
        for vbd in context.get("VM", vm)["VBDs"]:
            copy = new.get(db.value("VBD", vbd, "VDI"))
            if copy is not None:
                db.write("VBD", vbd, VDI=copy)
    for old, copy in new.items():
        origin = db.value("VDI", old, "snapshot_of")
        if origin in new:
            db.write("VDI", copy, snapshot_of=new[origin])
        for snapshot in list(db.value("VDI", old, "snapshots")):
            if snapshot not in new:
                db.write("VDI", snapshot, snapshot_of=copy)
    for old in new:
        disks.remove(context, old)
