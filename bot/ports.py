"""What the parts of the bot may ask of each other: protocols only.

A command's plan gets a :class:`Context` and reads through it. The engine acts through :class:`PoolHands`, remembers
through :class:`Store` and knows people
through :class:`People`. Implementations: :mod:`bot.xapi` (pools), :mod:`bot.store` (SQLite), :mod:`bot.slack` and
:mod:`bot.terminal` (people).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.findings import Audits
from bot.inventory import Inventory
from bot.model import (
    Actor,
    Argument,
    CallRecord,
    CallState,
    Entry,
    Expect,
    Line,
    Place,
    Plan,
    Progress,
    Report,
    Request,
    Requirement,
    Result,
    Risk,
    State,
    Step,
    Vote,
)


class Clock(Protocol):
    """The bot's time. Times are aware and UTC; `monotonic` measures durations in seconds."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


# --- pools ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """How the bot is connected to a pool: which host answers, over what, and how it knows that it is that host."""

    address: str
    tls: str
    """`TLSv1.3`, `TLSv1`, … or "" for plain HTTP."""
    trust: str
    """`fingerprint`, `ca` or `none`."""
    weaknesses: tuple[str, ...] = ()
    """What is weak about it, in words; empty when nothing is."""


class PoolView(Protocol):
    """What may be read of a pool. Nothing here can change it."""

    @property
    def name(self) -> str:
        """The configuration's name of the pool, which people type after `in`."""

    def inventory(self) -> Inventory:
        """The pool's database as it is now: never older than this call.

        :raises Unavailable: no host of the pool answers as its coordinator; the evidence says which host answered what.
        """

    def ask(self, call: str, *arguments: Argument) -> Any:
        """A read-only XenAPI call (a getter, `assert_…`, `compute_…`, a dry run). Objects are resolved from uuid to
        reference.

        :raises ToolstackRefusal: XenAPI's failure, in plain words, with its code.
        :raises Unavailable: as :meth:`inventory`.
        :raises ValueError: the call is not on the list of read-only calls (a bug).
        """

    def connection(self) -> ConnectionFacts:
        """How the last answer came. :raises Unavailable: never connected, and cannot connect."""


class TaskStatus(StrEnum):
    """XenAPI's task_status_type."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A XenAPI task as it was read. `progress` is 0 to 1 and may go back; `error` is XenAPI's error array."""

    status: TaskStatus
    progress: float
    error: tuple[str, ...] = ()
    result: str = ""


class Taken(StrEnum):
    """What looking for a call after a broken connection (or a crash) found."""

    RUNNING = "running"
    """Its task was found; attach to it."""
    NOT_TAKEN = "not taken"
    """The pool never took it: no task of it exists, nothing runs, and nothing changed."""
    DONE = "done"
    """Its effect is there."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The answer of :meth:`PoolHands.look`, with the evidence in words."""

    taken: Taken
    evidence: str
    task_uuid: str = ""


class PoolHands(Protocol):
    """What the engine may do to a pool, one call at a time. A call with effect is sent at most once by any of these."""

    def mark(self, step: Step) -> str:
        """What must be known before the step is sent, to find it again afterwards (opaque; the store keeps it)."""

    def send(self, step: Step, results: Mapping[int, str]) -> str:
        """Send the step's call, once. Returns the task's uuid (asynchronous steps) or the call's result as text.

        :raises Unavailable: nothing was sent (no connection, no session).
        :raises ToolstackRefusal: taken and refused.
        :raises OutcomeUnknown: the connection broke after the request left; use :meth:`look`.
        """

    def look(self, step: Step, mark: str) -> Sighting:
        """Find out what became of a step whose answer was lost, by its task, its trace and its expectations. Reading
        only.

        :raises Unavailable: the pool cannot be asked now; look again later.
        """

    def task(self, task_uuid: str) -> TaskView | None:
        """The task now; None when the pool does not know it any more (destroyed, or another coordinator).

        :raises Unavailable: the pool cannot be asked now.
        """

    def explain(self, error: Sequence[str]) -> tuple[str, str]:
        """XenAPI's error array as (what it means with names instead of references, what to do)."""

    def holds(self, expect: Expect, results: Mapping[int, str]) -> tuple[bool, str]:
        """Is it so, read afresh? With the evidence in words. :raises Unavailable: the pool cannot be asked now."""

    def cancel(self, task_uuid: str) -> None:
        """Ask the pool to cancel the task; whether it does shows in the task. :raises ToolstackRefusal, Unavailable:"""

    def forget(self, task_uuid: str) -> None:
        """Destroy a finished task's record (the client's duty). Failing is no error."""


class Pools(Protocol):
    """The configured pools, by the configuration's names."""

    def names(self) -> tuple[str, ...]: ...
    def view(self, name: str) -> PoolView: ...
    def hands(self, name: str) -> PoolHands: ...


# --- people and policy ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a person counts at all, by what Slack (or the operating system) says now. Guests, outsiders and the
    deactivated do not.
    """

    member: bool
    why_not: str = ""
    groups: frozenset[str] = frozenset()
    """Ids of the user groups that the person is in, and of the channels that they are a member of, as far as the policy
    mentions them.
    """
    groups_unknown: str = ""
    """Why groups and channels could not be asked about, in words; "" when they were."""


class People(Protocol):
    def standing(self, actor: Actor) -> Standing:
        """:raises Unavailable: it cannot be found out; who asks must then be refused."""


# --- what a command sees ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHelp:
    """A command as the help and the generated reference show it."""

    name: str
    usage: str
    summary: str
    details: tuple[str, ...]
    examples: tuple[str, ...]
    risk: Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One row of the ledger as read."""

    seq: int
    at: datetime
    kind: str
    actor: Actor
    pool: str
    request_id: str
    body: Mapping[str, Any]
    hash: str


class History(Protocol):
    """What commands may read of the bot's own memory."""

    def open_requests(self, pool: str | None = None) -> tuple[Request, ...]:
        """Requests that are not at an end, oldest first."""

    def request(self, request_id: str) -> Request | None: ...

    def ledger(self, *, pools: Iterable[str] | None, last: int) -> tuple[LedgerRow, ...]:
        """The newest `last` rows of these pools (None: all), newest first."""


class PolicyBook(Protocol):
    """What commands may read of the policy."""

    def explain(self, command: str, risk: Risk, pool: str, now: datetime) -> tuple[Line, ...]:
        """What applies to a command in a pool now, in words. `pool` is the configuration's name, "" for none."""

    def held(self, request: Request, now: datetime) -> str:
        """Why an approved request may not begin now, in words; "" when it may."""

    def stricter(self, request: Request) -> tuple[str, ...]:
        """What the policy wants of a request now and did not want when it was asked, in words; empty when nothing."""


class Context(Protocol):
    """What a command's plan may use. Read-only."""

    @property
    def actor(self) -> Actor: ...
    @property
    def place(self) -> Place: ...
    @property
    def pool(self) -> PoolView:
        """The command's pool. :raises RuntimeError: the command declared that it has none (a bug)."""

    @property
    def pools(self) -> tuple[PoolView, ...]:
        """All pools that may be seen from here."""

    @property
    def history(self) -> History: ...
    @property
    def commands(self) -> tuple[CommandHelp, ...]: ...
    @property
    def policy(self) -> PolicyBook: ...
    @property
    def audits(self) -> Audits: ...
    @property
    def clock(self) -> Clock: ...

    def each_pool(self, pools: Sequence[PoolView]) -> tuple[tuple[PoolView, Inventory | Exception], ...]:
        """The inventories of several pools, read at the same time; a pool that cannot be read gives its UserError
        instead.
        """


# --- the store --------------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why a lock is not to be had now: the request that holds what is wanted."""

    request_id: str
    key: str


class DeliveryKind(StrEnum):
    CARD = "card"
    """The request's one message, edited in place through its whole life."""
    NOTE = "note"
    """A reply in the card's thread."""
    ANNOUNCEMENT = "announcement"
    """A message that belongs to no request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that must reach Slack and has not yet. `id` also goes into the message's metadata, to find it again
    after a doubtful post.
    """

    id: str
    kind: DeliveryKind
    request_id: str
    place: Place
    revision: int
    """What is wanted now. A card is rendered from the request as it is when delivered, so edits collapse by
    themselves.
    """
    ts: str
    """The message's timestamp once it was posted, else ""."""
    thread_ts: str
    """For a note: the card's timestamp."""
    body: Report | None
    attempts: int
    in_doubt: bool
    """An earlier post may have been taken: look for it (by `id`) before posting."""
    head: str = ""
    """The ledger's head (`SEQ:HASH`) when this was claimed: who sees it can tell later what was on record by then."""
    claim: int = 0
    """Which claim of it this is: one that was overtaken by another (its lease ran out) is told apart by it."""


class Outbox(Protocol):
    """What must reach Slack: stored together with the state change that caused it, delivered at least once and made to
    be seen once.
    """

    def claim(self, now: datetime, lease_seconds: float) -> Delivery | None:
        """The next due delivery, claimed for this process; None when nothing is due. A note is due only after its card,
        and in order.
        """

    def posting(self, delivery: Delivery) -> None:
        """A first post is about to be sent: from here until :meth:`delivered` or :meth:`postpone` says otherwise it is
        in doubt.
        """

    def delivered(self, delivery: Delivery, ts: str) -> None:
        """The message with `ts` shows the delivery's revision."""

    def postpone(self, delivery: Delivery, *, until: datetime, error: str, in_doubt: bool) -> None: ...

    def give_up(self, delivery: Delivery, *, error: str) -> None:
        """It can never be delivered (channel gone, not a member): kept, marked, and not tried again."""

    def next_due(self) -> datetime | None: ...


class Store(History, Outbox, Protocol):
    """The bot's memory. Every change and its ledger row share one transaction; every change of state is a
    compare-and-set.
    """

    def first_sight(self, key: str, at: datetime) -> bool:
        """True exactly once for a delivery key (an envelope or trigger), across processes and restarts."""

    def record(self, entry: Entry) -> None:
        """Append a row to the ledger."""

    def open(self, new: NewRequest, entry: Entry) -> tuple[Request, bool]:
        """Open a request and announce its card; or find the open one with the same fingerprint (then False: nothing was
        written).
        """

    def to_replace(self, text: str, fingerprint: str, pool: str) -> str:
        """The id of the newest stale request in the pool that was asked in these words, or for the same thing, and that
        nothing has replaced; "" when there is none. Name it as the predecessor when it is asked again.
        """

    def remind(self, request_id: str, note: Report, entry: Entry, at: datetime) -> bool:
        """Put a note into the thread of a request that is WAITING, once. False: not waiting, or done already."""

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
    ) -> bool:
        """Compare-and-set of the state, with its ledger row, the card's new revision, and a note for its thread, in one
        transaction.

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
        entry: Entry | None = None,
    ) -> None: ...

    def calls(self, request_id: str) -> tuple[tuple[CallRecord, str], ...]:
        """The request's calls in order, each with its mark."""

    # locks: leases in the database, valid across processes and restarts
    def lock(
        self, request_id: str, keys: Iterable[str], owner: str, now: datetime, lease_seconds: float
    ) -> tuple[Conflict, ...]:
        """Take all keys or none. Empty: they are held. Keys: `POOL/*` excludes every `POOL/…`. Re-entrant for the same
        request.
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
