"""Copies of pools' databases: fetched, written with mode 0600, read again to be sure, and kept for as long as they are
of use.

The file is what `xe pool-dump-database` writes: XML with a table for each class. Passwords of storage are in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import xml.parsers.expat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.durable import on_disk
from bot.errors import Refused, Unavailable, UserError
from bot.model import BOT, Entry
from bot.ports import Clock, PoolBackup
from bot.text import plural, quoted, size

log = logging.getLogger(__name__)

_PIECE_BYTES = 1 << 20
_AT = "%Y%m%dT%H%M%S"
_NAME = re.compile(r"(?P<pool>.+)-(?P<at>\d{8}T\d{6})-(?P<request>X-\d+|x)\.xml(?P<part>\.part)?")
_LEFT_BEHIND = timedelta(days=1)
"""Whoever wrote a file that is older has ended, whatever became of it."""


class BackupBook(Protocol):
    """Where it is written down which copies there are."""

    def backups(self, pools: tuple[str, ...]) -> tuple[PoolBackup, ...]: ...
    def backed_up(self, made: PoolBackup, gone: tuple[PoolBackup, ...], entry: Entry) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a copy holds."""

    pool_uuids: tuple[str, ...]
    hosts: int
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dumps:
    """Makes and keeps copies in `folder`, the newest `keep` of each pool. `fetch` gives a pool's database in pieces."""

    folder: Path
    keep: int
    fetch: Callable[[str], Iterator[bytes]]
    book: BackupBook
    clock: Clock

    def take(self, pool: str, pool_uuid: str, request_id: str) -> PoolBackup:
        """Make one. Nothing is left of one that failed.

        :raises Unavailable: the pool does not give it, or it cannot be written.
        :raises Refused: what came is not the whole database of that pool.
        """
        at = self.clock.now()
        file = self.folder / f"{pool}-{at:{_AT}}-{request_id or 'x'}.xml"
        part = file.with_name(f"{file.name}.part")
        try:
            digest, length = self._write(part, pool)
            found = read(part)
            if found.pool_uuids != (pool_uuid,):
                raise Refused(
                    f"What {quoted(pool)} gave is the database of another pool; it was not kept.",
                    evidence=(f"it is of {', '.join(found.pool_uuids) or 'no pool'}, not of {pool_uuid}",),
                )
            with _writable(file):
                part.replace(file)
                on_disk(self.folder)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        made = PoolBackup(
            pool=pool,
            pool_uuid=pool_uuid,
            at=at,
            file=str(file.absolute()),
            size=length,
            sha256=digest,
            hosts=found.hosts,
            generation=found.generation,
            request_id=request_id,
        )
        with contextlib.suppress(OSError):
            self._gather(pool)
        self._keep(made)
        return made

    def latest(self, pool: str, pool_uuid: str) -> PoolBackup | None:
        """The newest copy of the pool that is on record."""
        return next((each for each in self.book.backups((pool,)) if each.pool_uuid == pool_uuid), None)

    def whole(self, backup: PoolBackup) -> tuple[bool, str]:
        """Is the file there as it was written? Read again, whole."""
        try:
            digest = _digest(Path(backup.file))
        except OSError as error:
            return False, f"{backup.file} cannot be read: {error.strerror}"
        if digest != backup.sha256:
            return False, f"{backup.file} is not as it was written"
        hosts = plural(backup.hosts, "host")
        return True, f"{backup.file}: {size(backup.size)}, {hosts}, SHA-256 {backup.sha256}"

    def _write(self, part: Path, pool: str) -> tuple[str, int]:
        """The SHA-256 and the size of what was written."""
        digest, length = hashlib.sha256(), 0
        with _writable(part):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            for piece in self.fetch(pool):
                with _writable(part):
                    file.write(piece)
                digest.update(piece)
                length += len(piece)
            with _writable(part):
                file.flush()
                os.fsync(file.fileno())
        return digest.hexdigest(), length

    def _keep(self, made: PoolBackup) -> None:
        """Write it down, and let the oldest go that are too many."""
        gone = self.book.backups((made.pool,))[self.keep - 1 :]
        self._record("pool backed up", made, gone)
        for each in gone:
            with contextlib.suppress(OSError):
                Path(each.file).unlink(missing_ok=True)

    def _record(self, kind: str, backup: PoolBackup, gone: tuple[PoolBackup, ...] = ()) -> None:
        body = {
            "file": backup.file,
            "bytes": backup.size,
            "sha256": backup.sha256,
            "hosts": backup.hosts,
            "generation": backup.generation,
            "removed": [each.file for each in gone],
        }
        entry = Entry(kind=kind, actor=BOT, pool=backup.pool, request_id=backup.request_id, body=body)
        self.book.backed_up(backup, gone, entry)

    def _gather(self, pool: str) -> None:
        """What a process left that died: a whole copy that is not on record is written down, so that it is listed and
        goes when its time comes; a part is removed. What is neither stays.
        """
        recorded = {each.file for each in self.book.backups((pool,))}
        for file in sorted(self.folder.iterdir()):
            name = _NAME.fullmatch(file.name)
            if name is None or name["pool"] != pool or str(file.absolute()) in recorded:
                continue
            facts = file.stat()
            if self.clock.now() - datetime.fromtimestamp(facts.st_mtime, UTC) < _LEFT_BEHIND:
                continue
            if name["part"]:
                file.unlink(missing_ok=True)
                continue
            try:
                found, at = read(file), datetime.strptime(name["at"], _AT).replace(tzinfo=UTC)
                (pool_uuid,) = found.pool_uuids
            except (UserError, ValueError) as error:
                log.warning("%s is no copy of one pool's database, and stays: %s", file, error)
                continue
            left = PoolBackup(
                pool=pool,
                pool_uuid=pool_uuid,
                at=at,
                file=str(file.absolute()),
                size=facts.st_size,
                sha256=_digest(file),
                hosts=found.hosts,
                generation=found.generation,
                request_id=name["request"].removeprefix("x"),
            )
            self._record("pool backup found", left)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> Found:
    """What a dump says of itself, read to its end.

    :raises Refused: it is no pool's database, or not all of it.
    :raises Unavailable: the file cannot be read.
    """
    reading = _Reading()
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
    except xml.parsers.expat.ExpatError as error:
        raise Refused(
            "What the pool gave is not a whole database; it was not kept.",
            evidence=(f"it cannot be read beyond line {error.lineno}, column {error.offset}",),
            remedy="Ask again; if it happens again, look at the coordinator's disk and memory.",
        ) from error
    except OSError as error:
        raise Unavailable(f"The copy {path} cannot be read: {error.strerror}.") from error
    if reading.root != "database" or not reading.hosts:
        raise Refused(
            "What the pool gave is not a pool's database; it was not kept.",
            evidence=(f"its root is {quoted(reading.root or 'nothing')}, with {plural(reading.hosts, 'host')}",),
        )
    return Found(pool_uuids=tuple(reading.pools), hosts=reading.hosts, generation=reading.generation)


@dataclass(slots=True)
class _Reading:
    """What has been seen of a dump so far."""

    root: str = ""
    table: str = ""
    pools: list[str] = field(default_factory=list)
    hosts: int = 0
    generation: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.root = self.root or name
        if name == "table":
            self.table = attributes.get("name", "")
        elif name == "row" and self.table == "pool":
            self.pools.append(attributes.get("uuid", ""))
        elif name == "row" and self.table == "host":
            self.hosts += 1
        elif name == "pair" and attributes.get("key") == "generation_count":
            number = attributes.get("value", "")
            self.generation = int(number) if number.isdecimal() and len(number) < 19 else 0

    def end(self, name: str) -> None:
        if name == "table":
            self.table = ""


@contextlib.contextmanager
def _writable(path: Path) -> Iterator[None]:
    """:raises Unavailable: the disk or the directory does not take it."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The copy {path} cannot be written: {error.strerror}.",
            remedy="Free space there, or make the directory (backups.directory) writable for the bot's user.",
        ) from error
