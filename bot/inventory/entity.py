"""An object of a pool's database: its record, and the way to its neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.model import ObjectId

if TYPE_CHECKING:
    from bot.inventory.database import Inventory


NULL_REF = "OpaqueRef:NULL"
Record = Mapping[str, Any]


def fraction(value: object) -> float:
    """A share as XenAPI tells it, from 0 to 1; 0 for what is no number, NaN among them."""
    try:
        found = float(str(value))
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(found) else min(max(found, 0.0), 1.0)


class Entity:
    """An object of the inventory: its reference, its record, and the way to its neighbours."""

    cls = ""

    def __init__(self, ref: str, record: Record, inventory: Inventory) -> None:
        self.ref = ref
        self.record = record
        self._inventory = inventory

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and other.cls == self.cls and other.ref == self.ref

    def __hash__(self) -> int:
        return hash((self.cls, self.ref))

    def __repr__(self) -> str:
        return f"<{self.cls} {self.name!r}>"

    def has(self, name: str) -> bool:
        """Does this pool's version show the field at all?"""
        return name in self.record

    def text(self, name: str, default: str = "") -> str:
        value = self.record.get(name, default)
        return value if isinstance(value, str) else str(value)

    def number(self, name: str, default: int = 0) -> int:
        try:
            return int(self.record.get(name, default))
        except (TypeError, ValueError, OverflowError):  # no number, not one (NaN), or without end
            return default

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.record.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() == "true"

    def mapping(self, name: str) -> Mapping[str, str]:
        value = self.record.get(name)
        return value if isinstance(value, Mapping) else {}

    def refs(self, name: str) -> tuple[str, ...]:
        value = self.record.get(name)
        return tuple(value) if isinstance(value, list | tuple) else ()

    @property
    def uuid(self) -> str:
        return self.text("uuid")

    @property
    def name(self) -> str:
        return self.text("name_label") or self.uuid

    @property
    def id(self) -> ObjectId:
        return ObjectId(self.cls, self.uuid, self.name)

    @property
    def other_config(self) -> Mapping[str, str]:
        return self.mapping("other_config")

    @property
    def under_way(self) -> tuple[str, ...]:
        """What is being done with it, by its `current_operations`; each kind once."""
        return tuple(dict.fromkeys(self.mapping("current_operations").values()))

    @property
    def tags(self) -> tuple[str, ...]:
        return self.refs("tags")
