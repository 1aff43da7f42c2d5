"""`xenia database backup` and `xenia database restore`: the whole memory into one file, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.errors import Refused, Unavailable
from bot.store import ledger
from bot.store.audit import reading
from bot.store.chain import Head, Seal, Verification
from bot.store.copies import copying
from bot.store.failures import in_plain_words, unavailable
from bot.store.mark import Mark
from bot.text import plural, quoted

_BESIDE = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a restore did: the head that the copy ends with, and where the database that stood there is kept."""

    head: Head
    kept: Path | None


def backup(database: Path, file: Path, key: bytes | None, former_keys: Sequence[bytes] = ()) -> Verification:
    """Copy the database, which the bot may be using, into a new file; check the copy from end to end.

    :returns: what verifying the copy's ledger found. A flaw is the database's own; the copy is kept all the same.
    :raises Refused: the file exists.
    :raises Unavailable: the database cannot be read, the file not be written, or the copy is damaged: none is
        left.
    """
    if file.exists():
        raise Refused(f"The file {quoted(str(file))} is there already.", remedy="Give another name.")
    with reading(database), copying(database, file) as part:
        return checked(part, key, former_keys)


def checked(file: Path, key: bytes | None, former_keys: Sequence[bytes] = ()) -> Verification:
    """Read every page of a database, and walk its ledger. :raises Unavailable: it is damaged, or none of Xenia's."""
    with reading(file) as db:
        damage = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if damage != "ok":
            raise unavailable(file, "is damaged", "Take another copy.", damage)
        return ledger.verify(db, Seal(key, former_keys))


def restore(
    database: Path,
    file: Path,
    key: bytes | None,
    at: datetime,
    *,
    force: bool = False,
    former_keys: Sequence[bytes] = (),
) -> Replaced:
    """Put a copy in the database's place. What stands there is kept beside it as `NAME.replaced-TIME`.

    Afterwards the database counts as a copy: whoever opens it next closes what waits in it (:mod:`bot.store.lineage`).

    :raises Refused: not with `force`: the copy's ledger has a flaw, or what stands there is newer, has another history,
        or cannot be read.
    :raises Unavailable: the bot runs, or a file cannot be read or written.
    """
    found = checked(file, key, former_keys)
    if found.flaw is not None and not force:
        raise Refused(
            f"The ledger in {quoted(str(file))} has been changed; it is not restored.",
            evidence=(found.flaw.why,),
            remedy="Take another copy, or say --force.",
        )
    mark = Mark(database, alone=True)
    try:
        if not force:
            _refuse_newer(database, found.head)
        with copying(file, database):
            # From here on, whatever is found in this place counts as a copy.
            mark.clear()
            kept = _put_aside(database, at)
    except OSError as error:
        raise unavailable(database, f"cannot be replaced: {error.strerror}", "Check the directory.") from error
    finally:
        mark.close()
    return Replaced(found.head, kept)


def _refuse_newer(database: Path, head: Head) -> None:
    """:raises Refused: what stands there holds what the copy does not, or cannot be read."""
    if not database.exists():
        return
    try:
        with reading(database) as db:
            here, known = ledger.head(db), ledger.holds(db, head)
    except Unavailable as error:
        raise Refused(
            "What the database that stands there holds cannot be told.",
            evidence=(error.message,),
            remedy="If the copy is to take its place, say --force. The database that is replaced is kept.",
        ) from error
    if known and here.seq <= head.seq:
        return
    newer = plural(here.seq - head.seq, "row")
    raise Refused(
        f"The database that stands there is newer: its ledger has {newer} more than the copy."
        if known
        else "The database that stands there has another history than the copy.",
        evidence=(f"its head is {here}", f"the copy's is {head}"),
        remedy="If what was done since is to be given up, say --force. The database that is replaced is kept.",
    )


def _put_aside(database: Path, at: datetime) -> Path | None:
    if not database.exists():
        return None
    try:
        with in_plain_words(database), closing(sqlite3.connect(database)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (Unavailable, sqlite3.Error):
        pass  # a damaged one is kept as it is
    kept = database.with_name(f"{database.name}.replaced-{at:%Y%m%dT%H%M%S}")
    if kept.exists():
        raise Refused(f"The file {quoted(str(kept))} is there already.", remedy="Try again in a second.")
    for end in (*_BESIDE, ""):
        beside = database.with_name(database.name + end)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + end))
    return kept
