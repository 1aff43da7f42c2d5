"""Objects of one pool's database on their way into another: new references, the same uuids.

References among the objects that travel follow them; references to anything else become null, or leave their set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.xapi.model import Type
from sandbox.xapi.store import Database, new_ref
from sandbox.xapi.values import NULL, Row

Objects = dict[str, dict[str, Row]]


class Load:
    """What travels: `mapping` says old reference → new one, `objects` the records as they arrive, to be changed until
    `unload`. References in `known` (old → new) are of objects that are there already."""

    def __init__(self, db: Database, chosen: Mapping[str, Iterable[str]], known: Mapping[str, str]) -> None:
        refs = {cls: list(members) for cls, members in chosen.items() if cls in db.tables}
        self.mapping = {ref: new_ref() for members in refs.values() for ref in members} | dict(known)
        self.objects: Objects = {
            cls: {self.mapping[ref]: self._copy(db, cls, ref) for ref in members if ref not in known}
            for cls, members in refs.items()
        }

    def _copy(self, db: Database, cls: str, ref: str) -> Row:
        row = db.get(cls, ref)
        out: Row = {}
        for field in db.tables[cls].cls.fields.values():
            if (cls, field.name) in db.derived or field.name == "allowed_operations":
                continue
            if field.name == "current_operations":
                out[field.name] = {}
            else:
                out[field.name] = _moved(field.type, row[field.name], self.mapping)
        return out

    def row(self, cls: str, old: str) -> Row:
        """The travelling record of what had that reference."""
        return self.objects[cls][self.mapping[old]]

    def unload(self, db: Database) -> None:
        """Create everything: first the objects, then what they say of each other, so that no relation is missed."""
        pending = []
        for cls, rows in self.objects.items():
            relating = {f.name for f in db.tables[cls].cls.fields.values() if _refers(f.type)}
            for ref, row in rows.items():
                db.create(cls, {name: value for name, value in row.items() if name not in relating}, ref)
                pending.append((cls, ref, {name: row[name] for name in relating & row.keys()}))
        for cls, ref, relations in pending:
            db.write(cls, ref, **relations)


def _refers(type_: Type) -> bool:
    return type_.kind == "ref" or any(_refers(member) for member in type_.of)


def _moved(type_: Type, value: Any, mapping: Mapping[str, str]) -> Any:
    if not _refers(type_):
        return value
    if type_.kind == "ref":
        return mapping.get(value, NULL)
    if isinstance(value, dict):
        return {key: mapping[member] for key, member in value.items() if member in mapping}
    return [mapping[member] for member in value if member in mapping]
