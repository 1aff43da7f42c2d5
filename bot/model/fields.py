"""Which fields of a plan are part of what is approved, and of its digest."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

_BINDING = "bound"
_LATER = "later"


def bound(**options: Any) -> Any:
    """A field that the digest covers: a change in it makes an approval stale."""
    return dataclasses.field(metadata={_BINDING: True}, **options)


def free(**options: Any) -> Any:
    """A field that may change between approval and execution without spoiling the approval."""
    return dataclasses.field(metadata={_BINDING: False}, **options)


def later(default: Any) -> Any:
    """A field that the digest covers, which earlier versions of the bot did not have: left out of it while it has its
    default, so that what they stored keeps its digest.
    """
    return dataclasses.field(default=default, metadata={_BINDING: True, _LATER: True})


def binding(value: object) -> object:
    """What the digest covers of a plan or a part of one, as JSON data.

    :raises TypeError: it holds something that is no data.
    """
    if isinstance(value, StrEnum):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: binding(getattr(value, f.name)) for f in bound_fields(type(value)) if not _unused(f, value)}
    if isinstance(value, tuple | list):
        return [binding(item) for item in value]
    if isinstance(value, Mapping):
        return {"map": sorted([str(key), binding(item)] for key, item in value.items())}
    if isinstance(value, datetime):
        return {"time": value.timestamp()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a plan cannot hold {type(value).__name__}")


def bound_fields(cls: type) -> Iterator[dataclasses.Field[Any]]:
    """The fields of a plan's class that its digest covers.

    :raises TypeError: a field is marked neither bound nor free.
    """
    for field in dataclasses.fields(cls):
        if _BINDING not in field.metadata:
            raise TypeError(f"{cls.__name__}.{field.name} is marked neither bound nor free")
        if field.metadata[_BINDING]:
            yield field


def _unused(field: dataclasses.Field[Any], value: object) -> bool:
    return _LATER in field.metadata and bool(getattr(value, field.name) == field.default)
