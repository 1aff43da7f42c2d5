"""Which process runs the bot on a database: the one that holds `NAME-bot`, a file beside it.

Leases make two bots on one database safe, but it is no way to run: each believes to be the only one that listens. So
the second one says so.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from bot.store.failures import unavailable

_LONGEST = 200
_TRIES = 5
_PAUSE_SECONDS = 0.05


class Presence:
    """Held as long as the bot runs, by the kernel: a process that dies lets go of it.

    :raises Unavailable: the file cannot be made.
    """

    def __init__(self, database: Path, who: str) -> None:
        self.path = path_of(database)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise unavailable(database, f"has no room for {self.path.name}: {error.strerror}", "Check it.") from error
        self.other = ""
        """Who runs on this database already, as it said; "" when nobody does."""
        if not _alone(self._file):
            self.other = _said(self._file) or "another process"
            return
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, who.encode()[:_LONGEST], 0)

    def close(self) -> None:
        os.close(self._file)


def _alone(file: int) -> bool:
    """Tried a few times: whoever asks :func:`running` holds it for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def running(database: Path) -> str:
    """Who runs the bot on this database now; "" when nobody does, or it cannot be told."""
    try:
        file = os.open(path_of(database), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _said(file) or "another process"
    finally:
        os.close(file)
    return ""


def path_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-bot")


def _said(file: int) -> str:
    return os.pread(file, _LONGEST, 0).decode("utf-8", "replace")
