"""How hosts are cabled and addressed."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Mapping

from bot.inventory import PIF, Host, Inventory, Network

UNTAGGED = -1
"""PIF.VLAN of an interface that is no VLAN."""


def management(host: Host) -> PIF | None:
    return next((pif for pif in host.pifs if pif.is_management), None)


def nics(host: Host) -> tuple[PIF, ...]:
    return tuple(pif for pif in host.pifs if pif.is_nic)


def below(pif: PIF) -> PIF:
    """The interface that a VLAN is on (a VLAN's PIF has its device's name); any other interface itself."""
    if pif.number("VLAN", UNTAGGED) < 0 or pif.host is None:
        return pif
    same = (each for each in pif.host.pifs if each.device == pif.device and each.number("VLAN", UNTAGGED) < 0)
    return next(same, pif)


def on_bond(pif: PIF) -> bool:
    """Is it a bond, or a VLAN on one?"""
    return below(pif).bonding is not None


def addressed(host: Host) -> tuple[PIF, ...]:
    """Interfaces with an IPv4 address of their own."""
    return tuple(pif for pif in host.pifs if pif.text("IP") and pif.text("ip_configuration_mode") != "None")


def storage_interfaces(host: Host) -> tuple[PIF, ...]:
    """Interfaces that were given an address beside the management's: that is how storage traffic is kept apart."""
    return tuple(pif for pif in addressed(host) if not pif.is_management)


def subnet(pif: PIF) -> ipaddress.IPv4Network | None:
    """None when the record has no valid address and mask."""
    try:
        return ipaddress.IPv4Network(f"{pif.text('IP')}/{pif.text('netmask')}", strict=False)
    except ValueError:
        return None


def crowded(host: Host) -> Mapping[ipaddress.IPv4Network, tuple[PIF, ...]]:
    """Subnets in which the host has several addresses: Linux then answers and sends over any of them."""
    grouped: dict[ipaddress.IPv4Network, list[PIF]] = defaultdict(list)
    for pif in addressed(host):
        found = subnet(pif)
        if found is not None:
            grouped[found].append(pif)
    return {net: tuple(pifs) for net, pifs in grouped.items() if len(pifs) > 1}


def usable(network: Network) -> tuple[PIF, ...]:
    """The interfaces that connect a network; a bond's members do not (xapi: Xapi_vm_helpers)."""
    return tuple(pif for pif in network.pifs if pif.bond is None and pif.host is not None)


def missing_on(network: Network, inventory: Inventory) -> tuple[Host, ...]:
    """Hosts without the network, when some host has it; a network without any interface is internal to each host."""
    having = {pif.text("host") for pif in usable(network)}
    return tuple(host for host in inventory.hosts if host.ref not in having) if having else ()
