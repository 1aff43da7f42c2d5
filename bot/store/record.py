"""The record as those know it who add to it, read it and vouch for it. One transaction per method."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from bot.model import BOT, Actor, Entry, Level, Place, Report, Request
from bot.ports import LedgerRow
from bot.store import archive, attested, facts, figures, ledger, lineage, outbox, refusals
from bot.store.archive import Archive
from bot.store.chain import Head, Verification
from bot.store.encoding import moment, stamp
from bot.store.recording import Recording
from bot.withheld import redacted_text

log = logging.getLogger(__name__)

_LOOKS = 3
"""The mark can be read while another process writes it."""


class Record(Recording):
    """The ledger of the store, and what is told of it."""

    def record(self, entry: Entry) -> None:
        with self._recording() as db:
            self._ledger.append(db, entry, self._clock.now())

    def refused(self, entry: Entry, at: datetime, *, most: int, within: timedelta) -> bool:
        with self._recording() as db:
            self._count_over(db, at, within)
            room = refusals.has_room(db, entry, at, most)
            if room:
                self._ledger.append(db, entry, at)
            return room

    def count_refusals(self, more: Sequence[tuple[Entry, int]], at: datetime, within: timedelta) -> None:
        with self._connections.read() as db:
            if not more and not refusals.are_over(db, at, within):
                return
        with self._recording() as db:
            for entry, times in more:
                refusals.add(db, entry, at, times)
            self._count_over(db, at, within)

    def ledger(self, *, pools: Iterable[str] | None, last: int) -> tuple[LedgerRow, ...]:
        with self._connections.read() as db:
            return ledger.rows(db, pools=pools, last=last)

    def head(self) -> Head:
        """The newest row's number and hash, to be noted elsewhere; `(0, 64 zeros)` while there is none."""
        with self._connections.read() as db:
            return ledger.head(db)

    def verify(self, expected: Iterable[Head] = ()) -> Verification:
        """Walk the ledger's chain, comparing with heads noted elsewhere."""
        with self._connections.read() as db:
            return self._ledger.verify(db, expected)

    def verify_due(self, every: timedelta) -> Verification | None:
        """Verify the ledger if that was not done for so long, and remember what was found; None when it was."""
        now = self._clock.now()
        with self._connections.read() as db:
            last = figures.verified(db)[0]
        if last is not None and now - last < every:
            return None
        found = self.verify()
        with self._connections.write() as db:
            flaw = found.flaw.why if found.flaw else ""
            facts.put(db, facts.VERIFIED, json.dumps({"at": stamp(now), "flaw": flaw}))
        return found

    def lacking(self, request: Request, *, begun: bool) -> str:
        """See :meth:`bot.ports.Store.lacking`."""
        why = ""
        for _ in range(_LOOKS):
            assert self._mark is not None
            marked = self._mark.read()  # before the chain, which can only have come further
            with self._connections.read() as db:
                why = attested.lacking(
                    db, self._ledger.seal, request, marked.head if marked is not None else None, begun=begun
                )
            if not why:
                return ""
        log.error("%s: %s", request.id, why)
        return why

    def archive(self, before: datetime, file: Path, actor: Actor) -> Archive:
        """Move the rows older than `before` into a new file. :raises Refused: see :mod:`bot.store.archive`."""
        with self._connections.read() as db:
            written = archive.write(db, self._ledger.seal, before, file)
        with self._recording() as db:
            archive.let_go(db, self._ledger, written, actor, self._clock.now())
        return written

    def noted(self, heads: Iterable[Head]) -> lineage.Restored | None:
        """Heads that others have seen in this life of the database (see :meth:`begun`): if one is not in the chain, it
        is an older copy, and its unfinished requests are closed.
        """
        with self._recording() as db:
            assert self._mark is not None
            return lineage.noted(db, self._ledger, self._mark, self._clock.now(), heads)

    def begun(self) -> datetime:
        """When this life of the database began: when it was made, or found to be a copy."""
        with self._connections.read() as db:
            return moment(facts.get(db, facts.INSTANCE_AT) or stamp(self._clock.now()))

    def configured(self, content: str, changes: Callable[[str, str], tuple[str, ...]]) -> bool:
        """The bot works with this configuration from now on: recorded when it is another than the last one.

        :param content: the configuration without secrets, as text. :param changes: what differs between two.
        """
        kept = redacted_text(content)
        with self._recording() as db:
            before = facts.get(db, facts.CONFIGURATION)
            if before == kept:
                return False
            digest = hashlib.sha256(kept.encode()).hexdigest()
            body = {"sha256": digest, "changes": list(changes(before, kept)) if before else ["the first one"]}
            facts.put(db, facts.CONFIGURATION, kept)
            self._ledger.append(db, Entry(kind="configuration", actor=BOT, body=body), self._clock.now())
            return True

    def announce_head(self, place: Place, now: datetime) -> bool:
        """Want the ledger's head posted in `place`, once a day (UTC); False when that has been done."""
        today = f"{now:%Y-%m-%d}"
        with self._recording() as db:
            if (facts.get(db, facts.HEAD_ANNOUNCED) or "") >= today:
                return False
            facts.put(db, facts.HEAD_ANNOUNCED, today)
            self._ledger.append(db, Entry(kind="head announced", actor=BOT, body={"channel": place.channel}), now)
            outbox.announcement(db, place, _todays_head(ledger.head(db), now), now)
            return True

    def _count_over(self, db: Database, at: datetime, within: timedelta) -> None:
        for each in refusals.take_over(db, at, within):
            if each.more:
                body = {
                    "times": each.more,
                    "reason": f"besides {each.rows} others in one hour",
                    "since": f"{each.since:%H:%M}",
                }
                self._ledger.append(db, Entry(kind=each.kind, actor=each.actor, body=body), at)


def _todays_head(head: Head, now: datetime) -> Report:
    return Report(
        title=f"The record of {now:%Y-%m-%d}",
        level=Level.INFO,
        summary=f"The ledger has come to row {head.seq}. By the line below anybody can tell later that every row up to"
        " it is as it was: xenia ledger verify --head “record …”.",
    )
