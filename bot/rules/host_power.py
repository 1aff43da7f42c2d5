"""Can a host be switched on from here? By its power_on_mode: what is configured, and what to do when nothing is.

Source: xapi's `host.power_on` and host.power_on_mode, as recorded. The coordinator sends the packet or asks the
management controller; XenAPI shows the controller's address and user, the password is a secret.
"""

from __future__ import annotations

from bot.inventory import Host
from bot.text import quoted

OFF = ""
WAKE_ON_LAN = "wake-on-lan"
_CONTROLLERS = {"ilo": "HP iLO", "drac": "Dell DRAC"}


def mode(host: Host) -> str:
    """host.power_on_mode; "" when the host cannot be switched on over the network."""
    return host.text("power_on_mode")


def how(host: Host) -> str:
    """What would switch it on, in words; "" when nothing is configured."""
    found = mode(host)
    if found == OFF:
        return ""
    address = host.mapping("power_on_config").get("power_on_ip", "")
    if found.lower() == WAKE_ON_LAN:
        return "by a wake-on-LAN packet to its management NIC"
    if found.lower() in _CONTROLLERS:
        return f"through its {_CONTROLLERS[found.lower()]}" + (f" at {address}" if address else "")
    return f"by the coordinator's own script {quoted(found)}"


def by_hand(host: Host) -> str:
    """What to do when nothing is configured."""
    return (
        "Press its power button, or use its management controller. To let the pool do it from then on: xe "
        f"host-set-power-on-mode host={host.uuid} power-on-mode={WAKE_ON_LAN}"
    )
