"""The store as the engine knows it: one transaction per method, composed of what the other modules do to one table."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from bot.approval import ACTIVE_STATES
from bot.errors import Unavailable
from bot.model import (
    BOT,
    Actor,
    CallRecord,
    CallState,
    Entry,
    Level,
    Place,
    Progress,
    Report,
    Request,
    Result,
    State,
    Vote,
)
from bot.ports import Clock, LedgerRow, NewRequest, PoolBackup, Told
from bot.store import (
    archive,
    calls,
    elsewhere,
    facts,
    figures,
    known_pools,
    ledger,
    lineage,
    locks,
    outbox,
    pool_backups,
    requests,
    sightings,
)
from bot.store.archive import Archive
from bot.store.audits import Memory
from bot.store.chain import Head, Seal, Verification
from bot.store.connection import BUSY_SECONDS, Connections
from bot.store.deliveries import Deliveries
from bot.store.encoding import moment, stamp
from bot.store.leases import Leases
from bot.store.mark import Mark
from bot.store.migrations import migrate
from bot.store.schedules import Schedules
from bot.withheld import redacted_text

log = logging.getLogger(__name__)

_OPEN = "ended_at IS NULL"


class SqliteStore(Deliveries, Leases):
    """:class:`bot.ports.Store` in the SQLite file at `path`, which is made when it does not exist.

    Safe to use from many threads and several processes. `ledger_key` (16 bytes or more) seals the ledger; None chains
    it without a key. Every method may raise Unavailable (the disk is full, the file is damaged, another process holds
    it …): then nothing was written.

    A file that is a copy (:mod:`bot.store.lineage`) is not carried on: its unfinished requests are closed when it is
    opened, and `restored` says so. `restored=` gives the reason when it is known.

    :raises Unavailable: the file cannot be used, belongs to a newer version, or its ledger needs another key.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        ledger_key: bytes | None = None,
        former_keys: Sequence[bytes] = (),
        busy_seconds: float = BUSY_SECONDS,
        restored: str = "",
    ) -> None:
        self._clock = clock
        self._ledger = ledger.Ledger(Seal(ledger_key, former_keys))
        self._connections = Connections(path, busy_seconds=busy_seconds)
        self._mark: Mark | None = None
        self.audits = Memory(self._connections, clock)
        self.schedules = Schedules(self._connections, self._ledger.append, self._recording)
        self.pools = known_pools.Memory(self._connections, self._recorded)
        self.copies = pool_backups.Backups(self._connections, self._recorded)
        try:
            migrate(self._connections)
            self._mark = Mark(self._connections.path)
            with self._connections.write() as db:
                self._ledger.begin(db, clock.now())
                self.restored = lineage.begin(db, self._ledger, self._mark, clock.now(), restored=restored)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._connections.close()
        if self._mark is not None:
            self._mark.close()

    # --- history ------------------------------------------------------------------------------------------------------

    def open_requests(self, pool: str | None = None) -> tuple[Request, ...]:
        """Oldest first; without those that cannot be read any more (see :meth:`unreadable`)."""
        with self._connections.read() as db:
            if pool is None:
                return requests.find(db, _OPEN, ())[0]
            where, values = elsewhere.about((pool,), "id")
            return requests.find(db, f"{_OPEN} AND {where}", values)[0]

    def request(self, request_id: str) -> Request | None:
        """As people type it: `x-7` is X-7. :raises Unavailable: it is there, but this version cannot read it."""
        with self._connections.read() as db:
            return requests.get(db, request_id.strip().upper())

    def in_states(self, states: Iterable[State]) -> tuple[Request, ...]:
        """Oldest first; without those that cannot be read any more (see :meth:`unreadable`)."""
        names = [str(state) for state in states]
        with self._connections.read() as db:
            return requests.find(db, f"state IN ({', '.join('?' * len(names))})", names)[0]

    def unreadable(self) -> tuple[str, ...]:
        """Ids of open requests that were stored in a form that this version cannot read. They can still be moved."""
        with self._connections.read() as db:
            return requests.find(db, _OPEN, ())[1]

    def ledger(self, *, pools: Iterable[str] | None, last: int) -> tuple[LedgerRow, ...]:
        with self._connections.read() as db:
            return ledger.rows(db, pools=pools, last=last)

    def backups(self, pools: Iterable[str]) -> tuple[PoolBackup, ...]:
        return self.copies.backups(pools)

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def record(self, entry: Entry) -> None:
        with self._recording() as db:
            self._ledger.append(db, entry, self._clock.now())

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
        last = self.figures().verified_at
        if last is not None and now - last < every:
            return None
        found = self.verify()
        with self._connections.write() as db:
            flaw = found.flaw.why if found.flaw else ""
            facts.put(db, facts.VERIFIED, json.dumps({"at": stamp(now), "flaw": flaw}))
        return found

    def figures(self) -> figures.Figures:
        """How much there is of everything."""
        with self._connections.read() as db:
            return figures.read(db, self._clock.now())

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

    # --- requests -----------------------------------------------------------------------------------------------------

    def first_sight(self, key: str, at: datetime) -> bool:
        """Keys are remembered for a day."""
        with self._connections.write() as db:
            return sightings.first(db, key, at)

    def open(self, new: NewRequest, entry: Entry, told: Told | None = None) -> tuple[Request, bool]:
        """The request's pool is the entry's (the configuration's name), or else the plan's. A predecessor is linked,
        and its card says so.
        """
        with self._recording() as db:
            alike = requests.open_alike(db, new.fingerprint)
            if alike is not None:
                return _present(db, alike), False
            request_id, number = requests.next_id(db)
            seq = self._append(db, request_id, entry, new.opened_at)
            requests.insert(db, request_id, number, new, entry.pool or new.plan.pool.name, seq)
            outbox.announce(db, request_id, new.place, new.opened_at)
            for place, report in told(request_id) if told is not None else ():
                outbox.announcement(db, place, report, new.opened_at)
            if new.predecessor:
                requests.link(db, new.predecessor, request_id)
                outbox.changed(db, new.predecessor, new.opened_at)
            return _present(db, request_id), True

    def to_replace(self, text: str, fingerprint: str, pool: str) -> str:
        with self._connections.read() as db:
            return requests.to_replace(db, text, fingerprint, pool)

    def remind(
        self,
        request_id: str,
        note: Report,
        entry: Entry,
        at: datetime,
        also: Sequence[tuple[Place, Report]] = (),
    ) -> bool:
        """Once for a request, as long as sightings are kept (a day)."""
        with self._connections.write() as db:
            if requests.state_of(db, request_id) is not State.WAITING:
                return False
            if not sightings.first(db, f"reminder:{request_id}", at):
                return False
            self._append(db, request_id, entry, at)
            outbox.note(db, request_id, note, at)
            for place, body in also:
                outbox.announcement(db, place, body, at)
            return True

    def move(
        self,
        request_id: str,
        frm: State,
        to: State,
        entry: Entry,
        *,
        at: datetime,
        result: Result | None = None,
        note: Report | None = None,
        successor: str | None = None,
        expires_at: datetime | None = None,
        votes: tuple[Vote, ...] | None = None,
        void: tuple[Vote, ...] = (),
    ) -> bool:
        """With `votes` also compares the votes: False when they are not exactly these any more. Takes `void` away."""
        change = requests.Change(result=result, successor=successor, expires_at=expires_at)
        with self._recording() as db:
            if requests.state_of(db, request_id) is not frm:
                return False
            if votes is not None and requests.votes_of(db, request_id) != votes:
                return False
            seq = self._append(db, request_id, entry, at)
            requests.advance(db, request_id, frm, to, at, change, seq)
            for vote in void:
                requests.take_away(db, request_id, vote)
            outbox.changed(db, request_id, at)
            if note is not None:
                outbox.note(db, request_id, note, at)
            return True

    def vote(self, request_id: str, vote: Vote, entry: Entry) -> bool:
        with self._recording() as db:
            if requests.state_of(db, request_id) is not State.WAITING:
                return False
            seq = self._append(db, request_id, entry, vote.at)
            requests.cast(db, request_id, vote, seq)
            outbox.changed(db, request_id, vote.at)
            return True

    def progress(self, request_id: str, progress: Progress) -> None:
        """Ignored once the request is at an end."""
        with self._connections.write() as db:
            if requests.set_progress(db, request_id, progress):
                outbox.changed(db, request_id, self._clock.now())

    # --- calls with effect --------------------------------------------------------------------------------------------

    def intend(
        self,
        request_id: str,
        step: int,
        undo: bool,
        call: str,
        mark: str,
        entry: Entry,
        at: datetime,
        *,
        owner: str | None = None,
    ) -> bool:
        """False: the call must not be sent. It was intended already, the request is not running (any more), or another
        process has its lease.
        """
        record = CallRecord(
            request_id=request_id, step=step, undo=undo, call=call, state=CallState.INTENDED, intended_at=at
        )
        with self._recording(before_a_call=True) as db:
            if requests.state_of(db, request_id) not in ACTIVE_STATES or calls.is_intended(db, request_id, step, undo):
                return False
            if owner is not None and not locks.is_owner(db, request_id, owner):
                return False
            seq = self._append(db, request_id, entry, at)
            calls.intend(db, record, mark, seq)
            return True

    def note_call(
        self,
        request_id: str,
        step: int,
        undo: bool,
        state: CallState,
        *,
        task_uuid: str = "",
        error: tuple[str, ...] = (),
        result: str | None = None,
        entry: Entry | None = None,
    ) -> None:
        """What is known never becomes less: after DONE, FAILED or NOT_TAKEN a late SENT or UNKNOWN changes nothing. The
        entry is completed with the task's uuid and the seconds since the call was intended.
        """
        with self._recording() as db:
            record = calls.note(db, request_id, step, undo, state, task_uuid, error, result)
            if entry is not None:
                now = self._clock.now()
                body = {**entry.body, "seconds": round(max((now - record.intended_at).total_seconds(), 0.0), 3)}
                if record.task_uuid:
                    body["task"] = record.task_uuid
                self._append(db, request_id, replace(entry, body=body), now)

    def calls(self, request_id: str) -> tuple[tuple[CallRecord, str], ...]:
        with self._connections.read() as db:
            return calls.of_request(db, request_id)

    # --- from day to day ----------------------------------------------------------------------------------------------

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

    @contextmanager
    def _recording(self, *, before_a_call: bool = False) -> Iterator[Database]:
        """A transaction that adds rows to the ledger; the mark beside the database is told of them.

        :raises Unavailable: as :meth:`Connections.write`; `before_a_call` also when the mark cannot be made durable.
        Then the row is there, and the call must not be sent.
        """
        with self._connections.write() as db:
            yield db
            head = ledger.head(db)
        assert self._mark is not None
        try:
            self._mark.advance(head, durable=before_a_call)
        except Unavailable as error:
            if before_a_call:
                raise
            log.error("%s A copy put in this database's place may not be told from it.", error.message)

    def _recorded(self, change: Callable[[Database], None], entry: Entry) -> None:
        """A change and its row, in one transaction."""
        with self._recording() as db:
            change(db)
            self._ledger.append(db, entry, self._clock.now())

    def _append(self, db: Database, request_id: str, entry: Entry, at: datetime) -> int:
        return self._ledger.append(db, replace(entry, request_id=request_id), at)


def _todays_head(head: Head, now: datetime) -> Report:
    return Report(
        title=f"The record of {now:%Y-%m-%d}",
        level=Level.INFO,
        summary=f"The ledger has come to row {head.seq}. By the line below anybody can tell later that every row up to"
        " it is as it was: xenia ledger verify --head “record …”.",
    )


def _present(db: Database, request_id: str) -> Request:
    found = requests.get(db, request_id)
    if found is None:
        raise LookupError(f"{request_id} is gone")
    return found
