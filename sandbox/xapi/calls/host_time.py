"""Hosts' clocks, and what sets them."""

from __future__ import annotations

from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import READ, RECORDED, call, difference
from sandbox.xapi.values import Time

_FACTORY = ("0.factory.ntp.example", "1.factory.ntp.example", "2.factory.ntp.example", "3.factory.ntp.example")
_BY_DHCP = ("10.0.0.1",)
_DEAD = ".invalid"

difference(
    "NTP",
    "Servers answer at once unless their name ends in .invalid, and never correct a pretend host's clock.",
    "A lab's clocks show what a test sets; names under .invalid exist nowhere (RFC 2606).",
)
difference(
    "NTP", "The factory's servers have names of the sandbox.", "A product's own servers are none of its business."
)


@call("host.get_servertime", source=RECORDED)
def get_servertime(context: Context, host: str) -> Time:
    return context.require_live(host).clock.now()


@call("host.get_server_localtime", source=RECORDED)
def get_server_localtime(context: Context, host: str) -> Time:
    """The lab's hosts live in UTC; a local time has no zone mark."""
    return Time(context.require_live(host).clock.now().removesuffix("Z"))


@call("host.set_servertime", source=READ)
def set_servertime(context: Context, host: str, value: Time) -> None:
    clock = context.require_live(host).clock
    clock.set(clock.offset + value.unix() - clock.unix(), clock.ppm)


# What sets them (xapi 26.0 and later)


@call("host.set_ntp_mode", source=READ)
def set_ntp_mode(context: Context, host: str, value: str) -> None:
    row = context.get("host", host)
    if value == "Custom" and not row["ntp_custom_servers"]:
        raise Failure("INVALID_NTP_CONFIG", "Can't set ntp_mode to Custom when ntp_custom_servers is empty")
    context.require_live(host)
    context.db.write("host", host, ntp_mode=value)


@call("host.set_ntp_custom_servers", source=READ)
def set_ntp_custom_servers(context: Context, host: str, value: list[str]) -> None:
    if not value and context.get("host", host)["ntp_mode"] == "Custom":
        raise Failure("INVALID_NTP_CONFIG", "Can't set ntp_custom_servers empty when ntp_mode is Custom")
    context.require_live(host)
    context.db.write("host", host, ntp_custom_servers=value)


@call("host.get_ntp_servers_status", source=READ)
def get_ntp_servers_status(context: Context, self: str) -> dict[str, str]:
    """As chrony tells of its sources: the one it follows, those it takes into account, those it does not reach."""
    context.require_live(self)
    servers = _servers(context, self)
    followed = next((server for server in servers if not server.endswith(_DEAD)), "")
    return {
        server: "synced" if server == followed else "unreachable" if server.endswith(_DEAD) else "combined"
        for server in servers
    }


@call("host.get_ntp_synchronized", source=READ)
def get_ntp_synchronized(context: Context, self: str) -> bool:
    return "synced" in get_ntp_servers_status(context, self).values()


def _servers(context: Context, host: str) -> tuple[str, ...]:
    row = context.get("host", host)
    return {
        "Custom": tuple(row["ntp_custom_servers"]),
        "DHCP": _BY_DHCP,
        "Factory": _FACTORY,
    }.get(row["ntp_mode"], ())
