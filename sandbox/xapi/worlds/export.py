"""A pool as the ``pool-dump-database`` file that its coordinator would write."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from sandbox.xapi.model import Type, model
from sandbox.xapi.worlds import releases, sexpr

if TYPE_CHECKING:
    from sandbox.xapi.world import PoolWorld


def to_xml(world: PoolWorld, generation: int = 1) -> str:
    """The dump of a pool; alerts are not in it, they are not in the database. `generation` counts its changes."""
    known = model(world.release)
    root = ET.Element("database")
    manifest = ET.SubElement(root, "manifest")
    schema = releases.schema_of(world.release)
    if schema is not None:
        for key, number in (
            ("schema_major_vsn", "5"),
            ("schema_minor_vsn", str(schema)),
            ("generation_count", str(generation)),
        ):
            ET.SubElement(manifest, "pair", key=key, value=number)
    for name, cls in sorted(known.classes.items()):
        if not cls.in_database:
            continue
        table = ET.SubElement(root, "table", name=name)
        for ref, record in world.objects.get(name, {}).items():
            columns = {
                cls.fields[field].column: sexpr.protect(value_text(cls.fields[field].type, value))
                for field, value in sorted(record.items())
            }
            ET.SubElement(table, "row", {"ref": ref, "_ref": ref, **columns})
    return ET.tostring(root, encoding="unicode")


def value_text(type_: Type, value: object) -> str:
    """A value as the database writes it, before white space is protected; :func:`~.dump.value` reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return sexpr.write([value_text(type_.of[0], member) for member in value])
    if isinstance(value, dict):
        return sexpr.write([[str(key), value_text(type_.of[1], member)] for key, member in value.items()])
    return str(value)
