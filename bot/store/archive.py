"""Sealed archives: old rows of the ledger leave into a file, and a row of the ledger keeps what it ends with.

An archive is JSON lines as an export has them. It is written and on the disk before a row leaves; that they leave, and
the hash of the last of them, is a row of the chain like any other. So archives and database verify as one chain.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlite_utils import Database

from bot.durable import on_disk
from bot.errors import Refused, Unavailable
from bot.model import Actor, Entry
from bot.store import ledger
from bot.store.chain import Head, Seal
from bot.store.encoding import stamp
from bot.text import quoted

_FIELDS = frozenset({"seq", "hash", "prev", "mode", "body", "at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A segment of the ledger in a file: rows `first` to `last.seq`."""

    file: Path
    first: int
    last: Head
    sha256: str

    @property
    def rows(self) -> int:
        return self.last.seq - self.first + 1


def write(db: Database, seal: Seal, before: datetime, file: Path) -> Archive:
    """Write the rows older than `before` into a new file (mode 0600), on the disk when this returns.

    Rows are taken up to the first that is not older, so that a clock that was set back leaves no hole.

    :raises Refused: there is none, the file exists, or the ledger does not verify.
    :raises Unavailable: the file cannot be written.
    """
    flaw = ledger.verify(db, seal).flaw
    if flaw is not None:
        raise Refused(
            "The ledger has been changed; nothing is archived.",
            evidence=(flaw.why,),
            remedy="See `xenia ledger verify`.",
        )
    first = db.execute("SELECT min(seq) FROM ledger").fetchone()[0]
    stays = db.execute("SELECT min(seq) FROM ledger WHERE at >= ?", [stamp(before)]).fetchone()[0]
    end = ledger.head(db).seq + 1 if stays is None else int(stays)
    if first is None or end <= first:
        raise Refused(f"No row of the ledger is older than {before:%Y-%m-%d %H:%M} UTC.")
    rows = db.table("ledger").rows_where("seq < ?", [end], order_by="seq")
    digest, last = _write(file, rows)
    return Archive(file=file, first=first, last=last, sha256=digest)


def _write(file: Path, rows: Iterable[Mapping[str, Any]]) -> tuple[str, Head]:
    digest, last = hashlib.sha256(), Head(0, "")
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise Refused(f"The file {quoted(str(file))} is there already.", remedy="Give another name.") from error
    except OSError as error:
        raise _unwritable(file, error) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            for row in rows:
                line = (ledger.line(row) + "\n").encode("ascii")
                digest.update(line)
                stream.write(line)
                last = Head(row["seq"], row["hash"])
            stream.flush()
            os.fsync(stream.fileno())
        on_disk(file.absolute().parent)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise _unwritable(file, error) from error
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return digest.hexdigest(), last


def _unwritable(file: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"The archive {quoted(str(file))} cannot be written: {error.strerror}.", remedy="Check the path and the disk."
    )


def let_go(db: Database, log_book: ledger.Ledger, archive: Archive, actor: Actor, at: datetime) -> None:
    """Record the archive, and let its rows leave; inside the caller's transaction.

    :raises Refused: rows have left since it was written.
    """
    first = db.execute("SELECT min(seq) FROM ledger").fetchone()[0]
    if first != archive.first or not ledger.holds(db, archive.last):
        raise Refused("Rows of the ledger have left meanwhile.", remedy="Remove that file, and archive again.")
    body = {
        "first": archive.first,
        "last": archive.last.seq,
        "hash": archive.last.hash,
        "file": archive.file.name,
        "sha256": archive.sha256,
    }
    log_book.append(db, Entry(kind=ledger.ARCHIVED, actor=actor, body=body), at)
    db.execute("DELETE FROM ledger WHERE seq <= ?", [archive.last.seq])


class Files:
    """Archives to be read in the order of their rows. `reading` is the one whose row was given last, "" after all."""

    def __init__(self, files: list[tuple[int, Path, IO[bytes]]]) -> None:
        self._files = sorted(files, key=lambda each: each[0])
        self.reading = ""

    def __bool__(self) -> bool:
        return bool(self._files)

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """:raises Unavailable: a line is no row of a ledger."""
        for _, path, stream in self._files:
            self.reading = path.name
            stream.seek(0)
            for number, line in enumerate(stream, 1):
                yield _row(path, number, line)
        self.reading = ""


@contextmanager
def opened(paths: Iterable[Path]) -> Iterator[Files]:
    """:raises Unavailable: a file cannot be read, or begins with something else than a row of a ledger."""
    with ExitStack() as stack:
        found: list[tuple[int, Path, IO[bytes]]] = []
        for path in paths:
            try:
                stream = stack.enter_context(path.open("rb"))
                begin = stream.readline()
            except OSError as error:
                raise Unavailable(f"The archive {quoted(str(path))} cannot be read: {error.strerror}.") from error
            found.append((int(_row(path, 1, begin)["seq"]), path, stream))
        yield Files(found)


def _row(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = next(ledger.imported([line.decode("ascii")]))
        if not isinstance(row["seq"], int) or not row.keys() >= _FIELDS:
            raise ValueError("fields are missing")
    except (ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise Unavailable(
            f"Line {number} of the archive {quoted(path.name)} is no row of a ledger: it was changed, or is none.",
            remedy="Take the file as it was written, or a copy of it.",
        ) from error
    return row
