"""MAC addresses of virtual NICs."""

from __future__ import annotations

import re
import uuid

_MAC = re.compile(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")


def new() -> str:
    """A locally administered unicast address."""
    tail = uuid.uuid4().bytes[:5]
    return ":".join(f"{b:02x}" for b in (0x0A | (tail[0] & 0xF0), *tail))


def is_unicast(text: str) -> bool:
    """Is it an address, and one that a NIC can have?"""
    return bool(_MAC.fullmatch(text)) and not int(text[:2], 16) & 1
