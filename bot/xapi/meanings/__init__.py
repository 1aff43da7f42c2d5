"""What XenAPI's error codes mean, as tables: one module per kind of thing that goes wrong.

The tables name arguments only to find the ones to show; :mod:`bot.xapi.failures` copes with missing and surplus ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings import drivers, ha, hosts, joining, networks, placement, sessions, storage, vms
from bot.xapi.meanings.meaning import BYTES, NOUNS, Meaning

__all__ = ["BYTES", "MEANINGS", "NOUNS", "Meaning", "family_of"]


def _merged(*tables: Mapping[str, tuple[Meaning, ...]]) -> Mapping[str, tuple[Meaning, ...]]:
    merged: dict[str, tuple[Meaning, ...]] = {}
    for table in tables:
        doubled = merged.keys() & table.keys()
        if doubled:
            raise ValueError(f"explained twice: {sorted(doubled)}")
        merged |= table
    return merged


#: code → its meanings; the first that fits the arguments applies.
MEANINGS = _merged(
    sessions.TABLE,
    placement.TABLE,
    vms.TABLE,
    hosts.TABLE,
    joining.TABLE,
    ha.TABLE,
    storage.TABLE,
    drivers.TABLE,
    networks.TABLE,
)

# Codes that come in families; the longest prefix or suffix that fits applies.
_PREFIXES: Mapping[str, Meaning] = {**drivers.PREFIXES, **hosts.PREFIXES, **vms.PREFIXES}
_SUFFIXES: Mapping[str, Meaning] = {**hosts.SUFFIXES}


def family_of(code: str) -> Meaning | None:
    """The meaning of a code that has none of its own but belongs to a family."""
    for prefix in sorted(_PREFIXES, key=len, reverse=True):
        if code.startswith(prefix):
            return _PREFIXES[prefix]
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if code.endswith(suffix):
            return _SUFFIXES[suffix]
    return None
