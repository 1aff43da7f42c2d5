"""Pool databases as ``xe pool-dump-database`` writes them.

One ``<table>`` per class, one ``<row>`` per object, attributes are fields (:mod:`sandbox.xapi.worlds.sexpr` says how a
value is written).  A file is shown as the pool that wrote it.  Old and partial files load all the same; whatever had
to be left out, made up or could not be read is told in the world's notes, never with a value in it: values may be
secret.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.xapi.model import Class, Model, Type, model, release_names
from sandbox.xapi.values import Time
from sandbox.xapi.world import Lab, LabError, Objects, PoolWorld, Record
from sandbox.xapi.worlds import releases, sexpr
from sandbox.xapi.worlds.builder import derived_fields, fresh_record, stored_defaults
from sandbox.xapi.worlds.check import references, relation_differences

if TYPE_CHECKING:
    from pathlib import Path

_BOOKKEEPING = frozenset({"ref", "_ref", "__ctime", "__mtime"})
_LISTED = 12


class UnreadableError(ValueError):
    """The text of a value is not of the field's type; the message does not quote it."""


@dataclass
class _Reading:
    """What is known of a file while it is read."""

    manifest: dict[str, str] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    columns: dict[str, set[str]] = field(default_factory=dict)
    """Fields that any row of the class has."""
    objects: Objects = field(default_factory=dict)
    unknown_columns: set[str] = field(default_factory=set)
    unreadable: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(class.field, why) → number of objects."""
    notes: list[str] = field(default_factory=list)


def lab(path: Path, *, upgraded: bool = False) -> Lab:
    """The pool of a dump file; `upgraded`: as a 26.9 toolstack shows it.  Raises LabError if there is no pool in it."""
    from sandbox.xapi.worlds import upgrade

    try:
        text = path.read_bytes()
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from error
    try:
        world = read(text)
    except LabError as error:
        raise LabError(f"{path}: {error}") from error
    return Lab(path.name, (upgrade.upgraded(world) if upgraded else world,))


def read(text: bytes | str) -> PoolWorld:
    """Read a dump.  Raises LabError if it is not one, or holds no pool or no host."""
    reading = _read_tables(text)
    for needed in ("pool", "host"):
        if not reading.objects.get(needed):
            raise LabError(f"the file holds no {needed}")
    release = _release(reading)
    return PoolWorld(release, _as_release(reading, release), tuple(reading.notes))


def _read_tables(text: bytes | str) -> _Reading:
    try:
        root = ET.fromstring(text)  # noqa: S314 - expat limits entity expansion and loads nothing external
    except ET.ParseError as error:
        raise LabError(f"not XML: {error}") from error
    if root.tag != "database":
        raise LabError("not a pool database: the document is not a <database>")
    reading = _Reading()
    known = model(list(release_names())[-1])  # types never changed; which release knew what is looked at later
    for element in root:
        if element.tag == "manifest":
            reading.manifest = {pair.get("key", ""): pair.get("value", "") for pair in element.iter("pair")}
        elif element.tag == "table":
            _read_table(reading, known, element)
        else:
            reading.notes.append(f"An element <{element.tag}> was not understood and is left out.")
    return reading


def _read_table(reading: _Reading, known: Model, table: ET.Element) -> None:
    name = table.get("name", "")
    cls = known.classes.get(name)
    if cls is None:
        if len(table):
            reading.notes.append(
                f"The table {name} is of no class that XenAPI has; its {_count(len(table), 'row')} left out."
            )
        return
    reading.tables.add(name)
    rows = reading.objects.setdefault(name, {})
    columns = {f.column: f.name for f in cls.fields.values()} | {f: f for f in cls.fields}
    for row in table:
        ref = row.get("ref") or row.get("_ref")
        if not ref:
            reading.notes.append(f"A row of the table {name} has no reference and is left out.")
        elif ref in rows:
            reading.notes.append(f"Two rows of the table {name} have the same reference; the second is left out.")
        else:
            rows[ref] = _read_row(reading, cls, columns, row)


def _read_row(reading: _Reading, cls: Class, columns: dict[str, str], row: ET.Element) -> Record:
    record: Record = {}
    for column, raw in row.attrib.items():
        if column in _BOOKKEEPING:
            continue
        name = columns.get(column) or columns.get(column.replace("__", "_"))
        if name is None:
            reading.unknown_columns.add(f"{cls.name}.{column}")
            continue
        reading.columns.setdefault(cls.name, set()).add(name)
        try:
            record[name] = value(cls.fields[name].type, sexpr.unprotect(raw))
        except ValueError as error:
            reading.unreadable[f"{cls.name}.{name}", str(error)] += 1
    return record


def value(type_: Type, text: str) -> Any:
    """A field's value from its (unprotected) text.  Raises UnreadableError or SexprError; they do not quote it."""
    match type_.kind:
        case "bool":
            if text not in ("true", "false"):
                raise UnreadableError("not a truth value")
            return text == "true"
        case "int":
            if not re.fullmatch(r"[+-]?[0-9]+", text):
                raise UnreadableError("not a whole number")
            return int(text)
        case "float":
            if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
                raise UnreadableError("not a number")
            return float(text)
        case "datetime":
            try:
                return Time.parse(text)
            except ValueError:
                raise UnreadableError("not a time") from None
        case "enum":
            if text not in model(list(release_names())[-1]).enums[type_.name]:
                raise UnreadableError(f"no {type_.name} that XenAPI has")
            return text
        case "set":
            return [value(type_.of[0], member) for member in sexpr.parse_set(text)]
        case "map":
            return _map(type_, sexpr.parse_map(text))
        case _:
            return text


def _map(type_: Type, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    keys, members = type_.of
    found: dict[str, Any] = {}
    for key, text in pairs:
        value(keys, key)
        if key in found:
            raise UnreadableError("a map with a repeated key")
        found[key] = value(members, text)
    return found


def _release(reading: _Reading) -> str:
    """The file's release: its schema says it best, else the coordinator's software."""
    pool = next(iter(reading.objects["pool"].values()))
    hosts = reading.objects["host"]
    coordinator = hosts.get(pool.get("master", "")) or next(iter(hosts.values()))
    software = coordinator.get("software_version", {})
    by_software = releases.of_software(software)
    schema = reading.manifest.get("schema_minor_vsn", "")
    by_schema = releases.of_schema(int(schema)) if schema.isdigit() else None
    product = software.get("product_version", "")
    if by_schema:
        if by_software != by_schema and not releases.same_product(product, by_schema):
            reading.notes.append(
                f"The hosts call themselves {product or 'nothing'}, but database schema 5.{schema} is that of "
                f"{_product(by_schema)}: shown as that release."
            )
        return by_schema
    if by_software:
        return by_software
    reading.notes.append("The file does not say which release wrote it; it is shown as the oldest.")
    return releases.OLDEST


def _product(release: str) -> str:
    return release_names().get(release, f"xapi {release}")


def _as_release(reading: _Reading, release: str) -> Objects:
    """The objects with just the stored fields of that release; notes what is lost or made up on the way."""
    known = model(release)
    notes = reading.notes
    if reading.unknown_columns:
        notes.append(f"Columns that XenAPI does not show are left out: {_listed(reading.unknown_columns)}.")
    for (where, why), count in sorted(reading.unreadable.items()):
        notes.append(f"{where} of {_count(count, 'object')} could not be read ({why}); the default is shown.")
    for name, differing in sorted(relation_differences(known, reading.objects).items()):
        notes.append(f"{name} of {_count(differing, 'object')} disagrees with the objects it lists; these count.")
    objects: Objects = {}
    newer: set[str] = set()
    for cls, rows in reading.objects.items():
        if cls not in known.classes:
            if rows:
                notes.append(f"{_product(release)} has no class {cls}; {_count(len(rows), 'object')} left out.")
            continue
        stored = stored_defaults(release, cls)
        newer |= {f"{cls}.{name}" for name in reading.columns.get(cls, set()) - known.classes[cls].fields.keys()}
        busy = sum(bool(row.get("current_operations")) for row in rows.values())
        if busy:
            notes.append(f"{_count(busy, cls)} had operations under way when the file was written; they are not shown.")
        if rows:
            objects[cls] = {
                ref: fresh_record(release, cls) | {name: v for name, v in row.items() if name in stored}
                for ref, row in rows.items()
            }
    if newer:
        notes.append(f"Fields newer than {_product(release)} are left out: {_listed(newer)}.")
    _note_absent(reading, known)
    dangling = Counter(
        f"{cls}.{name}"
        for cls, name, _, target, ref in references(known, objects)
        if ref not in objects.get(target, {})
    )
    for name, count in sorted(dangling.items()):
        notes.append(f"{name}: {_count(count, 'reference')} to objects that are not in the file.")
    return objects


def _note_absent(reading: _Reading, known: Model) -> None:
    tables = {name for name, cls in known.classes.items() if cls.in_database} - reading.tables
    if tables:
        reading.notes.append(f"The file lacks the tables {_listed(tables)}.")
    derived = derived_fields(known.release)
    for cls in sorted(reading.columns.keys() & known.classes.keys()):
        absent = {
            name
            for name, known_field in known.classes[cls].fields.items()
            if name not in reading.columns[cls]
            and (cls, name) not in derived
            and _could_be_there(known, known_field.type)
        }
        if absent:
            reading.notes.append(f"The file lacks fields of {cls}, shown with their defaults: {_listed(absent)}.")


def _could_be_there(known: Model, type_: Type) -> bool:
    """A reference to a class that the release did not have yet is not missed, whatever date the data model gives it."""
    inner = type_.of[-1] if type_.of else type_
    return inner.kind != "ref" or inner.name in known.classes


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: set[str]) -> str:
    ordered = sorted(names)
    if len(ordered) <= _LISTED:
        return ", ".join(ordered)
    return f"{', '.join(ordered[:_LISTED])} and {len(ordered) - _LISTED} more"
