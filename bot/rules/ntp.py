"""What sets a host's clock: what the pool can be asked and told since xapi 26.0, and what to type on the host before.

Which it is shows in the record (host.ntp_mode), never in a version's number.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from bot.inventory import Host
from bot.model import Level
from bot.rules import versions

MODE = "ntp_mode"
SERVERS = "ntp_custom_servers"
CUSTOM = "Custom"
MODES: Mapping[str, str] = {
    "DHCP": "servers that DHCP names",
    CUSTOM: "servers of its own",
    "Factory": "the product's own servers",
    "Disabled": "NTP is off",
}
STATUS: Mapping[str, tuple[str, Level]] = {
    "synced": ("followed", Level.OK),
    "combined": ("taken into account", Level.OK),
    "uncombined": ("not taken into account", Level.INFO),
    "error": ("its time may be wrong", Level.WARN),
    "variable": ("its time varies too much", Level.WARN),
    "unreachable": ("not reached", Level.WARN),
    "unknown": ("unknown", Level.NONE),
}
"""host.get_ntp_servers_status in words."""

MOST = 16
"""Servers that can be named at once."""
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")


def settable(host: Host) -> bool:
    """Can the pool be told what sets this host's clock?"""
    return host.has(MODE)


def is_server(text: str) -> bool:
    """An address or a host name (RFC 1123): nothing that a shell or a configuration file would read otherwise."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= 253 and all(map(_LABEL.match, text.split(".")))
    return True


def by_hand(host: Host, servers: tuple[str, ...]) -> tuple[str, ...]:
    """The lines to type on the host. From 8.0 its time service is chrony, before it ntpd; before 7.0 there is no
    systemd.
    """
    chrony = not versions.before(host, 8, 0)
    file = "/etc/chrony.conf" if chrony else "/etc/ntp.conf"
    return (
        f"cp -p {file} {file}.before",
        rf"sed -i -E '/^(server|pool) /d' {file}",
        *(f"echo 'server {server} iburst' >> {file}" for server in servers),
        *restart(host),
        look(host),
    )


def restart(host: Host) -> tuple[str, ...]:
    """Let the time service begin anew, and begin at boot."""
    if not versions.before(host, 8, 0):
        return ("systemctl enable chronyd", "systemctl restart chronyd")
    if not versions.before(host, 7, 0):
        return ("systemctl enable ntpd", "systemctl restart ntpd")
    return ("chkconfig ntpd on", "service ntpd restart")


def look(host: Host) -> str:
    """Shows which servers the host follows."""
    return "ntpq -pn" if versions.before(host, 8, 0) else "chronyc -n sources"
