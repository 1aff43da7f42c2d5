"""Which release a pool database belongs to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.xapi.model import release_key, release_names

if TYPE_CHECKING:
    from collections.abc import Mapping

# The database schema's minor version (major is 5) that each release was given (xapi sources, datamodel_common).
_SCHEMAS = {
    19: "rio",
    35: "miami",
    55: "orlando",
    57: "george",
    60: "midnight-ride",
    61: "cowley",
    63: "boston",
    66: "tampa",
    67: "clearwater",
    68: "vgpu-tech-preview",
    69: "vgpu-productisation",
    70: "clearwater-felton",
    71: "clearwater-whetstone",
    72: "creedence",
    73: "cream",
    74: "indigo",
    93: "dundee",
    108: "ely",
    120: "falcon",
    133: "inverness",
    134: "jura",
    142: "kolkata",
    203: "lima",
    400: "naples",
    504: "quebec",
    601: "stockholm",
    602: "stockholm_psr",
}
OLDEST = "rio"


def of_schema(minor: int) -> str | None:
    """The oldest release whose schema is not older than 5.`minor`; None beyond the last named one (8.2).

    Databases of development builds lie between two releases: they may hold fields that the later one brought.
    """
    return next((release for schema, release in _SCHEMAS.items() if schema >= minor), None)


def schema_of(release: str) -> int | None:
    """The schema's minor version that the release writes; None for one that is not in the table."""
    return next((schema for schema, code in _SCHEMAS.items() if code == release), None)


def of_software(version: Mapping[str, str]) -> str | None:
    """The release that host.software_version names: by xapi's version where that tells, else by product_version."""
    xapi = version.get("xapi_build") or version.get("xapi", "")
    if re.fullmatch(r"[0-9]+\.[0-9]+(\.[0-9]+)?", xapi):
        numbers = tuple(int(part) for part in xapi.split("."))
        if numbers >= (1, 250):
            return ".".join(map(str, (*numbers, 0)[:3]))
    return of_product(version.get("product_version", ""))


def of_product(version: str) -> str | None:
    """The release with that product version; None if it is not a version.

    A third number below 50 is an update of the release (8.2.1), from 50 a development build of the next one (6.0.50).
    """
    wanted = _numbers(version)
    if not wanted:
        return None
    if len(wanted) < 3 or wanted[2] < _DEVELOPMENT:
        wanted = wanted[:2]
    later = [
        (numbers, release_key(code), code)
        for code, product in release_names().items()
        if (numbers := _STREAMS.get(code) or _numbers(product)) and numbers >= wanted
    ]
    return min(later)[2] if later else None


def same_product(version: str, release: str) -> bool:
    """Does a product version such as 6.1.0 bear the numbers of that release's name?"""
    return _numbers(release_names().get(release, ""))[:2] == _numbers(version)[:2]


_DEVELOPMENT = 50
_STREAMS = {"nile": (8, 99)}  # XenServer 8 says 8.3 or 8.4, and came after 8.2


def _numbers(text: str) -> tuple[int, ...]:
    """The first dotted number in a text, without trailing zeros (6.1.0 is 6.1); () if there is none."""
    match = re.search(r"[0-9]+(\.[0-9]+)*", text)
    if not match:
        return ()
    numbers = [int(part) for part in match[0].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
