"""Two pools of the XenServer 8 stream that share nothing: VMs go from one to the other with their disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.xapi.world import Lab, PoolWorld
from sandbox.xapi.worlds.builder import GIB, TIB, PoolBuilder
from sandbox.xapi.worlds.guests import DEBIAN_12, ROCKY_9, WINDOWS_2022, Guest, add_guest, add_snapshot
from sandbox.xapi.worlds.hardware import CASCADE_LAKE, Server, add_host
from sandbox.xapi.worlds.network import Address, Nic, add_network, add_networks, add_nic
from sandbox.xapi.worlds.pools import add_pool, finish
from sandbox.xapi.worlds.products import XENSERVER_8
from sandbox.xapi.worlds.storage import add_drivers, add_local_storage, add_nfs, add_tools_sr, filers
from sandbox.xapi.worlds.templates import add_templates

if TYPE_CHECKING:
    import datetime

FLAWS = (
    "south has no network called DMZ, which north has.",
    "build-7's disk is on n2's local storage.",
    "s2 has little memory.",
)
NFS = "10.0.0.111"


@dataclass(frozen=True)
class _Site:
    """A pool: its hosts with their memory in GiB, the last byte of the first one's address, and its eth1's network."""

    name: str
    hosts: dict[str, int]
    address: int
    second: str


NORTH = _Site("north", {"n1": 128, "n2": 128}, 141, "DMZ")
SOUTH = _Site("south", {"s1": 192, "s2": 48}, 151, "Backup")


def lab(now: datetime.datetime) -> Lab:
    """The pools `north` of n1 and n2 with the VMs, and `south` of s1 and s2 with room for them."""
    storage = filers(NFS, (), "iqn.2024-01.com.example.storage:none", ())
    return Lab("two-pools", (_north(now), _south(now)), flaws=FLAWS, storage=storage)


def _begun(site: _Site, now: datetime.datetime) -> tuple[PoolBuilder, str]:
    """The pool with its hosts and its shared storage, which is also its default."""
    pool = PoolBuilder(site.name, XENSERVER_8.release, now)
    add_networks(pool, ("eth0",))
    add_network(pool, "eth1", site.second, bridge="xenbr1")
    for number, (name, memory) in enumerate(site.hosts.items()):
        address = f"10.0.0.{site.address + number}"
        server = Server(name, address, CASCADE_LAKE, memory * GIB, model="PowerEdge R640", dom0_memory=6 * GIB)
        add_host(pool, XENSERVER_8, server)
        add_nic(pool, name, Nic("eth0", Address(address, gateway="10.0.0.1"), management=True, speed=10000))
        add_nic(pool, name, Nic("eth1", speed=10000))
    add_drivers(pool, XENSERVER_8)
    add_templates(pool)
    for name in site.hosts:
        add_local_storage(pool, name)
    shared = add_nfs(pool, site.hosts, name=f"NFS {site.name}", server=NFS, path=f"/srv/{site.name}", size=4 * TIB)
    add_tools_sr(pool, site.hosts, iso=False)
    add_pool(pool, XENSERVER_8, site.name, coordinator=next(iter(site.hosts)), default_sr=shared)
    return pool, shared


def _north(now: datetime.datetime) -> PoolWorld:
    pool, nfs = _begun(NORTH, now)
    local = pool.ref("SR", "local/n2")
    for guest in (
        Guest("web-7", DEBIAN_12, 8 * GIB, 4, ((nfs, 40),), "n1", ip="10.0.0.181", tags=("production",)),
        Guest("sql-7", WINDOWS_2022, 64 * GIB, 16, ((nfs, 100), (nfs, 300)), "n2", ip="10.0.0.182"),
        Guest("build-7", ROCKY_9, 16 * GIB, 8, ((local, 60),), "n2", ip="10.0.0.183"),
        Guest("proxy-7", DEBIAN_12, 4 * GIB, 2, ((nfs, 20),), "n1", ip="10.0.0.184", network="eth1"),
        Guest("wiki-7", DEBIAN_12, 4 * GIB, 2, ((nfs, 30),), state="Halted"),
    ):
        add_guest(pool, XENSERVER_8, guest)
    add_snapshot(pool, pool.ref("VM", "web-7"), "before the move", days=2)
    return finish(pool)


def _south(now: datetime.datetime) -> PoolWorld:
    pool, nfs = _begun(SOUTH, now)
    for guest in (
        Guest("mail-8", DEBIAN_12, 16 * GIB, 4, ((nfs, 80),), "s1", ip="10.0.0.191"),
        Guest("old-8", WINDOWS_2022, 24 * GIB, 4, ((nfs, 80),), "s2", ip="10.0.0.192"),
    ):
        add_guest(pool, XENSERVER_8, guest)
    return finish(pool)
