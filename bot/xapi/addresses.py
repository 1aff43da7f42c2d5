"""Addresses: what a pool's database calls a host, and where the bot finds it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

HTTPS_PORT = 443
HTTP_PORT = 80
_PORT_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a host is reached. `address` is what the pool calls it; `host` and `port` are dialled."""

    address: str
    host: str
    port: int


def endpoint_of(address: str, address_map: Mapping[str, str], *, plain_http: bool) -> Endpoint:
    """The endpoint of a host by its address, through the configuration's map.

    XenAPI names hosts by bare addresses, IPv6 among them ("HOST_IS_SLAVE": xapi 26.9 as recorded).
    """
    default_port = HTTP_PORT if plain_http else HTTPS_PORT
    host, port = split(_mapped(address, address_map), default_port)
    return Endpoint(address=split(address, default_port)[0], host=host, port=port)


def split(text: str, default_port: int) -> tuple[str, int]:
    """`host`, `host:port`, `[IPv6]`, `[IPv6]:port` or a bare IPv6 as (host, port)."""
    text = text.strip()
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") and _is_port(rest[1:]) else default_port
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        if _is_port(port):
            return host, int(port)
    return text, default_port


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= _PORT_DIGITS


def same(one: str, other: str) -> bool:
    """Do two texts name the same address? IPv6 has many spellings."""
    if one.casefold() == other.casefold():
        return True
    try:
        return ipaddress.ip_address(one.strip("[]")) == ipaddress.ip_address(other.strip("[]"))
    except ValueError:
        return False


def _mapped(address: str, address_map: Mapping[str, str]) -> str:
    if address in address_map:
        return address_map[address]
    return next((endpoint for known, endpoint in address_map.items() if same(known, address)), address)
