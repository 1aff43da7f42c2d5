"""One database file copied to another: while the bot works, and complete before it gets its name."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.durable import on_disk
from bot.store.failures import in_plain_words, unavailable


@contextmanager
def copying(source: Path, target: Path) -> Iterator[Path]:
    """Copy the database `source` as it is now, with mode 0600. The copy is on the disk under another name while the
    block looks at it, and becomes `target` when the block ends well; else nothing is left.

    :raises Unavailable: it cannot be read, or not be written.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise unavailable(target, f"cannot be created: {error.strerror}", "Check the path and the disk.") from error
    try:
        with in_plain_words(target), closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)
            # In one file: whoever moves a copy moves all of it.
            new.execute("PRAGMA journal_mode=delete")
        yield part
        on_disk(part)
        part.replace(target)
        on_disk(target.parent)
    finally:
        part.unlink(missing_ok=True)
