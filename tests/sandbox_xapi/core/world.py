"""A pool of our own for the cases: three hosts, shared and local storage, VMs of each kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from sandbox.xapi.estate import NOBODY, Estate
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.world import PoolWorld

PASSWORD = "secret"
GIB = 1 << 30
FEATURES = "1fcbfbff-f7fa3223-2d93fbff-00000523"
DRIVER = ("SR_UPDATE", "VDI_CREATE", "VDI_DELETE", "VDI_CLONE", "VDI_SNAPSHOT", "VDI_RESIZE", "VDI_GENERATE_CONFIG")


def ref(label: str) -> str:
    return f"OpaqueRef:{uuid.uuid5(uuid.NAMESPACE_DNS, label)}"


def ident(label: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, label))


class Builder:
    """Objects by label; a label is also the object's name."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {}

    def add(self, cls: str, label: str, **fields: Any) -> str:
        self.objects.setdefault(cls, {})[ref(label)] = {"uuid": ident(label), **fields}
        return ref(label)

    def host(self, name: str, number: int, memory: int = 16) -> None:
        metrics = self.add("host_metrics", f"{name} metrics", live=True, memory_total=memory * GIB)
        self.add(
            "host", name, name_label=name, hostname=name, address=f"10.1.0.{number}", enabled=True, metrics=metrics,
            memory_overhead=GIB, capabilities=["hvm-3.0-x86_64"], virtual_hardware_platform_versions=[0, 1, 2],
            cpu_info={"cpu_count": "8", "vendor": "GenuineIntel", "features_hvm": FEATURES, "features_pv": FEATURES},
            software_version={"platform_version": "3.4.0"}, control_domain=ref(f"dom0 {name}"),
        )  # fmt: skip
        self.vm(f"dom0 {name}", host=name, memory=1, is_control_domain=True, domain_type="pv")
        self.add("PIF", f"eth0 {name}", host=ref(name), network=ref("lan"), device="eth0", currently_attached=True)
        self.sr(f"local {name}", "lvm", [name], shared=False)

    def sr(self, label: str, kind: str, hosts: list[str], *, shared: bool) -> None:
        self.add(
            "SR", label, name_label=label, type=kind, shared=shared, physical_size=500 * GIB, physical_utilisation=GIB
        )
        config = {
            "nfs": {"server": "10.1.0.9", "serverpath": f"/{label}"},
            "iso": {"location": f"10.1.0.9:/{label}", "type": "nfs_iso"},
        }.get(kind, {"device": "/dev/sda3"})
        for host in hosts:
            self.add(
                "PBD", f"{label} on {host}", SR=ref(label), host=ref(host), currently_attached=True,
                device_config=config,
            )  # fmt: skip

    def vm(self, name: str, host: str = "", memory: int = 1, sr: str = "", network: str = "", **fields: Any) -> None:
        running = bool(host)
        metrics = self.add("VM_metrics", f"{name} metrics", current_domain_type="hvm" if running else "unspecified")
        guest = "OpaqueRef:NULL"
        if running and not fields.get("is_control_domain"):
            other = {"feature-suspend": "1", "feature-shutdown": "1", "feature-reboot": "1"}
            guest = self.add(
                "VM_guest_metrics", f"{name} guest", other=other, PV_drivers_version={"major": "7", "minor": "30"}
            )
        defaults: dict[str, Any] = {
            "name_label": name, "power_state": "Running" if running else "Halted", "domain_type": "hvm",
            "HVM_boot_policy": "BIOS order", "HVM_shadow_multiplier": 1.0, "VCPUs_max": 2, "VCPUs_at_startup": 2,
            "resident_on": ref(host) if host else "OpaqueRef:NULL", "domid": 1 if running else -1, "metrics": metrics,
            "guest_metrics": guest, "memory_overhead": 13 << 20, "actions_after_crash": "restart",
            "last_boot_CPU_flags": {"vendor": "GenuineIntel", "features": FEATURES} if running else {},
        }  # fmt: skip
        for limit in ("static_min", "dynamic_min", "dynamic_max", "static_max"):
            defaults[f"memory_{limit}"] = memory * GIB
        self.add("VM", name, **{**defaults, **fields})
        if sr:
            disk = self.add(
                "VDI",
                f"{name} disk",
                name_label=f"{name} disk",
                SR=ref(sr),
                virtual_size=8 * GIB,
                managed=True,
                type="user",
            )
            self.add(
                "VBD", f"{name} vbd", VM=ref(name), VDI=disk, userdevice="0", mode="RW", type="Disk",
                currently_attached=running, unpluggable=False, empty=False,
            )  # fmt: skip
        if network:
            self.add("VIF", f"{name} vif", VM=ref(name), network=ref(network), device="0", currently_attached=running)


def build() -> dict[str, dict[str, dict[str, Any]]]:
    b = Builder()
    b.add("pool", "pool", name_label="cases", master=ref("h1"), default_SR=ref("nfs"), suspend_image_SR=ref("nfs"))
    b.add("network", "lan", name_label="lan", bridge="xenbr0", managed=True)
    b.add("network", "inside", name_label="inside", bridge="xapi0", managed=True)
    for number, name in enumerate(("h1", "h2", "h3"), 1):
        b.host(name, number)
    for kind in ("nfs", "lvm", "iso"):
        features = dict.fromkeys(DRIVER if kind != "iso" else DRIVER[:1], 1)
        b.add("SM", f"driver {kind}", name_label=kind, type=kind, features=features)
    b.sr("nfs", "nfs", ["h1", "h2", "h3"], shared=True)
    b.sr("isos", "iso", ["h1", "h2", "h3"], shared=True)
    b.vm("web", host="h1", memory=2, sr="nfs", network="lan")
    b.vm("db", host="h2", memory=4, sr="nfs", network="lan", ha_restart_priority="restart", ha_always_run=True)
    b.vm("pinned", host="h2", sr="local h2", network="lan")
    b.vm("spare", sr="nfs", network="lan")
    b.vm("inner", sr="nfs", network="inside")
    b.vm("golden", is_a_template=True)
    return b.objects


def estate(speed: float = 400.0, release: str = "26.9.0", accounts: Mapping[str, str] = NOBODY) -> Estate:
    return Estate([PoolWorld(release, build())], password=PASSWORD, speed=speed, accounts=accounts)


def sound(made: Estate) -> Iterator[Estate]:
    """For a test; closed at its end, and nothing may have gone wrong inside."""
    yield made
    made.close()
    assert made.bugs == []


class Client:
    """Calls as a client makes them, with a session of its own, on the host named."""

    def __init__(self, estate: Estate, host: str = "h1", username: str = "root") -> None:
        self.estate = estate
        self.session = ""
        self.at(host)
        self.session = self.raw("session.login_with_password", username, PASSWORD, "1.0", "tests")

    def at(self, host: str) -> Client:
        self.host = next(h.uuid for h in self.estate.hosts.values() if h.name == host)
        return self

    def raw(self, method: str, *params: Any) -> Any:
        return self.estate.call(self.host, method, list(params))

    def __call__(self, method: str, *params: Any) -> Any:
        return self.raw(method, self.session, *params)


def login_answer(estate: Estate, host: str) -> list[str]:
    """What a login at the host is answered with: [] when it succeeds, ["off"] where nothing answers."""
    try:
        Client(estate, host)
    except Failure as failure:
        return failure.description
    except HostDown:
        return ["off"]
    return []


def refusal(call: Callable[[], Any]) -> list[str]:
    """What a call that fails is answered with."""
    with pytest.raises(Failure) as caught:
        call()
    return caught.value.description
