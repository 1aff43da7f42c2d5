"""Which product a host runs, and how to compare versions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.inventory import Host, Inventory
from bot.text import quoted


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


_BY_BUILD = (25, 33)
"""Since this version the toolstack lets no VM go to a host with an older toolstack or hypervisor either."""


def behind(host: Host, source: Host) -> str:
    """In what the host is older than another, so that no VM goes from that one to it, in words; "" if in nothing.
    (xapi: Helpers.Checks.Migration.)
    """
    there, here = platform_version(host), platform_version(source)
    if there and here and there < here:
        return f"it runs {product(host.software_version)}"
    if toolstack(source) < _BY_BUILD:
        return ""
    for key, what in (("xapi_build", "toolstack"), ("xen", "hypervisor")):
        theirs, ours = (each.software_version.get(key, "") for each in (host, source))
        if theirs and ours and _with_patch(theirs) < _with_patch(ours):
            return f"its {what} is {theirs}, that of {quoted(source.name)} {ours}"
    return ""


def toolstack(host: Host) -> tuple[int, ...]:
    """xapi's own version, which goes on where product versions stand still; () where it is not told (up to 7.0)."""
    return numbers(host.software_version.get("xapi_build", ""))


def _with_patch(version: str) -> tuple[int, ...]:
    """`4.17.5-13` as (4, 17, 5, 13): the toolstack compares what follows the hyphen, too."""
    return tuple(int(part) for piece in version.split("-")[:2] for part in piece.split(".") if part.isdecimal())


UPGRADING = "rolling_upgrade_in_progress"
"""Key of pool.other_config: the coordinator sets it while its hosts have different versions."""


def upgrading(inventory: Inventory) -> bool:
    """Is a rolling upgrade under way, as the toolstack sees it?"""
    return UPGRADING in inventory.pool.other_config or mixed(inventory)


def is_newest(host: Host, inventory: Inventory) -> bool:
    """Has no host of the pool a newer version?"""
    return all(platform_version(host) >= platform_version(each) for each in inventory.hosts)


def mixed(inventory: Inventory) -> bool:
    """Do the hosts run different versions (a rolling upgrade under way, or forgotten)?"""
    return len({platform_version(host) for host in inventory.hosts}) > 1


def before(host: Host, *version: int) -> bool:
    """Is the host's product older than this version?"""
    found = product_version(host.software_version)
    return bool(found) and found < version
