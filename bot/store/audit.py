"""`xenia ledger verify` and `xenia ledger export`: the ledger of a file that the bot may be using, read only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from bot.store import archive, facts, ledger, lineage, mark
from bot.store.chain import Flaw, Head, Seal, Verification
from bot.store.connection import Connections
from bot.store.failures import unavailable
from bot.store.migrations import check_known

_HEAD = re.compile(r"(?<![\w:])(\d{1,18}):([0-9a-f]{32}(?:[0-9a-f]{32})?)(?!\w)")


def heads_in(text: str) -> tuple[Head, ...]:
    """The heads in a pasted text (`18:3f…`, as :class:`Head` prints itself, or with 32 of its 64 digits, as below a
    card), whatever stands around them.
    """
    return tuple(Head(int(seq), digest) for seq, digest in _HEAD.findall(text))


def verify_file(
    path: Path,
    key: bytes | None,
    expected: Iterable[Head] = (),
    archives: Iterable[Path] = (),
    former_keys: Sequence[bytes] = (),
) -> Verification:
    """Verify the ledger in the database at `path`, together with the archives to which rows of it have left.

    :raises Unavailable: a file cannot be read, is no database of Xenia's, or is damaged beyond reading.
    """
    seal = Seal(key, former_keys)
    marked = mark.read(path)  # before the rows are read: it is never ahead of them
    with archive.opened(archives) as files, reading(path) as db:
        found = ledger.verify(db, seal, expected, files.rows() if files else None)
        if found.flaw is not None and files and files.reading:
            return replace(found, flaw=replace(found.flaw, why=f"{found.flaw.why} (in {files.reading})"))
        return replace(found, flaw=found.flaw or _mark_flaw(db, marked))


def _mark_flaw(db: Database, marked: mark.Marked | None) -> Flaw | None:
    """The mark beside a database knows the newest row. A copy without one has nobody to tell."""
    if marked is None or facts.get(db, facts.INSTANCE) != marked.instance or ledger.holds(db, marked.head):
        return None
    row = marked.head.seq
    return Flaw(
        row=row, why=f"the mark beside the database has seen row {row}, which is not there (any more) like that"
    )


def restores_in(path: Path) -> tuple[str, ...]:
    """When it was found that the database is a copy, and what is lost: heads of those rows are in no chain any more."""
    with reading(path) as db:
        rows = ledger.of_kind(db, lineage.RESTORED)
    return tuple(
        f"Row {row.seq} ({row.at:%Y-%m-%d %H:%M} UTC): this database is a copy: {row.body.get('why')}."
        f" Lost: {row.body.get('lost')}."
        for row in rows
    )


def export_file(path: Path) -> Iterator[str]:
    """The ledger as JSON lines, as it was when the first was read. :raises Unavailable: as :func:`verify_file`."""
    with reading(path) as db:
        yield from ledger.exported(db)


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    """One snapshot of a database of Xenia's that may be in use. :raises Unavailable: as :func:`verify_file`."""
    connections = Connections(path, read_only=True)
    try:
        with connections.read() as db:
            check_known(db, connections.path)
            if not db.table("ledger").exists():
                raise unavailable(connections.path, "holds no ledger", "Check the path in the configuration.")
            yield db
    finally:
        connections.close()
