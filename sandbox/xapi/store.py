"""One pool's database: objects by class, with generation numbers, a log of deletions and derived relations.

Values in a row are never changed in place: a write puts a new list or map there. A reader that holds the lock may
therefore hand out a row's shallow copy, which is what makes `get_all_records` of thousands of objects cheap.
"""

import threading
import uuid as uuids
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.xapi.failure import Failure
from sandbox.xapi.model import Class, Field, Model
from sandbox.xapi.values import NULL, Row, Time

# xapi remembers the newest 256 to 511 deletions of a class.
_DELETED_MOST, _DELETED_KEPT = 512, 256
_SCHEDULED = "scheduled_to_be_resident_on"


def new_ref() -> str:
    return f"OpaqueRef:{uuids.uuid4()}"


class Table:
    """The objects of one class. `modified` is ordered: the newest change is last."""

    def __init__(self, cls: Class) -> None:
        self.cls = cls
        self.rows: dict[str, Row] = {}
        self.created: dict[str, int] = {}
        self.modified: dict[str, int] = {}
        self.by_uuid: dict[str, str] = {}
        self.deleted: list[tuple[int, int, str]] = []
        """(generation of the deletion, generation of the creation, ref), oldest first."""

    def touched(self, ref: str, generation: int) -> None:
        self.modified.pop(ref, None)
        self.modified[ref] = generation

    def changed_since(self, generation: int) -> Iterator[str]:
        """Objects there now that changed after `generation`, newest change first."""
        for ref in reversed(self.modified):
            if self.modified[ref] <= generation:
                return
            yield ref

    def deleted_since(self, generation: int) -> Iterator[tuple[int, int, str]]:
        """Deletions after `generation`, newest first."""
        for entry in reversed(self.deleted):
            if entry[0] <= generation:
                return
            yield entry

    def forget(self, ref: str, generation: int) -> None:
        self.deleted.append((generation, self.created.pop(ref), ref))
        if len(self.deleted) >= _DELETED_MOST:
            del self.deleted[:-_DELETED_KEPT]
        del self.modified[ref]
        row = self.rows.pop(ref)
        if self.by_uuid.get(row.get("uuid", "")) == ref:
            del self.by_uuid[row["uuid"]]


class Database:
    """The tables of a pool. Hold `lock` around every use; `changed` is notified of each write."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.generation = 1
        self._scheduled: dict[str, set[str]] = {}
        """host → VMs that are about to come: asked for by every look at a host's memory."""
        self.tables = {name: Table(cls) for name, cls in model.classes.items()}
        self._class_of: dict[str, str] = {}
        self._forward: dict[tuple[str, str], tuple[str, str]] = {}
        """(class, field) → the (class, field) whose set is derived from it."""
        self.derived: set[tuple[str, str]] = set()
        for cls, field, other, other_field in model.relations:
            self._forward[cls, field] = (other, other_field)
            if model.classes[cls].fields[field].type.kind == "ref":
                self.derived.add((other, other_field))
            else:
                self._forward[other, other_field] = (cls, field)

    # Reading

    def rows(self, cls: str) -> dict[str, Row]:
        """All records of a class; empty when the release has no such class."""
        table = self.tables.get(cls)
        return table.rows if table else {}

    def get(self, cls: str, ref: str) -> Row:
        """The record, not to be changed. Raises Failure HANDLE_INVALID."""
        row = self.find(cls, ref)
        if row is None:
            raise Failure("HANDLE_INVALID", cls, ref)
        return row

    def find(self, cls: str, ref: str) -> Row | None:
        table = self.tables.get(cls)
        return table.rows.get(ref) if table else None

    def value(self, cls: str, ref: str, field: str) -> Any:
        return self.get(cls, ref)[field]

    def class_of(self, ref: str) -> str | None:
        return self._class_of.get(ref)

    def by_uuid(self, cls: str, uuid: str) -> str:
        """The reference. Raises Failure UUID_INVALID."""
        found = self.tables[cls].by_uuid.get(uuid)
        if found is None:
            raise Failure("UUID_INVALID", cls, uuid)
        return found

    def sole(self, cls: str) -> str:
        """The reference of the only object of a class, such as the pool."""
        return next(iter(self.tables[cls].rows))

    def scheduled_to(self, host: str) -> set[str]:
        """VMs whose scheduled_to_be_resident_on is that host."""
        return self._scheduled.get(host, set())

    # Writing

    def load(self, objects: dict[str, dict[str, Row]]) -> None:
        """Take a world's objects: missing fields get defaults, fields that the release lacks are left out, and
        relations are derived from their many side."""
        for cls, members in objects.items():
            table = self.tables.get(cls)
            if table is None:
                continue
            for ref, given in members.items():
                self._insert(table, ref, {f.name: _loaded(f, given) for f in table.cls.fields.values()})
        self._derive()

    def date_back(self, cls: str, ref: str) -> None:
        """The object is as old as the database: an event for a new reader calls it changed, not added.

        So it is with the coordinator's own host and metrics (seen, and in real pools' databases).
        """
        if self.find(cls, ref) is not None:
            self.tables[cls].created[ref] = 0

    def create(self, cls: str, row: Row, ref: str | None = None) -> str:
        """A new object with the data model's defaults for what `row` leaves out. Returns its reference."""
        table, ref = self.tables[cls], ref or new_ref()
        full = {f.name: row.get(f.name, f.default) for f in table.cls.fields.values()}
        if "uuid" in full and not full["uuid"]:
            full["uuid"] = str(uuids.uuid4())
        for name in full:
            if (cls, name) in self.derived:
                full[name] = []
        self._insert(table, ref, full)
        for name, value in full.items():
            if (cls, name) in self._forward:
                self._relate(cls, name, ref, set(), _targets(value))
        self.changed.notify_all()
        return ref

    def write(self, cls: str, ref: str, **values: Any) -> None:
        """Set fields in one step: one new generation, one event. Raises Failure HANDLE_INVALID.

        Fields that the release does not have are left out, so that a rule need not ask for each.
        """
        row, table = self.get(cls, ref), self.tables[cls]
        changes = {f: v for f, v in values.items() if f in row and row[f] != v}
        if not changes:
            return
        if "uuid" in changes:
            table.by_uuid.pop(row["uuid"], None)
            table.by_uuid[changes["uuid"]] = ref
        before = {f: row[f] for f in changes}
        if cls == "VM" and _SCHEDULED in changes:
            self._scheduled.get(row[_SCHEDULED], set()).discard(ref)
            self._scheduled.setdefault(changes[_SCHEDULED], set()).add(ref)
        row.update(changes)
        self.touch(cls, ref)
        for name, value in changes.items():
            if (cls, name) in self._forward:
                self._relate(cls, name, ref, _targets(before[name]), _targets(value))

    def touch(self, cls: str, ref: str) -> None:
        """Count the object as changed without changing it."""
        self.generation += 1
        self.tables[cls].touched(ref, self.generation)
        self.changed.notify_all()

    def destroy(self, cls: str, ref: str) -> None:
        """Remove the object. References to it stay where they are, as in xapi. Raises Failure HANDLE_INVALID."""
        row, table = self.get(cls, ref), self.tables[cls]
        for name in list(row):
            if (cls, name) in self._forward:
                self._relate(cls, name, ref, _targets(row[name]), set())
        if cls == "VM":
            self._scheduled.get(row.get(_SCHEDULED, NULL), set()).discard(ref)
        self.generation += 1
        table.forget(ref, self.generation)
        del self._class_of[ref]
        self.changed.notify_all()

    def set_key(self, cls: str, ref: str, field: str, key: str, value: Any) -> None:
        """Put one pair into a map."""
        self.write(cls, ref, **{field: {**self.value(cls, ref, field), key: value}})

    def drop_key(self, cls: str, ref: str, field: str, key: str) -> None:
        current = self.value(cls, ref, field)
        if key in current:
            self.write(cls, ref, **{field: {k: v for k, v in current.items() if k != key}})

    # The inside

    def _insert(self, table: Table, ref: str, row: Row) -> None:
        self.generation += 1
        table.rows[ref] = row
        table.created[ref] = self.generation
        table.touched(ref, self.generation)
        if row.get("uuid"):
            table.by_uuid[row["uuid"]] = ref
        self._class_of[ref] = table.cls.name
        if row.get(_SCHEDULED, NULL) != NULL:
            self._scheduled.setdefault(row[_SCHEDULED], set()).add(ref)

    def _derive(self) -> None:
        for cls, field, other, other_field in self.model.relations:
            if (other, other_field) not in self.derived:
                continue
            found: dict[str, list[str]] = {}
            for ref, row in self.tables[cls].rows.items():
                found.setdefault(row[field], []).append(ref)
            for ref, row in self.tables[other].rows.items():
                row[other_field] = _in_order(row[other_field], found.get(ref, []))

    def _relate(self, cls: str, field: str, ref: str, before: set[str], after: set[str]) -> None:
        other, other_field = self._forward[cls, field]
        rows = self.tables[other].rows
        for target in before - after:
            if target in rows and ref in rows[target][other_field]:
                rows[target][other_field] = [r for r in rows[target][other_field] if r != ref]
                self.touch(other, target)
        for target in after - before:
            if target in rows and ref not in rows[target][other_field]:
                # The newest comes first (xapi 26.9 as recorded).
                rows[target][other_field] = [ref, *rows[target][other_field]]
                self.touch(other, target)


def _in_order(given: list[str], derived: list[str]) -> list[str]:
    """A world's own order of a relation is kept where it lists the same objects."""
    return list(given) if len(given) == len(derived) and set(given) == set(derived) else derived


def _targets(value: str | Iterable[str]) -> set[str]:
    return ({value} if value != NULL else set()) if isinstance(value, str) else set(value)


def _loaded(field: Field, given: Row) -> Any:
    if field.name not in given:
        return field.default
    value = given[field.name]
    return Time(value) if field.type.kind == "datetime" else value
