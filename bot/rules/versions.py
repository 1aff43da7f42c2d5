"""Which product a host runs, and how to compare versions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.inventory import Host, Inventory


def numbers(version: str) -> tuple[int, ...]:
    """`8.2.1-xcp` as (8, 2, 1): the leading dotted numbers, for comparison."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def product_version(software_version: Mapping[str, str]) -> tuple[int, ...]:
    """The product's version as numbers; the platform's where there is no product (XCP). Empty when the host says
    neither.
    """
    return numbers(software_version.get("product_version") or software_version.get("platform_version") or "")


def product(software_version: Mapping[str, str]) -> str:
    """The product in words, e.g. `XenServer 6.5.0`, `XCP-ng 8.2.1`. Before 6.1 there was no product_brand; it was
    always XenServer.
    """
    text = software_version.get("product_version_text")
    brand = software_version.get("product_brand") or ("XenServer" if software_version.get("product_version") else "XCP")
    number = software_version.get("product_version") or software_version.get("platform_version") or "of unknown version"
    return f"{brand} {text or number}"


def platform_version(host: Host) -> tuple[int, ...]:
    """What the toolstack compares to know which of two hosts is newer (xapi:
    Helpers.compare_host_platform_versions).
    """
    software_version = host.software_version
    return numbers(software_version.get("platform_version") or software_version.get("product_version") or "")


def mixed(inventory: Inventory) -> bool:
    """Do the hosts run different versions (a rolling upgrade under way, or forgotten)?"""
    return len({platform_version(host) for host in inventory.hosts}) > 1


def before(host: Host, *version: int) -> bool:
    """Is the host's product older than this version?"""
    found = product_version(host.software_version)
    return bool(found) and found < version
