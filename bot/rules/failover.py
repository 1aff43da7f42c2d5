"""HA's planner: could every protected VM be restarted if hosts failed, one after the other, whichever they are?

Pure arithmetic over :class:`Layout`, so that it can be held against an exhaustive search. Source: xapi's binpack and
Xapi_ha_vm_failover, as recorded: VMs count at their static maximum, biggest first, each onto the host with the most
room; CPUs and affinities are not looked at.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

EXACT_HOSTS, EXACT_CASES = 32, 3500
"""Beyond these xapi does not try every order of failures, but reckons pessimistically."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Hosts that count (enabled and live) and protected VMs, by uuid. Bytes. Hosts are in the order of their uuids."""

    free: Mapping[str, int]
    """Room of each host when every VM on it takes its static maximum."""
    sizes: Mapping[str, int]
    """What each protected VM takes."""
    homes: Mapping[str, str]
    """Where each protected VM runs; those that do not run are missing."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Why there is no plan: these hosts failing in this order leave these VMs without a place. No host at all: the VMs
    have no place even now.
    """

    hosts: tuple[str, ...]
    vms: tuple[str, ...]
    rough: bool = False
    """Reckoned pessimistically, not found by trying: `hosts` is empty."""


@dataclass(slots=True)
class _State:
    free: dict[str, int]
    homes: dict[str, str] = field(default_factory=dict)


def place(free: Mapping[str, int], sizes: Mapping[str, int], vms: Iterable[str]) -> dict[str, str | None]:
    """Where each VM would be restarted: biggest first, each onto the host with the most room; None without a place."""
    order = {host: at for at, host in enumerate(free)}
    heap = [(-room, order[host], host) for host, room in free.items()]
    heapq.heapify(heap)
    placed: dict[str, str | None] = {}
    for vm in sorted(vms, key=lambda vm: (-sizes[vm], vm)):
        if not heap or -heap[0][0] < sizes[vm]:
            placed[vm] = None
            continue
        room, at, host = heap[0]
        heapq.heapreplace(heap, (room + sizes[vm], at, host))
        placed[vm] = host
    return placed


def gap(layout: Layout, failures: int) -> Gap | None:
    """The first way in which `failures` failing hosts leave a VM without a place; None when there is a full plan."""
    state = _State(dict(layout.free), {vm: host for vm, host in layout.homes.items() if host in layout.free})
    waiting = [vm for vm in layout.sizes if vm not in state.homes]
    homeless = _restart(state, layout.sizes, waiting)
    if homeless:
        return Gap((), homeless)
    hosts = len(state.free)
    if failures <= 0:
        return None
    if hosts <= EXACT_HOSTS and math.perm(hosts, min(failures, hosts)) < EXACT_CASES:
        return _tried(state, layout.sizes, failures, ())
    return _reckoned(state, layout.sizes, failures)


def most(layout: Layout, hosts: int) -> int:
    """The largest number of failures with a full plan, sought as xapi seeks it: by halving between 0 and `hosts`, the
    number of all hosts of the pool.
    """
    low, high = 0, hosts
    while low < high:
        middle = (low + high + 1) // 2
        if gap(layout, middle) is None:
            low = middle
        else:
            high = middle - 1
    return low


def _restart(state: _State, sizes: Mapping[str, int], vms: Iterable[str]) -> tuple[str, ...]:
    """Restart VMs where there is room; those without a place are returned."""
    placed = place(state.free, sizes, vms)
    for vm, host in placed.items():
        if host is not None:
            state.free[host] -= sizes[vm]
            state.homes[vm] = host
    return tuple(vm for vm, host in placed.items() if host is None)


def _tried(state: _State, sizes: Mapping[str, int], failures: int, failed: tuple[str, ...]) -> Gap | None:
    if failures == 0:
        return None
    if not state.free:
        return Gap(failed, tuple(sizes)) if sizes else None
    for host in state.free:
        rest = _State(
            {each: room for each, room in state.free.items() if each != host},
            {vm: home for vm, home in state.homes.items() if home != host},
        )
        lost = [vm for vm, home in state.homes.items() if home == host]
        homeless = _restart(rest, sizes, lost)
        if homeless:
            return Gap((*failed, host), homeless)
        found = _tried(rest, sizes, failures - 1, (*failed, host))
        if found is not None:
            return found
    return None


def _reckoned(state: _State, sizes: Mapping[str, int], failures: int) -> Gap | None:
    """Every VM as big as the biggest; the hosts with the most VMs fail, those with the least room remain."""
    if not sizes:
        return None
    hosts = len(state.free)
    if failures < hosts:
        biggest = max(sizes.values())
        load = dict.fromkeys(state.free, 0)
        for home in state.homes.values():
            load[home] += 1
        room = sorted(max(0, left) // biggest for left in state.free.values())
        if sum(sorted(load.values(), reverse=True)[:failures]) <= sum(room[: hosts - failures]):
            return None
    return Gap((), tuple(sizes), rough=True)
