"""The table `ledger`: append, read, verify. Its rows are never changed; how they are chained is :mod:`bot.store.chain`.

Rows leave only by a sealed archive (:mod:`bot.store.archive`), whose last hash stays in a row of its own.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bot.errors import Unavailable
from bot.model import BOT, Actor, Entry
from bot.ports import LedgerRow
from bot.store import elsewhere
from bot.store.chain import GENESIS, RETIRED, Flaw, Head, Seal, Verification, walk
from bot.store.encoding import canonical, moment, stamp, storable
from bot.store.migrations import EARLIER_TRIGGERS, LEDGER_TRIGGERS
from bot.store.redaction import redacted

log = logging.getLogger(__name__)

ARCHIVED = "ledger archived"
"""The kind of row that says which rows have left."""


class Ledger:
    """Appends rows sealed with `seal`. Every method runs inside the caller's transaction."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal

    def begin(self, db: Database, at: datetime) -> None:
        """Once at the start: the key must be the one that the ledger goes on with. A ledger that was plain so far gets
        a row that says from where on it is keyed; one whose key is replaced, a last row under the old key that names
        the new one, and a first under that.

        :raises Unavailable: no key, or another one, for a keyed ledger. (Rows without it could not be vouched for.)
        """
        last = _last(db)
        if last is None or last["mode"] == self.seal.mode:
            wrong = last is not None and self.seal.hash(last) != last["hash"]
            if wrong:
                log.error("The ledger's last row does not match its hash; see `xenia ledger verify`.")
            return
        if not self.seal.keyed:
            raise Unavailable(
                "The ledger is sealed with a key, and none is set.",
                remedy="Set the ledger's key again; see the manual.",
            )
        if "/" in last["mode"]:
            if not self.seal.knows(last["mode"]):
                raise Unavailable(
                    "The ledger is sealed with another key than the one that is set.",
                    remedy="Set the key with which it was begun; or, if that is to be replaced, name it under "
                    "former_ledger_keys.",
                )
            if last["kind"] != RETIRED or json.loads(last["body"]).get("next") != self.seal.mode:
                body = {"next": self.seal.mode}
                self.append(db, Entry(kind=RETIRED, actor=BOT, body=body), at, mode=last["mode"])
            self.append(db, Entry(kind="ledger.rekeyed", actor=BOT, body={"before": last["mode"]}), at)
            return
        self.append(db, Entry(kind="ledger.keyed", actor=BOT, body={"plain_up_to": last["seq"]}), at)

    def append(self, db: Database, entry: Entry, at: datetime, *, mode: str = "") -> int:
        """Add a row, sealed with the present key (or that of `mode`), and return its number. What looks like a secret
        in the body is withheld (see :mod:`bot.withheld`).

        :raises TypeError, ValueError: the body is not JSON data.
        """
        body, withheld = redacted(entry.body)
        if withheld:
            log.error(
                "A ledger entry %s held what looks like secrets, now withheld: %s", entry.kind, ", ".join(withheld)
            )
        before = head(db)
        row: dict[str, Any] = {
            "seq": before.seq + 1,
            "at": stamp(at),
            "kind": storable(entry.kind),
            "actor_kind": entry.actor.kind,
            "actor_id": storable(entry.actor.id),
            "actor_name": storable(entry.actor.name),
            "pool": storable(entry.pool),
            "request_id": entry.request_id,
            "body": canonical(body),
            "mode": mode or self.seal.mode,
            "prev": before.hash,
        }
        row["hash"] = self.seal.hash(row)
        db.table("ledger").insert(row)
        return before.seq + 1

    def verify(self, db: Database, expected: Iterable[Head] = ()) -> Verification:
        """Walk the whole ledger; see :func:`verify`."""
        return verify(db, self.seal, expected)


def _last(db: Database) -> dict[str, Any] | None:
    return next(db.table("ledger").rows_where(order_by="seq desc", limit=1), None)


def head(db: Database) -> Head:
    last = _last(db)
    return Head(last["seq"], last["hash"]) if last else GENESIS


def holds(db: Database, noted: Head) -> bool:
    """Is the row of this head in the ledger? Rows that have left for an archive count as being in it."""
    if noted == GENESIS:
        return True
    row = db.execute("SELECT hash FROM ledger WHERE seq = ?", [noted.seq]).fetchone()
    if row is None:
        return noted.seq < checkpoint(db).seq
    return noted.is_of(row[0])


def verify(
    db: Database, seal: Seal, expected: Iterable[Head] = (), earlier: Iterable[Mapping[str, Any]] | None = None
) -> Verification:
    """Walk the rows, compare with heads noted elsewhere, and look whether the triggers stand and whether what other
    tables refer to is still there. The first flaw is named.

    :param earlier: rows that have left for archives, in order; those before them are taken as their first row has it.
    """
    rows = db.table("ledger").rows_where(order_by="seq")
    if earlier is None:
        found = walk(rows, seal, expected=expected, base=checkpoint(db))
    else:
        together = iter(itertools.chain(earlier, rows))
        first = next(together, None)
        base = GENESIS if first is None or first["seq"] == 1 else Head(first["seq"] - 1, str(first["prev"]))
        again = together if first is None else itertools.chain((first,), together)
        found = walk(again, seal, expected=expected, base=base)
    return replace(found, flaw=found.flaw or _end_flaw(db, found.head) or _trigger_flaw(db))


def checkpoint(db: Database) -> Head:
    """The last row that has left for an archive, as the row of that archive has it; that one is walked like any other.
    The beginning, where none has left (or none says so: then the walk finds the rows missing).
    """
    first = db.execute("SELECT min(seq) FROM ledger").fetchone()[0]
    for row in db.table("ledger").rows_where("kind = ?", [ARCHIVED], order_by="seq desc"):
        try:
            body = json.loads(row["body"])
            last = Head(int(body["last"]), str(body["hash"]))
        except (ValueError, KeyError, TypeError):
            continue
        if last.seq + 1 == first:
            return last
    return GENESIS


def _end_flaw(db: Database, last: Head) -> Flaw | None:
    referred = db.execute(
        "SELECT max(seq) FROM (SELECT max(ledger_seq) AS seq FROM requests"
        " UNION ALL SELECT max(ledger_seq) FROM votes UNION ALL SELECT max(ledger_seq) FROM calls)"
    ).fetchone()[0]
    if (referred or 0) <= last.seq:
        return None
    return Flaw(
        row=referred, why=f"the ledger ends at row {last.seq}, but row {referred} is referred to: its end is gone"
    )


def _trigger_flaw(db: Database) -> Flaw | None:
    found = {each.name: each.sql for each in db.triggers if each.table == "ledger"}
    for name in sorted(LEDGER_TRIGGERS.keys() | found.keys()):
        if name not in found:
            return Flaw(row=None, why=f"the trigger {name} is missing: rows could be changed without an error")
        if found[name] not in (LEDGER_TRIGGERS.get(name), EARLIER_TRIGGERS.get(name)):
            return Flaw(row=None, why=f"the trigger {name} is not Xenia's: rows could be changed without an error")
    return None


def rows(db: Database, *, pools: Iterable[str] | None, last: int) -> tuple[LedgerRow, ...]:
    """The newest `last` rows of these pools (None: all), newest first; also what is of a request that is about one of
    them besides its own.
    """
    where, values = (None, []) if pools is None else elsewhere.about(tuple(pools), "request_id")
    found = db.table("ledger").rows_where(where, values, order_by="seq desc", limit=max(last, 0))
    return tuple(map(_read, found))


def of_kind(db: Database, kind: str) -> tuple[LedgerRow, ...]:
    """All rows of this kind, oldest first."""
    return tuple(map(_read, db.table("ledger").rows_where("kind = ?", [kind], order_by="seq")))


def _read(row: Mapping[str, Any]) -> LedgerRow:
    try:
        at, body = moment(row["at"]), json.loads(row["body"])
    except ValueError as error:
        raise Unavailable(
            f"Row {row['seq']} of the ledger is damaged.", remedy="Run `xenia ledger verify` and see what it says."
        ) from error
    return LedgerRow(
        seq=row["seq"],
        at=at,
        kind=row["kind"],
        actor=Actor(kind=row["actor_kind"], id=row["actor_id"], name=row["actor_name"]),
        pool=row["pool"],
        request_id=row["request_id"],
        body=body,
        hash=row["hash"],
    )


def exported(db: Database) -> Iterator[str]:
    """Every row as a line, oldest first."""
    return map(line, db.table("ledger").rows_where(order_by="seq"))


def line(row: Mapping[str, Any]) -> str:
    """A row as a line of JSON: all columns, the body as JSON data. :func:`imported` reads it back."""
    return json.dumps({**row, "body": json.loads(row["body"])})


def imported(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Rows of an export as :func:`bot.store.chain.walk` takes them. :raises ValueError: a line is not such a row."""
    for line in lines:
        row = json.loads(line)
        yield row | {"body": canonical(row["body"])}
