"""Networks and NICs."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning, entry

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "PIF_HAS_NO_NETWORK_CONFIGURATION": entry(
        "pif", "The NIC {pif} has no address on that network.", "Give it an address, or choose another network."
    ),
    "INTERFACE_HAS_NO_IP": entry("interface", "The interface {interface} has no address.", "Give it an address first."),
    "PIF_IS_MANAGEMENT_INTERFACE": entry("pif", "{pif} is the host's management interface, which does not allow this."),
    "SLAVE_REQUIRES_MANAGEMENT_INTERFACE": entry("", "A member cannot be without a management interface."),
    "PIF_DOES_NOT_ALLOW_UNPLUG": entry("pif", "{pif} is marked as not to be unplugged."),
    "PIF_ALREADY_BONDED": entry("pif", "{pif} belongs to a bond already."),
    "PIF_BOND_NEEDS_MORE_MEMBERS": entry("", "A bond needs at least two NICs."),
    "PIF_CANNOT_BOND_CROSS_HOST": entry("", "The NICs of a bond must be in one host."),
    "PIF_BOND_MORE_THAN_ONE_IP": entry("", "More than one of the NICs has an address."),
    "PIF_NOT_PRESENT": entry("host network", "{host} has no NIC on the network {network}."),
    "PIF_NOT_ATTACHED_TO_HOST": entry("pif host", "{pif} is not a NIC of {host}."),
    "PIF_VLAN_EXISTS": entry("pif", "The VLAN exists already on {pif}."),
    "PIF_VLAN_STILL_EXISTS": entry("pif", "There are still VLANs on {pif}."),
    "PIF_UNMANAGED": entry("pif", "{pif} is not managed by the toolstack."),
    "PIF_IS_PHYSICAL": entry("pif", "{pif} is a physical NIC, which does not allow this."),
    "PIF_CONFIGURATION_ERROR": entry("pif reason", "{pif} could not be configured: {reason}."),
    "VIF_IN_USE": entry("network vif", "A VM uses the network {network}."),
    "CANNOT_PLUG_BOND_SLAVE": entry("pif", "{pif} belongs to a bond and cannot be plugged alone."),
    "CANNOT_PLUG_VIF": entry("vif", "A virtual NIC could not be plugged."),
    "NETWORK_CONTAINS_VIF": entry("vifs", "VMs are connected to the network."),
    "NETWORK_CONTAINS_PIF": entry("pifs", "NICs are connected to the network: {pifs}."),
    "NETWORK_ALREADY_CONNECTED": entry("network pif", "The network {network} is connected to {pif} already."),
    "NETWORK_UNMANAGED": entry("network", "The network {network} is not managed by the toolstack."),
    "INVALID_IP_ADDRESS_SPECIFIED": entry("parameter", "This is not an IP address ({parameter})."),
    "MAC_INVALID": entry("mac", "{mac} is not a MAC address."),
    "VLAN_TAG_INVALID": entry("vlan", "{vlan} is not a VLAN tag: 0 to 4094."),
    "BRIDGE_NOT_AVAILABLE": entry("bridge", "The host has no bridge {bridge}."),
}
