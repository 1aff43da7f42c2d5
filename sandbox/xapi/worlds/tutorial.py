"""The tutorial's lab: XenServer 6.5 SP1 on three servers, two of a kind.

`start` is how the tutorial begins: each host freshly installed and on its own.  `tutorial` is how it goes on: xs1 and
xs2 are the pool `lab` on NFS and iSCSI storage, and xs3, with another processor, still stands alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.world import Lab, PoolWorld
from sandbox.xapi.worlds.builder import GIB, TIB, PoolBuilder
from sandbox.xapi.worlds.guests import (
    CENTOS_7,
    DEBIAN_7,
    UBUNTU_14,
    WINDOWS_2012,
    Guest,
    add_guest,
    add_snapshot,
)
from sandbox.xapi.worlds.hardware import HASWELL, IVY_BRIDGE, Server, add_host
from sandbox.xapi.worlds.network import Address, Nic, add_networks, add_nic
from sandbox.xapi.worlds.pools import add_message, add_pool, finish
from sandbox.xapi.worlds.products import XENSERVER_65_SP1
from sandbox.xapi.worlds.storage import (
    add_drivers,
    add_iscsi,
    add_iso_library,
    add_local_storage,
    add_nfs,
    add_tools_sr,
    filers,
)
from sandbox.xapi.worlds.templates import add_templates

if TYPE_CHECKING:
    import datetime

    from sandbox.xapi.storage.declared import Storage

NFS_SERVER = "10.0.0.111"
ISCSI_TARGET = "10.0.0.112"
ISCSI_IQN = "iqn.2015-06.com.example.storage:xen"

XS1 = Server("xs1", "10.0.0.101", IVY_BRIDGE, 64 * GIB - 86 * 1024**2)
XS2 = Server("xs2", "10.0.0.102", IVY_BRIDGE, 64 * GIB - 86 * 1024**2)
XS3 = Server("xs3", "10.0.0.103", HASWELL, 96 * GIB - 91 * 1024**2, maker="HP", model="ProLiant DL360 Gen9", up_days=6)

FLAWS = (
    "An ISO of xs2's own disk is in the drive of files-1, which therefore cannot leave xs2.",
    "build-1 has its disk on xs1's local storage.",
    "The pool has only two hosts.",
)


def lab(now: datetime.datetime) -> Lab:
    """xs1 and xs2 pooled, xs3 stand-alone."""
    return Lab("tutorial", (_pool(now), _alone(XS3, now, with_vm=True)), flaws=FLAWS, storage=_filers())


def start_lab(now: datetime.datetime) -> Lab:
    """The three hosts as they were installed, each a pool of one."""
    flaws = ("The three hosts are not a pool yet.", "xs3 has another processor than xs1 and xs2.")
    pools = tuple(_alone(server, now) for server in (XS1, XS2, XS3))
    return Lab("tutorial-start", pools, flaws=flaws, storage=_filers())


def _filers() -> Storage:
    return filers(NFS_SERVER, (ISCSI_TARGET, "10.0.0.113"), ISCSI_IQN, ("xs1", "xs2", "xs3"))


def _add_server(pool: PoolBuilder, server: Server) -> None:
    add_host(pool, XENSERVER_65_SP1, server)
    gateway = Address(server.address, gateway="10.0.0.1", dns="10.0.0.1")
    add_nic(pool, server.name, Nic("eth0", gateway, management=True))
    add_nic(pool, server.name, Nic("eth1"))


def _alone(server: Server, now: datetime.datetime, *, with_vm: bool = False) -> PoolWorld:
    product = XENSERVER_65_SP1
    pool = PoolBuilder(server.name, product.release, now)
    add_networks(pool, ("eth0", "eth1"))
    _add_server(pool, server)
    add_drivers(pool, product)
    local = add_local_storage(pool, server.name)
    add_tools_sr(pool, [server.name], iso=True)
    add_templates(pool)
    if with_vm:
        add_guest(
            pool,
            product,
            Guest("trial-1", CENTOS_7, 2 * GIB, 2, ((local, 20),), state="Halted", description="To try things out"),
        )
    add_pool(pool, product, "", coordinator=server.name, default_sr=local)
    return finish(pool)


def _pool(now: datetime.datetime) -> PoolWorld:
    product = XENSERVER_65_SP1
    hosts = [XS1.name, XS2.name]
    pool = PoolBuilder("lab", product.release, now)
    add_networks(pool, ("eth0", "eth1"))
    for server in (XS1, XS2):
        _add_server(pool, server)
    for host in pool.objects["host"].values():
        host["other_config"] |= {"multipathing": "true", "multipathhandle": "dmp"}
    add_drivers(pool, product)
    add_templates(pool)
    nfs = add_nfs(pool, hosts, name="NFS storage", server=NFS_SERVER, path="/srv/xen", size=2 * TIB)
    iscsi = add_iscsi(pool, hosts, name="iSCSI storage", targets=ISCSI_TARGET, iqn=ISCSI_IQN, size=2 * TIB, paths=2)
    isos = ("debian-8.11.1-amd64-netinst.iso", "CentOS-7-x86_64-Minimal-1511.iso", "windows-server-2012-r2.iso")
    add_iso_library(pool, hosts, location=f"{NFS_SERVER}:/srv/iso", isos=isos)
    local = {host: add_local_storage(pool, host) for host in hosts}
    add_iso_library(pool, ["xs2"], location="/var/opt/iso", isos=("drivers.iso", "backup-agent.iso"))
    add_tools_sr(pool, hosts, iso=True)
    label = "lab"
    add_pool(pool, product, label, coordinator="xs1", default_sr=iscsi, description="The tutorial's pool")
    _add_guests(pool, nfs=nfs, iscsi=iscsi, local=local["xs1"])
    _add_alerts(pool)
    return finish(pool)


def _add_guests(pool: PoolBuilder, *, nfs: str, iscsi: str, local: str) -> None:
    drivers_iso = pool.ref("VDI", "isos of xs2/drivers.iso")
    guests = (
        Guest("web-1", DEBIAN_7, 2 * GIB, 2, ((nfs, 20),), "xs1", ip="10.0.0.151", tags=("web", "production")),
        Guest("web-2", DEBIAN_7, 2 * GIB, 2, ((nfs, 20),), "xs2", ip="10.0.0.152", tags=("web", "production")),
        Guest(
            "db-1",
            CENTOS_7,
            12 * GIB,
            4,
            ((iscsi, 20), (iscsi, 200)),
            "xs1",
            ip="10.0.0.153",
            tags=("database", "production"),
            description="Orders and customers",
            up_days=33,
        ),
        Guest("db-2", CENTOS_7, 8 * GIB, 4, ((iscsi, 20), (iscsi, 100)), "xs2", ip="10.0.0.154", tags=("database",)),
        Guest("mail-1", UBUNTU_14, 4 * GIB, 2, ((iscsi, 80),), "xs1", ip="10.0.0.155", tags=("production",)),
        Guest("dc-1", WINDOWS_2012, 4 * GIB, 2, ((iscsi, 60),), "xs2", ip="10.0.0.156", tags=("windows", "production")),
        Guest(
            "files-1",
            WINDOWS_2012,
            4 * GIB,
            2,
            ((iscsi, 60), (nfs, 400)),
            "xs2",
            ip="10.0.0.157",
            tags=("windows",),
            cd=drivers_iso,
        ),
        Guest("crm-1", WINDOWS_2012, 6 * GIB, 4, ((iscsi, 80),), "xs1", ip="10.0.0.158", tools="stale"),
        Guest(
            "legacy-1", CENTOS_7, 2 * GIB, 1, ((nfs, 30),), "xs2", tools="none", description="Nobody dares to touch it"
        ),
        Guest("build-1", UBUNTU_14, 4 * GIB, 4, ((local, 120),), "xs1", ip="10.0.0.159", folder="/development"),
        Guest("jenkins", UBUNTU_14, 2 * GIB, 2, ((nfs, 40),), "xs2", ip="10.0.0.160", folder="/development"),
        Guest(
            "jenkins",
            DEBIAN_7,
            2 * GIB,
            2,
            ((nfs, 40),),
            state="Halted",
            key="jenkins (old)",
            folder="/development",
            description="Before the move to Ubuntu",
        ),
        Guest("wiki-1", DEBIAN_7, 1 * GIB, 1, ((nfs, 20),), state="Halted", description="Read-only since spring"),
        Guest("report-1", WINDOWS_2012, 4 * GIB, 2, ((iscsi, 60),), state="Suspended", up_days=20),
        Guest(
            "analysis-1", CENTOS_7, 56 * GIB, 16, ((iscsi, 150),), state="Halted", description="Needs a host of its own"
        ),
    )
    for guest in guests:
        add_guest(pool, XENSERVER_65_SP1, guest)
    add_snapshot(pool, pool.ref("VM", "db-1"), "before the 5.6 upgrade", days=9, description="Keep until month's end")
    base = Guest("debian-base", DEBIAN_7, GIB, 1, ((nfs, 10),), state="Halted", description="Our own Debian image")
    template = add_guest(pool, XENSERVER_65_SP1, base)
    pool.record("VM", template)["is_a_template"] = True


def _add_alerts(pool: PoolBuilder) -> None:
    vm, host = pool.ref("VM", "crm-1"), pool.ref("host", "xs2")
    usage = (
        'value: 0.962031\nconfig:\n<variable>\n<name value="cpu_usage"/>\n<alarm_trigger_level value="0.95"/>\n'
        '<alarm_trigger_period value="300"/>\n</variable>'
    )
    add_message(pool, "ALARM", 1, "VM", vm, body=usage, hours=5)
    add_message(pool, "HOST_CLOCK_SKEW_DETECTED", 3, "Host", host, body="xs2's clock was 312 s off", days=41)
    add_message(pool, "VM_STARTED", 5, "VM", pool.ref("VM", "web-1"), body="VM 'web-1' started on host: xs1", days=12)
    add_message(pool, "VM_SNAPSHOTTED", 5, "VM", pool.ref("VM", "db-1"), body="before the 5.6 upgrade", days=9)
