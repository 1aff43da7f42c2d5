"""A pool of two hosts and a host on its own beside it, alike enough for the host to join."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure
from sandbox.xapi.world import PoolWorld
from tests.sandbox_xapi.core.world import FEATURES, GIB, PASSWORD, Builder, Client, ident, ref
from tests.waiting import eventually

Objects = dict[str, dict[str, dict[str, Any]]]
JOIN = ("pool.join", "10.1.0.1", "root", "secret")
"""h3 joins the pool."""
OLD, MIDDLE, NEW = "cream", "ely", "26.9.0"
RAISED = "26.17.0"
"""A release that makes every check of today."""

VERSION = {"platform_version": "3.4.0", "product_brand": "XenServer", "xapi": "26.9", "network_backend": "openvswitch"}


class World(Builder):
    """Labels are unique among both pools: a reference is enough to tell whose it is."""

    def __init__(self, name: str, hosts: dict[str, int]) -> None:
        super().__init__()
        self.name = name
        for device in ("eth0", "eth1"):
            self.add("network", f"{device} {name}", name_label=device, bridge=f"xenbr{device[-1]}", managed=True)
        for host, number in hosts.items():
            self.machine(host, number)
        coordinator = next(iter(hosts))
        self.add("SR", f"tools {name}", name_label="tools", type="iso", shared=True, is_tools_sr=True,
                 other_config={"xenserver_tools_sr": "true"})  # fmt: skip
        for host in hosts:
            config = {"location": "/opt/xensource/packages/iso", "legacy_mode": "true"}
            self.add("PBD", f"tools on {host}", SR=ref(f"tools {name}"), host=ref(host), currently_attached=True,
                     device_config=config)  # fmt: skip
        for kind in ("nfs", "lvm", "iso"):
            self.add(
                "SM",
                f"{kind} driver of {name}",
                type=kind,
                features={"VDI_CREATE": 1, "VDI_CLONE": 1, "VDI_GENERATE_CONFIG": 1},
            )
        self.vm(f"base {name}", is_a_template=True, is_default_template=True, name_label="base",
                other_config={"default_template": "true"})  # fmt: skip
        level = {"vendor": "GenuineIntel", "features_hvm": FEATURES, "features_pv": FEATURES}
        self.add("pool", f"pool {name}", name_label=name, master=ref(coordinator), cpu_info=level)

    def machine(self, name: str, number: int) -> None:
        self.host(name, number)
        row = self.objects["host"][ref(name)]
        row.update(software_version=dict(VERSION), edition="enterprise", API_version_major=2, API_version_minor=21)
        row["cpu_info"] |= {"features": FEATURES, "socket_count": "1"}
        del self.objects["PIF"][ref(f"eth0 {name}")]
        for device in ("eth0", "eth1"):
            first = device == "eth0"
            address = {"ip_configuration_mode": "Static", "IP": row["address"]} if first else {}
            self.add("PIF", f"{device} {name}", host=ref(name), network=ref(f"{device} {self.name}"), device=device,
                     management=first, physical=True, currently_attached=True, VLAN=-1, **address)  # fmt: skip
            self.objects["PIF"][ref(f"{device} {name}")]["MAC"] = f"00:16:3e:00:{number:02}:0{device[-1]}"
        self.objects["SR"][ref(f"local {name}")]["physical_size"] = 100 * GIB
        domain = self.objects["VM"][ref(f"dom0 {name}")]
        domain["memory_target"] = GIB
        self.objects["host_metrics"][ref(f"{name} metrics")]["memory_free"] = 14 * GIB - domain["memory_overhead"]

    def guest(self, name: str, host: str = "", **fields: Any) -> None:
        """A VM of 1 GiB, its memory taken from its host's, its VIF with an address of its own."""
        self.vm(name, host=host, memory_target=GIB if host else 0, **fields)
        if host:
            taken = GIB + self.objects["VM"][ref(name)]["memory_overhead"]
            self.objects["host_metrics"][ref(f"{host} metrics")]["memory_free"] -= taken
        if ref(f"{name} vif") in self.objects.get("VIF", {}):
            self.objects["VIF"][ref(f"{name} vif")]["MAC"] = f"00:16:3e:01:{len(self.objects['VIF']):02}:00"


@dataclasses.dataclass
class Lab:
    """`pool` is the database of the pool h1 and h2, `lone` that of h3, both to be changed before `estate`."""

    release: str = NEW
    pool: World = dataclasses.field(init=False)
    lone: World = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.pool, self.lone = World("pool", {"h1": 1, "h2": 2}), World("lone", {"h3": 3})
        self.pool.sr("nfs", "nfs", ["h1", "h2"], shared=True)
        for pbd in ("nfs on h1", "nfs on h2"):
            self.pool.objects["PBD"][ref(pbd)]["device_config"] = {"server": "10.1.0.9", "serverpath": "/xen"}
        self.lone.guest("guest", sr="local h3", network="eth0 lone")

    def row(self, cls: str, label: str) -> dict[str, Any]:
        """A record of either side, to be changed."""
        world = self.lone if ref(label) in self.lone.objects.get(cls, {}) else self.pool
        return world.objects[cls][ref(label)]

    def estate(self, speed: float = 400.0) -> Estate:
        worlds = [PoolWorld(self.release, self.pool.objects), PoolWorld(self.release, self.lone.objects)]
        return Estate(worlds, password=PASSWORD, speed=speed)


def answer(ask: Callable[[], Any]) -> list[str]:
    """The error that a call gives; [] when it succeeds."""
    try:
        ask()
    except Failure as failure:
        return failure.description
    return []


def record(client: Client, cls: str, label: str) -> dict[str, Any]:
    """The record of the object that had this label when the lab began: its uuid has stayed."""
    found = client(f"{cls}.get_by_uuid", ident(label))
    return dict(client(f"{cls}.get_record", found)) | {"ref": found}


def joined(estate: Estate, host: str = "h3") -> Client:
    """A client of the pool, when `host` has joined it and is enabled there."""
    Client(estate, host)(*JOIN)
    client = Client(estate, "h1")
    eventually(lambda: bool(record(client, "host", host)["enabled"]))
    return client
