"""The pool's database as a file that its coordinator serves: what `xe pool-dump-database` fetches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.registry import difference
from sandbox.xapi.worlds.export import to_xml

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool

PATH = "/pool/xmldbdump"

difference(
    "GET /pool/xmldbdump",
    "Sessions and tasks are not in it.",
    "They would be gone after a restore.",
)
difference(
    "PUT /pool/xmldbdump", "A restore is refused as not implemented.", "It would end the lab's hosts as they are."
)


def dump(pool: Pool) -> bytes:
    """The database in the dump's own XML."""
    with pool.db.lock:
        world, generation = pool.world(), pool.db.generation
    return f"<?xml version='1.0'?>{to_xml(world, generation)}".encode()
