"""The bot's memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.model import (
    Actor,
    CallRecord,
    CallState,
    Entry,
    Place,
    Plan,
    Progress,
    Report,
    Request,
    Requirement,
    Result,
    State,
    Vote,
)
from bot.ports.history import History
from bot.ports.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request to open. `fingerprint` is equal for two requests that ask the same thing (command, pinned arguments,
    pool).
    """

    text: str
    actor: Actor
    place: Place
    plan: Plan
    digest: str
    requirement: Requirement
    state: State
    opened_at: datetime
    expires_at: datetime
    fingerprint: str
    predecessor: str = ""


Told = Callable[[str], Iterable[tuple[Place, Report]]]
"""From a request's id to what is said of it in other places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why a lock is not to be had now: the request that holds what is wanted."""

    request_id: str
    key: str


class Store(History, Outbox, Protocol):
    """The bot's memory. Every change and its ledger row share one transaction; every change of state is a
    compare-and-set.
    """

    def first_sight(self, key: str, at: datetime) -> bool:
        """True exactly once for a delivery key (an envelope or trigger), across processes and restarts."""

    def record(self, entry: Entry) -> None:
        """Append a row to the ledger."""

    def lacking(self, request: Request, *, begun: bool) -> str:
        """What the record lacks for the request to be begun (or, with `begun`, to go on), as a sentence; "" when it
        bears everything out: what was asked, each approval that counts, and that it is not over.
        """

    def refused(self, entry: Entry, at: datetime, *, most: int, within: timedelta) -> bool:
        """Append a row for a refusal, if it is one of the first `most` of its kind and person since this began to be
        counted; otherwise only count it, and return False. After `within` it begins anew.
        """

    def count_refusals(self, more: Sequence[tuple[Entry, int]], at: datetime, within: timedelta) -> None:
        """Count so many more of each, and append the rows that say how many there were, where `within` is over."""

    def open(self, new: NewRequest, entry: Entry, told: Told | None = None) -> tuple[Request, bool]:
        """Open a request and announce its card, and what `told` makes of its id; or find the open one with the same
        fingerprint (then False: nothing was written).
        """

    def to_replace(self, text: str, fingerprint: str, pool: str) -> str:
        """The id of the newest stale request in the pool that was asked in these words, or for the same thing, and that
        nothing has replaced; "" when there is none. Name it as the predecessor when it is asked again.
        """

    def remind(
        self,
        request_id: str,
        note: Report,
        entry: Entry,
        at: datetime,
        also: Sequence[tuple[Place, Report]] = (),
    ) -> bool:
        """Put a note into the thread of a request that is WAITING, and `also` messages elsewhere,
        once. False: not waiting, or done already.
        """

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
        """Compare-and-set of the state, with its ledger row, the card's new revision, and a note for its thread, in one
        transaction. The `void` votes are taken away with it; they stay in the ledger.

        False (and nothing written) when the request was not in `frm`, or its votes are not `votes` any more (None:
        any). Sets started_at on entering RUNNING for the first
        time, ended_at on an end state.
        """

    def vote(self, request_id: str, vote: Vote, entry: Entry) -> bool:
        """Record a vote on a request that is WAITING; one per person, the last counts. False when it is not waiting
        (any more).
        """

    def progress(self, request_id: str, progress: Progress) -> None:
        """How far it is; shown on the card, not in the ledger."""

    def in_states(self, states: Iterable[State]) -> tuple[Request, ...]:
        """Requests in these states, oldest first."""

    # calls with effect
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
        """Before a call is sent: write that it will be. False when this step's call was already intended (it is never
        sent again), or the request's lease is not `owner`'s any more.
        """

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
        """What became of it. `result` is what it answered, kept only where a later step needs it; never a secret."""

    def calls(self, request_id: str) -> tuple[tuple[CallRecord, str], ...]:
        """The request's calls in order, each with its mark."""

    # locks: leases in the database, valid across processes and restarts
    def lock(
        self,
        request_id: str,
        keys: Iterable[str],
        owner: str,
        now: datetime,
        lease_seconds: float,
        *,
        passing: Collection[str] = (),
    ) -> tuple[Conflict, ...]:
        """Take all keys or none. Requests in `passing` do not stand in the way; what they hold, they keep. Empty: they
        are held. Keys: `POOL/*` excludes every `POOL/…`. Re-entrant for the same request.
        """

    def renew(self, request_id: str, owner: str, now: datetime, lease_seconds: float) -> bool:
        """False: the lease was lost (expired and taken over)."""

    def unlock(self, request_id: str, owner: str | None = None) -> None:
        """Give up the request's locks and lease; with `owner`, only if the lease is still its."""

    def adopt(self, request_id: str, owner: str, now: datetime, lease_seconds: float) -> bool:
        """Take over a running request whose owner's lease has expired (its process died). False while another owner's
        lease is valid.
        """

    def close(self) -> None: ...
