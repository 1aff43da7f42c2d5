"""Networks, NICs (PIFs) and bonds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.xapi.values import NULL

if TYPE_CHECKING:
    from sandbox.xapi.world import Record
    from sandbox.xapi.worlds.builder import PoolBuilder


@dataclass(frozen=True)
class Address:
    """A static IPv4 configuration."""

    ip: str
    netmask: str = "255.255.255.0"
    gateway: str = ""
    dns: str = ""

    def fields(self) -> dict[str, object]:
        return {
            "ip_configuration_mode": "Static",
            "IP": self.ip,
            "netmask": self.netmask,
            "gateway": self.gateway,
            "DNS": self.dns,
        }


@dataclass(frozen=True)
class Nic:
    """A physical network interface of one host."""

    device: str
    address: Address | None = None
    management: bool = False
    carrier: bool = True
    speed: int = 1000
    """Mbit/s"""
    purpose: str = ""
    """What a secondary address is for ("Storage"); such an interface must stay plugged."""
    vendor: str = "Intel Corporation"
    model: str = "I350 Gigabit Network Connection"
    other_config: dict[str, str] = field(default_factory=dict)


def add_networks(pool: PoolBuilder, devices: tuple[str, ...]) -> None:
    """The networks a fresh pool has: one for each NIC position, and the one between a host and its guests."""
    for device in devices:
        add_network(pool, device, f"Pool-wide network associated with {device}", bridge=device.replace("eth", "xenbr"))
    pool.add("network", "internal management", MTU=1500, **internal_network())


def internal_network() -> Record:
    """What marks the network between a host and its guests."""
    return {
        "name_label": "Host internal management network",
        "name_description": "Network on which guests will be assigned a private link-local IP address which can be "
        "used to talk XenAPI",
        "bridge": "xenapi",
        "other_config": {
            "is_guest_installer_network": "true",
            "is_host_internal_management_network": "true",
            "ip_begin": "169.254.0.1",
            "ip_end": "169.254.255.254",
            "netmask": "255.255.0.0",
        },
    }


def add_network(pool: PoolBuilder, key: str, name: str, *, bridge: str, description: str = "") -> str:
    return pool.add("network", key, name_label=name, name_description=description, bridge=bridge, MTU=1500)


def add_nic(pool: PoolBuilder, host_name: str, nic: Nic) -> str:
    """One host's PIF on the pool's network of that NIC position; return its reference."""
    position = int(nic.device.removeprefix("eth"))
    metrics = _add_metrics(pool, f"{host_name}/{nic.device}", nic, bus=f"0000:0{1 + position // 2}:00.{position % 2}")
    return pool.add(
        "PIF",
        f"{host_name}/{nic.device}",
        device=nic.device,
        host=pool.ref("host", host_name),
        network=pool.ref("network", nic.device),
        metrics=metrics,
        MAC=mac(pool, f"{host_name}/{nic.device}"),
        MTU=1500,
        VLAN=-1,
        physical=True,
        managed=True,
        currently_attached=nic.address is not None or nic.management or nic.carrier,
        management=nic.management,
        disallow_unplug=bool(nic.purpose),
        bond_slave_of=NULL,
        other_config={**({"management_purpose": nic.purpose} if nic.purpose else {}), **nic.other_config},
        properties={"gro": "on"},
        **(nic.address.fields() if nic.address else {"ip_configuration_mode": "None"}),
    )


def add_bond(pool: PoolBuilder, host_name: str, members: tuple[str, ...], network: str, address: Address) -> str:
    """Bond members (devices) into bond0 that carries the management address; return the bond's PIF."""
    refs = [pool.ref("PIF", f"{host_name}/{device}") for device in members]
    first = pool.record("PIF", refs[0])
    key = f"{host_name}/bond0"
    metrics = _add_metrics(pool, key, Nic("eth0", vendor="", model=""), bus="N/A")
    master = pool.add(
        "PIF",
        key,
        device="bond0",
        host=pool.ref("host", host_name),
        network=pool.ref("network", network),
        metrics=metrics,
        MAC=first["MAC"],
        MTU=1500,
        VLAN=-1,
        physical=False,
        managed=True,
        currently_attached=True,
        management=True,
        bond_slave_of=NULL,
        properties={"gro": "on"},
        **address.fields(),
    )
    bond = pool.add(
        "Bond",
        key,
        master=master,
        primary_slave=refs[0],
        mode="lacp",
        properties={"hashing_algorithm": "tcpudp_ports"},
        links_up=len(members),
        auto_update_mac=True,
    )
    for ref in refs:
        pool.record("PIF", ref).update(bond_slave_of=bond, currently_attached=False)
    return master


def _add_metrics(pool: PoolBuilder, key: str, nic: Nic, *, bus: str) -> str:
    return pool.add(
        "PIF_metrics",
        key,
        carrier=nic.carrier,
        vendor_id="8086" if nic.vendor else "",
        vendor_name=nic.vendor,
        device_id="1521" if nic.model else "",
        device_name=nic.model,
        speed=nic.speed if nic.carrier else 0,
        duplex=nic.carrier,
        pci_bus_path=bus,
        last_updated=pool.ago(minutes=1),
    )


def mac(pool: PoolBuilder, key: str, prefix: str = "a0:36:9f") -> str:
    """A made-up but stable MAC address."""
    digits = pool.uuid("MAC", key).replace("-", "")
    return f"{prefix}:{digits[0:2]}:{digits[2:4]}:{digits[4:6]}"
