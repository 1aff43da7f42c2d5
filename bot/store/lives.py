"""Requests as the engine knows them: opened, voted on, moved from state to state. One transaction per method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from bot.model import Entry, Place, Progress, Report, Request, Result, State, Vote
from bot.ports import NewRequest, Told
from bot.store import elsewhere, outbox, requests, sightings
from bot.store.recording import Recording

_OPEN = "ended_at IS NULL"


class Lives(Recording):
    """The requests of :class:`bot.ports.Store`, as a part of the store."""

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

    def open(self, new: NewRequest, entry: Entry, told: Told | None = None) -> tuple[Request, bool]:
        """The request's pool is the entry's (the configuration's name), or else the plan's. A predecessor is linked,
        and its card says so.
        """
        with self._recording() as db:
            alike = requests.open_alike(db, new.fingerprint)
            if alike is not None:
                return _present(db, alike), False
            request_id, number = requests.next_id(db)
            asked = replace(entry, body={**entry.body, "shown": requests.shown(new)})
            seq = self._append(db, request_id, asked, new.opened_at)
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


def _present(db: Database, request_id: str) -> Request:
    found = requests.get(db, request_id)
    if found is None:
        raise LookupError(f"{request_id} is gone")
    return found
