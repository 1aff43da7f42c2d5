"""What must not enter the ledger is withheld, and logged as the defect that it is.

A body with a secret is the caller's bug. Refusing it would stop the change that it records, so the value is replaced
and an error is logged (with the place, never the value): the same in production and in tests.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bot.withheld import WITHHELD, redacted_text

LONGEST_TEXT = 4000
"""Longer texts are kept as their hash, length and beginning."""

_SECRET_KEY = re.compile(
    r"(?i)(password|passwd|passphrase|secret|token|credential|cookie|authorization|private_?key|api_?key"
    r"|session(_?(id|ref))?\Z|response_?url)"
)


def redacted(body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body as JSON data fit for keeping, and the places where something was withheld (`a.b[2]`).

    A key that reads like a secret's is withheld with all below it, unless its value is empty or a yes or no.

    :raises TypeError: the body holds something that is not JSON data.
    """
    places: list[str] = []
    clean = {str(key): _clean(value, str(key), str(key), places) for key, value in body.items()}
    return clean, tuple(places)


def _clean(value: Any, key: str, place: str, places: list[str]) -> Any:
    if value is None or isinstance(value, bool) or value == "":
        return value
    if _SECRET_KEY.search(key):
        places.append(place)
        return WITHHELD
    if isinstance(value, str):
        return _clean_text(value, place, places)
    if isinstance(value, Mapping):
        return {str(name): _clean(item, str(name), f"{place}.{name}", places) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, "", f"{place}[{index}]", places) for index, item in enumerate(value)]
    if isinstance(value, int | float):
        return value
    raise TypeError(f"a ledger entry cannot hold {type(value).__name__} (at {place})")


def _clean_text(text: str, place: str, places: list[str]) -> Any:
    clean = redacted_text(text)
    if clean != text:
        places.append(place)
    if len(clean) <= LONGEST_TEXT:
        return clean
    digest = hashlib.sha256(clean.encode("utf-8", "surrogatepass")).hexdigest()
    return {"sha256": digest, "characters": len(clean), "begins": clean[:200]}


def redacted_error(error: tuple[str, ...]) -> tuple[str, ...]:
    """XenAPI's error array for keeping. References stay, since they are needed to name what failed; the parameter of
    SESSION_… errors is the session itself.
    """
    if error and error[0].startswith("SESSION_"):
        return (error[0], *(WITHHELD for _ in error[1:]))
    return error
