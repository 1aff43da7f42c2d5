"""The objects of one pool, made one by one with references that are the same in every run."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING

from sandbox.xapi.model import model, release_names
from sandbox.xapi.values import Time
from sandbox.xapi.world import Objects, PoolWorld, Record
from sandbox.xapi.worlds.identity import stable_ref, stable_uuid

if TYPE_CHECKING:
    import datetime

MIB = 1024**2
GIB = 1024**3
TIB = 1024**4


_OF_THE_PRODUCT = ("pool_patch", "pool_update")
"""Classes whose objects have the same uuid in every pool: it is the update's own."""


class PoolBuilder:
    """Collects the objects of one pool of a given release.

    Objects are named by class and a key that is unique in its class (``"host", "xs1"``); uuid and reference follow
    from these and the pool's name.  Fields that the release does not know are left out, so that one description
    serves every release; a field that no release knows is a mistake and raises TypeError.
    """

    def __init__(self, name: str, release: str, now: datetime.datetime) -> None:
        self.name = name
        self.release = release
        self.now = now
        self.model = model(release)
        self.objects: Objects = {}
        self.domains: Counter[str] = Counter()
        """How many guests were started on each host (by reference): their domain numbers."""

    def uuid(self, cls: str, key: str) -> str:
        return stable_uuid("product" if cls in _OF_THE_PRODUCT else self.name, cls, key)

    def ref(self, cls: str, key: str) -> str:
        """The reference that :meth:`add` gives, or will give, to that object."""
        return stable_ref(self.name, cls, key)

    def add(self, cls: str, key: str, /, **fields: object) -> str:
        """Make an object with the data model's defaults and `fields`; return its reference."""
        unknown = fields.keys() - _ever_known()[cls]
        if unknown:
            raise TypeError(f"{cls} never had the fields {sorted(unknown)}")
        ref = self.ref(cls, key)
        rows = self.objects.setdefault(cls, {})
        if ref in rows:
            raise ValueError(f"two objects {cls} {key!r}")
        record = fresh_record(self.release, cls)
        record |= {name: value for name, value in fields.items() if name in record}
        record["uuid"] = self.uuid(cls, key)
        rows[ref] = record
        return ref

    def knows(self, cls: str, field: str | None = None) -> bool:
        """Does the release have that class, or that field of it?"""
        return cls in self.model.classes and (field is None or field in self.model.classes[cls].fields)

    def record(self, cls: str, ref: str) -> Record:
        """The record made earlier, to be read or changed in place.  Raises KeyError."""
        return self.objects[cls][ref]

    def ago(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> Time:
        """The time so long before the lab's start."""
        return Time.at(self.now.timestamp() - ((days * 24 + hours) * 60 + minutes) * 60)

    def world(self) -> PoolWorld:
        return PoolWorld(self.release, self.objects)


@functools.cache
def derived_fields(release: str) -> frozenset[tuple[str, str]]:
    """(class, field) of what the many side of a relation, or the toolstack itself, works out: not stored in a world."""
    known = model(release)
    operations = {
        (name, field)
        for name, cls in known.classes.items()
        for field in ("allowed_operations", "current_operations")
        if field in cls.fields
    }
    relations = {
        (other, other_field)
        for cls, field, other, other_field in known.relations
        if known.classes[cls].fields[field].type.kind == "ref"
    }
    return frozenset(operations | relations)


@functools.cache
def stored_defaults(release: str, cls: str) -> dict[str, object]:
    """Each stored field of a class and its default; copy the values before keeping them."""
    derived = derived_fields(release)
    fields = [field for field in model(release).classes[cls].fields.values() if (cls, field.name) not in derived]
    return {field.name: float(field.default) if field.type.kind == "float" else field.default for field in fields}


def fresh_record(release: str, cls: str) -> Record:
    """A record of stored fields, each with its default."""
    defaults = stored_defaults(release, cls)
    return {name: v.copy() if isinstance(v, (list, dict)) else v for name, v in defaults.items()}


@functools.cache
def _ever_known() -> dict[str, frozenset[str]]:
    newest = model(list(release_names())[-1])
    return {name: frozenset(cls.fields) for name, cls in newest.classes.items()}
