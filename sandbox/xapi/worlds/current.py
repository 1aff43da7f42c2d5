"""A pool of the XenServer 8 stream in everyday shape: three hosts that have drifted apart a little."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.xapi.world import Lab
from sandbox.xapi.worlds.builder import GIB, TIB, PoolBuilder
from sandbox.xapi.worlds.guests import DEBIAN_12, ROCKY_9, WINDOWS_2022, Guest, add_guest, add_snapshot
from sandbox.xapi.worlds.hardware import CASCADE_LAKE, Server, add_host
from sandbox.xapi.worlds.network import Address, Nic, add_networks, add_nic
from sandbox.xapi.worlds.pools import add_message, add_pool, add_repository, finish
from sandbox.xapi.worlds.products import XENSERVER_8
from sandbox.xapi.worlds.storage import add_drivers, add_iscsi, add_local_storage, add_nfs, add_tools_sr, filers
from sandbox.xapi.worlds.templates import add_templates

if TYPE_CHECKING:
    import datetime

HASH = "3b6f1a52c09d4e7791f5f6b1d0a7c4e2"
OLDER_HASH = "91c4a07e5d2b48c38f60b1297ed4ac15"
HOSTS = ("xs21", "xs22", "xs23")
IQN = "iqn.2021-03.com.example.storage:main"
FLAWS = (
    "xs23 has not had the latest updates and should restart its toolstack.",
    "xs22 does not keep its time by NTP.",
    "xs23 has lost its connection to the NFS storage.",
    "xs22 has no link on eth1.",
    "xs21 has only 8 GiB of free memory; most VMs of the other hosts cannot move there.",
    "build-2's disk is on xs22's local storage.",
    "High availability is off.",
)


def lab(now: datetime.datetime) -> Lab:
    """The pool `current` of xs21, xs22 and xs23."""
    product = XENSERVER_8
    pool = PoolBuilder("current", product.release, now)
    add_networks(pool, ("eth0", "eth1"))
    for number, name in enumerate(HOSTS):
        _add_server(pool, name, f"10.0.0.12{number + 1}")
    add_drivers(pool, product)
    add_templates(pool)
    local = {host: add_local_storage(pool, host) for host in HOSTS}
    nfs = add_nfs(pool, HOSTS, name="NFS archive", server="10.0.0.111", path="/srv/archive", size=8 * TIB)
    iscsi = add_iscsi(
        pool,
        HOSTS,
        name="iSCSI main",
        targets="10.0.0.112,10.0.0.113",
        iqn=IQN,
        size=6 * TIB,
        paths=2,
    )
    add_tools_sr(pool, HOSTS, iso=False)
    repository = add_repository(pool, HASH, up_to_date=False)
    add_pool(
        pool,
        product,
        "current",
        coordinator="xs21",
        default_sr=iscsi,
        repositories=[repository],
        last_update_sync=pool.ago(days=2),
        update_sync_enabled=True,
    )
    _add_guests(pool, nfs=nfs, iscsi=iscsi, local=local["xs22"])
    _add_drift(pool, nfs)
    storage = filers("10.0.0.111", ("10.0.0.112", "10.0.0.113"), IQN, HOSTS)
    return Lab("current", (finish(pool),), flaws=FLAWS, storage=storage)


def _add_server(pool: PoolBuilder, name: str, address: str) -> None:
    server = Server(name, address, CASCADE_LAKE, 128 * GIB, model="PowerEdge R640", dom0_memory=6 * GIB, dom0_vcpus=16)
    host = pool.record("host", add_host(pool, XENSERVER_8, server))
    host.update(
        multipathing=True,
        last_update_hash=HASH,
        latest_synced_updates_applied="yes",
        last_software_update=pool.ago(days=30),
        ntp_mode="Custom",
        ntp_custom_servers=["10.0.0.1", "10.0.0.2"],
    )
    host["other_config"] |= {"multipathing": "true", "multipathhandle": "dmp"}
    management = Address(address, gateway="10.0.0.1", dns="10.0.0.1,10.0.0.2")
    nic = Nic("eth0", management, management=True, speed=10000, model="Ethernet Controller X710")
    add_nic(pool, name, nic)
    add_nic(pool, name, replace(nic, device="eth1", address=None, management=False, carrier=name != "xs22"))


def _add_guests(pool: PoolBuilder, *, nfs: str, iscsi: str, local: str) -> None:
    guests = (
        Guest("shop-1", DEBIAN_12, 16 * GIB, 8, ((iscsi, 60),), "xs21", ip="10.0.0.171", tags=("production",)),
        Guest("shop-2", DEBIAN_12, 16 * GIB, 8, ((iscsi, 60),), "xs22", ip="10.0.0.172", tags=("production",)),
        Guest("sql-1", WINDOWS_2022, 64 * GIB, 16, ((iscsi, 100), (iscsi, 800)), "xs21", ip="10.0.0.173"),
        Guest("sql-2", WINDOWS_2022, 48 * GIB, 16, ((iscsi, 100), (iscsi, 800)), "xs22", ip="10.0.0.174"),
        Guest("cache-1", ROCKY_9, 24 * GIB, 4, ((iscsi, 30),), "xs21", ip="10.0.0.175"),
        Guest("archive-1", ROCKY_9, 8 * GIB, 4, ((iscsi, 30), (nfs, 2000)), "xs21", ip="10.0.0.176", tags=("archive",)),
        Guest("monitor-1", DEBIAN_12, 8 * GIB, 4, ((iscsi, 80),), "xs23", ip="10.0.0.177", tools="stale"),
        Guest("build-2", DEBIAN_12, 16 * GIB, 8, ((local, 200),), "xs22", ip="10.0.0.178"),
        Guest("desktop-1", WINDOWS_2022, 16 * GIB, 8, ((iscsi, 120),), "xs23", ip="10.0.0.179", dynamic_min=8 * GIB),
        Guest("spare-1", ROCKY_9, 8 * GIB, 4, ((iscsi, 40),), state="Halted"),
    )
    for guest in guests:
        add_guest(pool, XENSERVER_8, guest)
    add_snapshot(pool, pool.ref("VM", "shop-1"), "release 41", days=3)


def _add_drift(pool: PoolBuilder, nfs: str) -> None:
    pool.record("host", pool.ref("host", "xs22")).update(ntp_mode="Disabled", ntp_custom_servers=[])
    xs23 = pool.ref("host", "xs23")
    pool.record("host", xs23).update(
        last_update_hash=OLDER_HASH,
        latest_synced_updates_applied="no",
        last_software_update=pool.ago(days=95),
        pending_guidances_recommended=["restart_toolstack"],
    )
    lost = next(row for row in pool.objects["PBD"].values() if row["SR"] == nfs and row["host"] == xs23)
    lost.update(currently_attached=False, other_config={})
    add_message(pool, "PBD_PLUG_FAILED_ON_SERVER_START", 3, "Host", xs23, days=41)
    _add_move(pool, "monitor-1", "xs22", "xs23", days=120)


def _add_move(pool: PoolBuilder, vm: str, origin: str, target: str, *, days: float) -> None:
    """That a VM has moved, as the toolstack tells it."""

    def named(cls: str, name: str) -> str:
        return f"'{name}' (uuid: {pool.record(cls, pool.ref(cls, name))['uuid']})"

    body = f"VM {named('VM', vm)} migrated from host {named('host', origin)} to host {named('host', target)}"
    add_message(pool, "VM_MIGRATED", 5, "VM", pool.ref("VM", vm), body=body, days=days)
