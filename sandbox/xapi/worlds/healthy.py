"""A pool with nothing to find: three equal hosts, bonded, on multipathed storage, protected by high availability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.world import Lab
from sandbox.xapi.worlds.builder import GIB, MIB, TIB, PoolBuilder
from sandbox.xapi.worlds.guests import DEBIAN_12, ROCKY_9, WINDOWS_2022, Guest, add_guest
from sandbox.xapi.worlds.hardware import CASCADE_LAKE, Server, add_host
from sandbox.xapi.worlds.network import Address, Nic, add_bond, add_network, add_networks, add_nic
from sandbox.xapi.worlds.pools import add_pool, add_repository, finish
from sandbox.xapi.worlds.products import XENSERVER_8
from sandbox.xapi.worlds.storage import add_drivers, add_iscsi, add_local_storage, add_tools_sr, add_vdi, filers
from sandbox.xapi.worlds.templates import add_templates

if TYPE_CHECKING:
    import datetime

    from sandbox.xapi.world import PoolWorld

HOSTS = ("xs31", "xs32", "xs33")
IQN = "iqn.2023-09.com.example.storage:healthy"
HASH = "c2d9e1b7402f4b3e8a6d5f0c7b91e384"
STATEFILE_BYTES = 266_240
REDO_LOG_BYTES = 3804 * MIB
RAW = {"type": "raw", "vdi_type": "aio"}
"""How LVM notes a disk without a format of its own."""


def lab(now: datetime.datetime) -> Lab:
    """The pool `healthy` of xs31, xs32 and xs33."""
    storage = filers("10.0.2.111", ("10.0.2.112", "10.0.3.112"), IQN, HOSTS)
    return Lab("healthy", (_pool(now),), storage=storage)


def _pool(now: datetime.datetime) -> PoolWorld:
    product = XENSERVER_8
    pool = PoolBuilder("healthy", product.release, now)
    add_networks(pool, ("eth0", "eth1", "eth2", "eth3"))
    add_network(pool, "bond0", "Bond 0+1", bridge="xapi0", description="Management and guests")
    for number, name in enumerate(HOSTS):
        _add_server(pool, name, number)
    add_drivers(pool, product)
    add_templates(pool)
    for host in HOSTS:
        add_local_storage(pool, host)
    main = add_iscsi(
        pool,
        HOSTS,
        name="iSCSI main",
        targets="10.0.2.112,10.0.3.112",
        iqn=IQN,
        size=6 * TIB,
        paths=2,
    )
    add_tools_sr(pool, HOSTS, iso=False)
    repository = add_repository(pool, HASH, up_to_date=True)
    statefile = add_vdi(
        pool,
        main,
        "statefile",
        "Statefile for HA",
        size=STATEFILE_BYTES,
        type="ha_statefile",
        sharable=True,
        sm_config=RAW,
    )
    add_vdi(pool, main, "redo log", "Metadata for HA", size=REDO_LOG_BYTES, type="redo_log", sm_config=RAW)
    add_pool(
        pool,
        product,
        "healthy",
        coordinator=HOSTS[0],
        default_sr=main,
        repositories=[repository],
        last_update_sync=pool.ago(hours=20),
        update_sync_enabled=True,
        update_sync_frequency="daily",
        ha_enabled=True,
        ha_configuration={"timeout": "60"},
        ha_statefiles=[statefile],
        ha_host_failures_to_tolerate=1,
        ha_plan_exists_for=1,
    )
    peers = [pool.uuid("host", host) for host in HOSTS]
    for record in pool.objects["host"].values():
        record.update(ha_statefiles=[statefile], ha_network_peers=list(peers))
    for guest in _guests(main):
        add_guest(pool, product, guest)
    return finish(pool)


def _add_server(pool: PoolBuilder, name: str, number: int) -> None:
    last = 131 + number
    address = f"10.0.0.{last}"
    server = Server(name, address, CASCADE_LAKE, 256 * GIB, model="PowerEdge R640", dom0_memory=8 * GIB, dom0_vcpus=16)
    host = pool.record("host", add_host(pool, XENSERVER_8, server))
    host.update(
        multipathing=True,
        last_update_hash=HASH,
        latest_synced_updates_applied="yes",
        last_software_update=pool.ago(days=9),
        ntp_mode="Custom",
        ntp_custom_servers=["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"],
    )
    host["other_config"] |= {"multipathing": "true", "multipathhandle": "dmp"}
    model = "Ethernet Controller X710"
    for device in ("eth0", "eth1"):
        add_nic(pool, name, Nic(device, speed=10000, model=model))
    for device, subnet in (("eth2", 2), ("eth3", 3)):
        storage = Address(f"10.0.{subnet}.{last}")
        add_nic(pool, name, Nic(device, storage, speed=10000, model=model, purpose=f"Storage {subnet - 1}"))
    add_bond(pool, name, ("eth0", "eth1"), "bond0", Address(address, gateway="10.0.0.1", dns="10.0.0.1,10.0.0.2"))


def _guests(main: str) -> tuple[Guest, ...]:
    """Nine VMs, three on each host; together they fit on any two."""
    plan = (
        ("shop", DEBIAN_12, 16, 1),
        ("sql", WINDOWS_2022, 48, 0),
        ("cache", ROCKY_9, 24, 2),
    )
    return tuple(
        Guest(
            f"{name}-{number + 1}",
            system,
            gib * GIB,
            8,
            ((main, 80),),
            HOSTS[number],
            network="bond0",
            ip=f"10.0.0.{200 + 10 * order + number}",
            ha_priority="restart",
            order=order,
        )
        for name, system, gib, order in plan
        for number in range(3)
    )
