"""Addresses that are listened on: of either IP version, as they are written."""

from __future__ import annotations

import socket


def family(address: str) -> socket.AddressFamily:
    """Of a name or an IPv4 address AF_INET; of an IPv6 address, which has colons, AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def shown(address: str, port: int) -> str:
    """`127.0.0.1:9301`, `[::1]:9301` (RFC 3986)."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
