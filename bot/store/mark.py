"""The mark: a small file beside the database that knows how far its ledger got.

A database cannot tell from itself that it is an older copy of itself. So the newest head stands beside it too, in
`NAME-mark`, written after every change and made durable before every call with effect. A copy that is put in the
database's place is behind its mark; one that is put elsewhere has none. Whoever copies both together, or sets the whole
disk back, is not told by it: that is what heads in Slack are for.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from bot.store.chain import Head
from bot.store.failures import unavailable

_SHAPE = re.compile(rb"xenia-mark-1 ([0-9a-f]{32}) (\d{18}):([0-9a-f]{64})\n\Z")
_LENGTH = 12 + 1 + 32 + 1 + 18 + 1 + 64 + 1


@dataclass(frozen=True, slots=True)
class Marked:
    """What a mark says: which life of the database it belongs to, and the newest row that it has seen."""

    instance: str
    head: Head


def path_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-mark")


def read(database: Path) -> Marked | None:
    """The mark beside a database that is not opened here; None when there is none that can be read."""
    try:
        found = _SHAPE.match(path_of(database).read_bytes())
    except OSError:
        return None
    return _marked(found)


class Mark:
    """The mark beside an open database. As long as it is open, nobody else can hold it alone.

    :raises Unavailable: it cannot be opened, or (with `alone`) another process has the database open.
    """

    def __init__(self, database: Path, *, alone: bool = False) -> None:
        self._database = database
        self.path = path_of(database)
        self._guard = threading.Lock()
        self._newest = -1
        self._closed = False
        try:
            self.existed = self.path.exists()
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise self._trouble(error) from error
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            what = "is in use: the bot or a command of it runs" if alone else "is being restored"
            raise unavailable(database, what, "Stop it first." if alone else "Wait until that has ended.") from error

    def read(self) -> Marked | None:
        """None: it says nothing that can be understood."""
        with self._guard:
            return _marked(_SHAPE.match(self._content()))

    def begin(self, instance: str, head: Head) -> None:
        """From now on it is this life's mark, whatever it said. :raises Unavailable: it cannot be written."""
        with self._guard:
            self._write(instance, head)
            self._newest = head.seq

    def advance(self, head: Head, *, durable: bool = False) -> None:
        """The ledger has come so far. With `durable` it is on the disk afterwards.

        :raises Unavailable: it cannot be written.
        """
        with self._guard:
            if self._closed or (head.seq <= self._newest and not durable):
                return
            try:
                # Another process may have come further; the two kinds of lock do not know each other.
                fcntl.lockf(self._file, fcntl.LOCK_EX)
                try:
                    before = _marked(_SHAPE.match(self._content()))
                    if before is not None and before.head.seq < head.seq:
                        self._write(before.instance, head, durable=durable)
                    elif durable:
                        os.fsync(self._file)
                finally:
                    fcntl.lockf(self._file, fcntl.LOCK_UN)
            except OSError as error:
                raise self._trouble(error) from error
            self._newest = max(self._newest, head.seq)

    def clear(self) -> None:
        """Let it say nothing: whoever opens the database next takes it for a copy."""
        with self._guard:
            try:
                os.ftruncate(self._file, 0)
                os.fsync(self._file)
            except OSError as error:
                raise self._trouble(error) from error

    def close(self) -> None:
        with self._guard:
            if not self._closed:
                self._closed = True
                os.close(self._file)

    def _content(self) -> bytes:
        return os.pread(self._file, _LENGTH + 1, 0)

    def _write(self, instance: str, head: Head, *, durable: bool = True) -> None:
        line = f"xenia-mark-1 {instance} {head.seq:018}:{head.hash}\n".encode()
        try:
            if os.pwrite(self._file, line, 0) != len(line):
                raise OSError("written only in part")
            os.ftruncate(self._file, len(line))
            if durable:
                os.fsync(self._file)
        except OSError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> Exception:
        what = f"has a mark ({self.path.name}) that cannot be written: {error.strerror or error}"
        return unavailable(self._database, what, "Check the disk, and that the file belongs to the bot's user.")


def _marked(found: re.Match[bytes] | None) -> Marked | None:
    return Marked(found[1].decode(), Head(int(found[2]), found[3].decode())) if found else None
