"""Values of bot.model as text in a column, and back. JSON in ASCII: a name may hold what UTF-8 cannot (a lone
surrogate).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def canonical(data: Any) -> str:
    """JSON data as text, always the same for equal data: keys sorted, no spaces, ASCII.

    :raises ValueError: NaN or infinite numbers, which JSON does not have.
    :raises TypeError: something that is not JSON data.
    """
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def pack(kind: type[T], value: T) -> str:
    """A dataclass (or tuple of them) of bot.model as JSON text."""
    return json.dumps(_adapter(kind).dump_python(value, mode="json", warnings="error"), separators=(",", ":"))


def unpack(kind: type[T], text: str) -> T:
    """:raises ValueError: the text is not such a value (pydantic's ValidationError is one)."""
    value: T = _adapter(kind).validate_python(json.loads(text))
    return value


def pack_optional(kind: type[T], value: T | None) -> str | None:
    return None if value is None else pack(kind, value)


def unpack_optional(kind: type[T], text: str | None) -> T | None:
    return None if text is None else unpack(kind, text)


def stamp(at: datetime) -> str:
    """A time as UTC text of fixed width, so that texts compare as times do.

    :raises ValueError: a time without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def stamp_optional(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def moment_optional(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: surrogate pairs joined, lone surrogates replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
