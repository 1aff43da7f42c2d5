"""Pools of any size: made from a seed, the same in every run."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from sandbox.xapi.world import Lab, LabError, PoolWorld
from sandbox.xapi.worlds.builder import GIB, TIB, PoolBuilder
from sandbox.xapi.worlds.guests import DEBIAN_12, ROCKY_9, WINDOWS_2022, Guest, add_guest
from sandbox.xapi.worlds.hardware import CASCADE_LAKE, Server, add_host
from sandbox.xapi.worlds.network import Address, Nic, add_networks, add_nic
from sandbox.xapi.worlds.pools import add_pool, finish
from sandbox.xapi.worlds.products import XENSERVER_8
from sandbox.xapi.worlds.storage import add_drivers, add_iscsi, add_local_storage, add_tools_sr, filers
from sandbox.xapi.worlds.templates import add_templates

if TYPE_CHECKING:
    import datetime

DEFAULT_SIZE = "3x12"
MOST_HOSTS = 64
MOST_VMS = 10_000
MOST_POOLS = 200
VMS_PER_SR = 400

_ROLES = ("web", "api", "db", "cache", "queue", "mail", "build", "report", "proxy", "auth")
_MEMORY_GIB = (1, 2, 2, 4, 4, 4, 8, 8, 16, 32)
_RUNNING = 0.85
_DOM0 = 8 * GIB


def lab(size: str | None, *, pools: int | None, seed: int, now: datetime.datetime) -> Lab:
    """`pools` pools (default 1), each of `size` ``HOSTSxVMS`` (default ``3x12``).  Raises LabError for a bad size."""
    count = 1 if pools is None else pools
    if not 1 <= count <= MOST_POOLS:
        raise LabError(f"The number of pools is between 1 and {MOST_POOLS}, not {count}.")
    hosts, vms = parse_size(size or DEFAULT_SIZE)
    storage = filers("10.0.0.111", ("10.0.0.112",), "iqn.2024-01.com.example.storage:spare", ())
    if count == 1:
        return Lab(f"fleet {hosts}x{vms}", (_pool("fleet", "", 0, hosts, vms, seed, now),), storage=storage)
    names = [f"pool-{number + 1:02}" for number in range(count)]
    worlds = [_pool(name, f"p{n + 1:02}-", n, hosts, vms, seed + n, now) for n, name in enumerate(names)]
    return Lab(f"{count} pools of {hosts}x{vms}", tuple(worlds), storage=storage)


def parse_size(size: str) -> tuple[int, int]:
    """``64x4000`` → 64 hosts, 4,000 VMs.  Raises LabError."""
    match = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", size.strip().lower())
    if not match:
        raise LabError(f"A fleet's size is written HOSTSxVMS, such as 16x400, not {size!r}.")
    hosts, vms = int(match[1]), int(match[2])
    if not 1 <= hosts <= MOST_HOSTS or vms > MOST_VMS:
        limits = f"1 to {MOST_HOSTS} hosts and at most {MOST_VMS:,} VMs"
        raise LabError(f"A fleet's pool has {limits}, not {hosts} and {vms:,}.")
    return hosts, vms


def _pool(name: str, prefix: str, number: int, hosts: int, vms: int, seed: int, now: datetime.datetime) -> PoolWorld:
    chance = random.Random(seed)  # noqa: S311 - variety, not secrecy
    product = XENSERVER_8
    pool = PoolBuilder(name, product.release, now)
    names = [f"{prefix}xs{n + 1:02}" for n in range(hosts)]
    guests = _plan(chance, prefix, names, vms)
    load = {host: sum(memory for _, memory, _, on in guests if on == host) for host in names}
    memory = _memory_for(max(load.values()), hosts)
    add_networks(pool, ("eth0", "eth1"))
    for position, host in enumerate(names):
        address = f"10.{10 + number % 200}.{position // 200}.{position % 200 + 11}"
        add_host(pool, product, Server(host, address, CASCADE_LAKE, memory, model="PowerEdge R640", dom0_memory=_DOM0))
        add_nic(pool, host, Nic("eth0", Address(address, netmask="255.255.0.0"), management=True, speed=10000))
        add_nic(pool, host, Nic("eth1", speed=10000))
    add_drivers(pool, product)
    add_templates(pool)
    for host in names:
        add_local_storage(pool, host)
    shared = [_add_shared_sr(pool, names, n + 1) for n in range(max(1, -(-vms // VMS_PER_SR)))]
    add_tools_sr(pool, names, iso=False)
    label = name
    add_pool(pool, product, label, coordinator=names[0], default_sr=shared[0])
    for position, (vm, size, vcpus, on) in enumerate(guests):
        state = "Running" if on else "Halted"
        system = chance.choice((DEBIAN_12, ROCKY_9, WINDOWS_2022))
        disks = ((shared[position % len(shared)], chance.choice((20, 40, 80))),)
        ip = f"10.{10 + number % 200}.{100 + position // 250}.{position % 250 + 1}"
        tags = (chance.choice(("production", "test")),)
        up_days = chance.randrange(1, 200)
        add_guest(pool, product, Guest(vm, system, size, vcpus, disks, on, state, ip=ip, tags=tags, up_days=up_days))
    return finish(pool)


def _plan(chance: random.Random, prefix: str, hosts: list[str], vms: int) -> list[tuple[str, int, int, str | None]]:
    """(name, memory, vCPUs, host) of each VM; running ones go round the hosts, so that these carry about the same."""
    numbers = dict.fromkeys(_ROLES, 0)
    plan: list[tuple[str, int, int, str | None]] = []
    for position in range(vms):
        role = chance.choice(_ROLES)
        numbers[role] += 1
        memory = chance.choice(_MEMORY_GIB) * GIB
        on = hosts[position % len(hosts)] if chance.random() < _RUNNING else None
        plan.append((f"{prefix}{role}-{numbers[role]}", memory, chance.choice((1, 2, 4, 8)), on))
    return plan


def _memory_for(load: int, hosts: int) -> int:
    """Memory that every host gets: the fullest one's guests plus the share of one failed host, in steps of 64 GiB."""
    need = int(load * (1 + 1 / max(1, hosts - 1)) * 1.1) + _DOM0 + 8 * GIB
    step = 64 * GIB
    return -(-need // step) * step


def _add_shared_sr(pool: PoolBuilder, hosts: list[str], number: int) -> str:
    return add_iscsi(
        pool,
        hosts,
        name=f"iSCSI {number}",
        targets="10.0.0.112",
        iqn=f"iqn.2024-01.com.example.storage:{pool.name}-{number}",
        size=40 * TIB,
        paths=1,
    )
