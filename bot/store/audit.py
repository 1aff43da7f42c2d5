"""`xenia ledger verify` and `xenia ledger export`: the ledger of a file that the bot may be using, read only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from bot.store import ledger
from bot.store.chain import Head, Seal, Verification
from bot.store.connection import Connections
from bot.store.failures import unavailable
from bot.store.migrations import check_known

_HEAD = re.compile(r"(?<![\w:])(\d{1,18}):([0-9a-f]{64})(?!\w)")


def heads_in(text: str) -> tuple[Head, ...]:
    """The heads in a pasted text (`18:3f…`, as :class:`Head` prints itself), whatever stands around them."""
    return tuple(Head(int(seq), digest) for seq, digest in _HEAD.findall(text))


def verify_file(path: Path, key: bytes | None, expected: Iterable[Head] = ()) -> Verification:
    """Verify the ledger in the database at `path`.

    :raises Unavailable: the file cannot be read, is no database of Xenia's, or is damaged beyond reading.
    """
    seal = Seal(key)
    with _reading(path) as db:
        return ledger.verify(db, seal, expected)


def export_file(path: Path) -> Iterator[str]:
    """The ledger as JSON lines, as it was when the first was read. :raises Unavailable: as :func:`verify_file`."""
    with _reading(path) as db:
        yield from ledger.exported(db)


@contextmanager
def _reading(path: Path) -> Iterator[Database]:
    connections = Connections(path, read_only=True)
    try:
        with connections.read() as db:
            check_known(db, connections.path)
            if not db.table("ledger").exists():
                raise unavailable(connections.path, "holds no ledger", "Check the path in the configuration.")
            yield db
    finally:
        connections.close()
