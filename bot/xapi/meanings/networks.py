"""Networks and NICs."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning, entry

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "PIF_HAS_NO_NETWORK_CONFIGURATION": entry(
        "pif", "The NIC {pif} has no address on that network.", "Give it an address, or choose another network."
    ),
    "INTERFACE_HAS_NO_IP": entry("interface", "The interface {interface} has no address.", "Give it an address first."),
    "PIF_IS_MANAGEMENT_INTERFACE": entry(
        "pif",
        "{pif} is the host's management interface, which does not allow this.",
        "Move the management to another interface first.",
    ),
    "SLAVE_REQUIRES_MANAGEMENT_INTERFACE": entry(
        "",
        "A member cannot be without a management interface.",
        "Give it another management interface instead of none.",
    ),
    "PIF_DOES_NOT_ALLOW_UNPLUG": entry(
        "pif",
        "{pif} is marked as not to be unplugged.",
        "Something needs it (management, storage). If not: take the mark away.",
        xe="pif-param-set uuid={pif} disallow-unplug=false",
    ),
    "PIF_ALREADY_BONDED": entry("pif", "{pif} belongs to a bond already.", "Name the bond instead."),
    "PIF_BOND_NEEDS_MORE_MEMBERS": entry("", "A bond needs at least two NICs.", "Name two at least."),
    "PIF_CANNOT_BOND_CROSS_HOST": entry(
        "", "The NICs of a bond must be in one host.", "Name NICs of one host; make one bond on each."
    ),
    "PIF_BOND_MORE_THAN_ONE_IP": entry(
        "", "More than one of the NICs has an address.", "Take the address from all but one first."
    ),
    "PIF_NOT_PRESENT": entry(
        "host network",
        "{host} has no NIC on the network {network}.",
        "Connect the network there first.",
        see="host show {host}",
    ),
    "PIF_NOT_ATTACHED_TO_HOST": entry(
        "pif host", "{pif} is not a NIC of {host}.", "Name a NIC of that host.", see="host show {host}"
    ),
    "PIF_VLAN_EXISTS": entry("pif", "The VLAN exists already on {pif}.", "Use the network that it is on."),
    "PIF_VLAN_STILL_EXISTS": entry("pif", "There are still VLANs on {pif}.", "Remove them first."),
    "PIF_UNMANAGED": entry(
        "pif", "{pif} is not managed by the toolstack.", "Whoever set it up on the host manages it; choose another NIC."
    ),
    "PIF_IS_PHYSICAL": entry("pif", "{pif} is a physical NIC, which does not allow this.", "Name a bond or VLAN."),
    "PIF_CONFIGURATION_ERROR": entry(
        "pif reason",
        "{pif} could not be configured: {reason}.",
        "Correct its settings; the host's /var/log/xensource.log says more about it.",
    ),
    "VIF_IN_USE": entry(
        "network vif", "A VM uses the network {network}.", "Shut the VM down, or connect it to another network, first."
    ),
    "CANNOT_PLUG_BOND_SLAVE": entry("pif", "{pif} belongs to a bond and cannot be plugged alone.", "Plug the bond."),
    "CANNOT_PLUG_VIF": entry("vif", "A virtual NIC could not be plugged.", "Check that the VM's host has the network."),
    "NETWORK_CONTAINS_VIF": entry(
        "vifs", "VMs are connected to the network.", "Connect them to another network first."
    ),
    "NETWORK_CONTAINS_PIF": entry(
        "pifs", "NICs are connected to the network: {pifs}.", "Take them off the network first."
    ),
    "NETWORK_ALREADY_CONNECTED": entry(
        "network pif", "The network {network} is connected to {pif} already.", "Choose another network."
    ),
    "NETWORK_UNMANAGED": entry(
        "network",
        "The network {network} is not managed by the toolstack.",
        "Whoever set it up on the hosts manages it; choose another network.",
    ),
    "INVALID_IP_ADDRESS_SPECIFIED": entry("parameter", "This is not an IP address ({parameter}).", "Correct it."),
    "MAC_INVALID": entry("mac", "{mac} is not a MAC address.", "Correct it: six pairs of hexadecimal digits."),
    "VLAN_TAG_INVALID": entry("vlan", "{vlan} is not a VLAN tag: 0 to 4094.", "Choose another."),
    "BRIDGE_NOT_AVAILABLE": entry(
        "bridge",
        "The host has no bridge {bridge}.",
        "Check the network's NIC on that host; restarting the toolstack makes bridges anew.",
    ),
}
