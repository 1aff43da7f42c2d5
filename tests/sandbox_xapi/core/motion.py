"""Two pools whose disks can move, within the first and to the second."""

from __future__ import annotations

from typing import Any

from sandbox.xapi.estate import Estate
from sandbox.xapi.storage.declared import Storage
from sandbox.xapi.world import PoolWorld
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import Client, ref

Objects = dict[str, dict[str, dict[str, Any]]]


def objects() -> Objects:
    """The cases' pool with drivers that can mirror, a second shared SR `fast`, and addresses for migrations."""
    b = world.Builder()
    b.objects = world.build()
    for driver in b.objects["SM"].values():
        driver["features"] |= {"VDI_MIRROR": 1} if driver["type"] != "iso" else {}
    b.sr("fast", "nfs", ["h1", "h2", "h3"], shared=True)
    b.sr("corner", "nfs", ["h3"], shared=True)
    for number, pif in enumerate(b.objects["PIF"].values(), 1):
        pif |= {"IP": f"10.1.0.{number}", "ip_configuration_mode": "Static"}
    for host in b.objects["host"].values():
        host["software_version"] |= {"platform_version": "3.4.0"}
    return b.objects


def other_pool() -> Objects:
    """A pool of one host, far away."""
    b = world.Builder()
    b.add("pool", "far", name_label="far", master=ref("f1"), default_SR=ref("far nfs"))
    b.add("network", "far lan", name_label="far lan", bridge="xenbr0", managed=True)
    b.host("f1", 51)
    for pif in b.objects["PIF"].values():
        pif |= {"network": ref("far lan"), "IP": "10.1.0.51", "ip_configuration_mode": "Static"}
    features = dict.fromkeys((*world.DRIVER, "VDI_MIRROR"), 1)
    for kind in ("nfs", "lvm"):
        b.add("SM", f"far driver {kind}", name_label=kind, type=kind, features=features)
    b.sr("far nfs", "nfs", ["f1"], shared=True)
    return b.objects


def estate() -> Estate:
    pools = [PoolWorld("26.9.0", objects()), PoolWorld("26.9.0", other_pool())]
    return Estate(pools, password=world.PASSWORD, speed=400, storage=Storage())


def disk(client: Client, vm: str) -> str:
    """The VM's only disk."""
    vbds = (client("VBD.get_record", vbd) for vbd in client("VM.get_VBDs", vm))
    (found,) = [vbd["VDI"] for vbd in vbds if vbd["type"] == "Disk"]
    return str(found)


# VDI.pool_migrate


def receive(client: Client, host: str, network: str = "lan") -> dict[str, str]:
    return dict(client("host.migrate_receive", ref(host), ref(network), {}))


def send(client: Client, vm: str, dest: dict[str, str], disks: dict[str, str], **more: Any) -> str:
    networks, options = more.get("networks", {}), more.get("options", {})
    call = more.get("call", "VM.migrate_send")
    return str(client(call, ref(vm), dest, True, disks, networks, options, {}))
