"""SQLite's failures in plain words. What is the machine's fault becomes Unavailable; the rest stays a bug."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import Unavailable
from bot.text import quoted

# Primary result codes (sqlite.org/rescode.html); an extended code keeps the primary one in its low byte.
_WORDS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "is locked by another process",
        "See which process holds it (`fuser FILE`), or wait for a long copy or query of it to end.",
    ),
    sqlite3.SQLITE_LOCKED: ("is locked by another process", "Try again in a moment."),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "Free space on its file system."),
    sqlite3.SQLITE_READONLY: ("is read-only", "Make the file and its directory writable for the bot's user."),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Check that the file and its directory belong to the bot's user."),
    sqlite3.SQLITE_PERM: ("may not be opened", "Check that the file and its directory belong to the bot's user."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Check the disk, and the kernel's log."),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "Stop the bot, keep this file, and restore the newest copy."),
    sqlite3.SQLITE_NOTADB: ("is not a database", "Check the path in the configuration."),
}

_LEAST_BYTES = 64 * 1024
"""SQLite's index of the WAL, the first that cannot be made on a full disk, takes 32 KiB (sqlite.org/walformat.html)."""


def unavailable(path: Path, what: str, remedy: str, *evidence: str) -> Unavailable:
    """The one shape of every refusal of this room."""
    return Unavailable(f"The bot's memory {quoted(str(path))} {what}.", remedy=remedy, evidence=evidence)


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_BYTES
    except OSError:
        return False


@contextmanager
def in_plain_words(path: Path) -> Iterator[None]:
    """:raises Unavailable: for what SQLite reports about the disk, the file or another process; its transaction was
    rolled back. A wrong statement or a broken constraint is a bug and passes through.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        words = _WORDS.get(code & 0xFF) if code is not None else None
        if words is None:
            raise
        if words is _WORDS[sqlite3.SQLITE_IOERR] and _is_full(path):
            words = _WORDS[sqlite3.SQLITE_FULL]  # what is mapped into memory cannot say so
        raise unavailable(path, *words, f"SQLite says: {error}") from error
