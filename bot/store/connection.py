"""Connections to the one database file: shared by the threads, durable, and every write a transaction of its own.

WAL, so that readers never wait; `synchronous=FULL`, so that what was committed survives a power cut (sqlite.org:
pragma_synchronous); `BEGIN IMMEDIATE`, so that a compare-and-set never has to be taken back halfway.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlite_utils import Database

from bot.errors import Unavailable
from bot.store.failures import in_plain_words, unavailable

log = logging.getLogger(__name__)

APPLICATION_ID = 0x58656E69
"""`PRAGMA application_id` of Xenia's databases: "Xeni"."""

BUSY_SECONDS = 10.0
"""How long a write waits for another process's before it is refused."""


MOST_IDLE = 8
"""Connections that are kept open for the next who needs one. Each costs two file handles and SQLite's cache of pages,
2 MB at most (sqlite.org: pragma_cache_size); a thread that only waits costs neither.
"""


class Connections:
    """The file at `path`; made with mode 0600 where it does not exist. A thread has a connection for as long as its
    block lasts, then it is the next one's: there are as many as were ever at work at once, of which `MOST_IDLE` stay.

    :raises Unavailable: the path cannot be used, or is not a database.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS, read_only: bool = False) -> None:
        self.path = path.absolute()
        self._busy_seconds = busy_seconds
        self._read_only = read_only
        self._mine = threading.local()
        self._idle: list[Database] = []  # used last in, first out: few connections do nearly all the work
        self._out = 0
        self._closed = False
        self._returned = threading.Condition()  # guards the three above
        self._writer = threading.Lock()
        check_directory(self.path, writing=not read_only)
        self.created = not read_only and _create(self.path)
        check_file(self.path)

    @contextmanager
    def read(self) -> Iterator[Database]:
        """One consistent snapshot, however many queries it takes. Nothing lazy may leave the block.

        :raises Unavailable: as :func:`in_plain_words`, or after :meth:`close`.
        """
        with self._lent() as db, in_plain_words(self.path), db.atomic():
            yield db

    @contextmanager
    def write(self) -> Iterator[Database]:
        """One transaction that holds the database's only write lock from its begin on; rolled back on any exception.

        :raises Unavailable: as :func:`in_plain_words`, or after :meth:`close`. Nothing was written.
        """
        self._check_open()
        if getattr(self._mine, "db", None) is not None:
            raise RuntimeError("a transaction is open in this thread already")
        # Between threads this lock is quicker and fairer than SQLite's polling, which remains for other processes.
        if not self._writer.acquire(timeout=self._busy_seconds):
            raise unavailable(self.path, "is busy with other writes of this process", "Try again in a moment.")
        try:
            with self._lent() as db, in_plain_words(self.path):
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.commit()
                except BaseException:
                    db.rollback()
                    raise
        finally:
            self._writer.release()

    def close(self) -> None:
        """Threads that begin something get Unavailable from now on; what they are at may end, and is waited for, for as
        long as a write waits. Who takes longer closes the connection itself: one that is at work is never closed from
        another thread, of which the process would die.
        """
        own = 0 if getattr(self._mine, "db", None) is None else 1
        with self._returned:
            self._closed = True
            idle, self._idle = self._idle, []
            self._returned.wait_for(lambda: self._out <= own, self._busy_seconds)
        for db in idle:
            db.close()

    @contextmanager
    def _lent(self) -> Iterator[Database]:
        """A connection for this thread alone; within another block of the thread, that one's."""
        own: Database | None = getattr(self._mine, "db", None)
        if own is not None:
            self._check_open()
            yield own
            return
        db = self._mine.db = self._take()
        try:
            yield db
        finally:
            self._mine.db = None
            self._give_back(db)

    def _take(self) -> Database:
        with self._returned:
            self._check_open()
            self._out += 1
            if self._idle:
                return self._idle.pop()
        try:
            with in_plain_words(self.path):
                return self._connect()
        except BaseException:
            self._one_less_out()
            raise

    def _give_back(self, db: Database) -> None:
        with self._returned:
            kept = not self._closed and len(self._idle) < MOST_IDLE and not db.conn.in_transaction
            if kept:
                self._idle.append(db)
        try:
            if not kept:
                db.close()
        finally:
            self._one_less_out()

    def _one_less_out(self) -> None:
        with self._returned:
            self._out -= 1
            self._returned.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("The bot is shutting down; its memory is closed.")

    def _connect(self) -> Database:
        # Opened by URI so that a file that vanished is an error and not an empty new database.
        uri = f"file:{quote(str(self.path))}?mode={'ro' if self._read_only else 'rw'}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            db = Database(connection, execute_plugins=False)
            db.execute("PRAGMA foreign_keys=ON")
            db.execute("PRAGMA synchronous=FULL")
            _check_application(db, self.path)
            if not self._read_only:
                _protect(self.path)
                self._enable_wal(db)
        except BaseException:
            connection.close()
            raise
        return db

    def _enable_wal(self, db: Database) -> None:
        # SQLite does not wait for the lock that this change needs when two processes open a new file at once.
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                db.enable_wal()
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def _check_application(db: Database, path: Path) -> None:
    found = db.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise unavailable(path, "is another program's database", "Check the path in the configuration.")


def check_directory(path: Path, *, writing: bool) -> None:
    """:raises Unavailable: the database's directory does not exist, cannot be written, or lets anybody replace the
    file.
    """
    directory = path.parent
    try:
        mode = directory.stat().st_mode
    except OSError as error:
        remedy = f"Create the directory {directory} for the bot's user alone (mode 0700)."
        raise unavailable(path, f"cannot be reached: {error.strerror}", remedy) from error
    if not stat.S_ISDIR(mode):
        raise unavailable(path, f"cannot be reached: {directory} is not a directory", "Check the path.")
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise unavailable(path, f"is not safe: anybody can write in {directory}", f"Run `chmod o-w {directory}`.")
    # WAL needs two files beside the database, also for a change of one row.
    if writing and os.statvfs(directory).f_flag & os.ST_RDONLY:
        raise unavailable(path, f"cannot be written: the file system of {directory} is read-only", "See why it is so.")
    if writing and not os.access(directory, os.W_OK | os.X_OK):
        raise unavailable(path, f"cannot be written: no permission in {directory}", "Give it to the bot's user.")


def _create(path: Path) -> bool:
    """Make the empty file with mode 0600 (SQLite gives its WAL the same mode). False when it exists already."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        raise unavailable(path, f"cannot be created: {error.strerror}", "Check the path and the disk.") from error
    return True


def check_file(path: Path) -> None:
    """:raises Unavailable: it is missing, no file, or somebody else's."""
    try:
        found = path.stat()
    except OSError as error:
        raise unavailable(path, f"cannot be opened: {error.strerror}", "Check the path.") from error
    if not stat.S_ISREG(found.st_mode):
        raise unavailable(path, "is not a file", "Check the path in the configuration.")
    if os.geteuid() not in (0, found.st_uid):
        raise unavailable(path, "belongs to another user", "Run this as the bot's user.")


def _protect(path: Path) -> None:
    """Take other people's rights to the file away: only once it is known to be the bot's database."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("The database's file was open to other users (mode %o); it is now 600.", mode)
        for end in ("", "-wal", "-shm"):  # SQLite has made these with the file's mode
            with suppress(FileNotFoundError):
                path.with_name(path.name + end).chmod(0o600)
