"""The values that travel through the bot: who asks, what was planned, what was decided, what came of it.

All are frozen. Texts are single plain lines (see :mod:`bot.text`); names are data. Every field of a :class:`Plan` and
of what it holds is marked
:func:`bound` – part of what is approved, and of its digest – or :func:`free` – shown, but may differ between approval
and execution (measurements, wording).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

_BINDING = "bound"


def bound(**options: Any) -> Any:
    """A field that the digest covers: a change in it makes an approval stale."""
    return dataclasses.field(metadata={_BINDING: True}, **options)


def free(**options: Any) -> Any:
    """A field that may change between approval and execution without spoiling the approval."""
    return dataclasses.field(metadata={_BINDING: False}, **options)


# --- people and places ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. `id` is unique within `kind`: `TEAM/USER` of Slack, a login of the terminal, a schedule's id. Names are
    never used to decide.
    """

    kind: Literal["slack", "terminal", "schedule", "bot"]
    id: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


BOT = Actor(kind="bot", id="xenia", name="Xenia")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was said, and so where its answer belongs. A terminal has neither channel nor thread."""

    kind: Literal["slack", "terminal"]
    team: str = ""
    channel: str = ""
    thread_ts: str = ""
    private: bool = False
    """A direct message between the person and the bot."""


# --- what a plan is made of -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectId:
    """An object of a pool as a person knows it. `cls` is XenAPI's class ("VM", "host"); refs are not kept: they change,
    uuids do not.
    """

    cls: str = bound()
    uuid: str = bound()
    name: str = free()


class Risk(StrEnum):
    """What an action can cost. Commands declare it; the policy decides what it takes."""

    READ = "read-only"
    ROUTINE = "routine"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"


class Verdict(StrEnum):
    BLOCK = "block"
    WARN = "warn"
    PASS = "pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check and its result. All checks of a plan are listed, not only the first that fails."""

    id: str = bound()
    """Stable name of the rule, e.g. `vm.migrate.memory`."""
    verdict: Verdict = bound()
    subject: ObjectId | None = bound(default=None)
    title: str = free()
    evidence: str = free(default="")
    remedy: str = free(default="")
    code: str = free(default="")
    """For a blocker: the code with which the toolstack would refuse; "" where it would not notice."""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal argument: JSON data as XenAPI takes it."""

    value: str | int | float | bool | tuple[str, ...] | Mapping[str, str] | None = bound()
    kind: Literal["value"] = bound(default="value")


@dataclass(frozen=True, slots=True)
class Object:
    """An object as an argument: its reference is looked up by uuid when the call is made."""

    object: ObjectId = bound()
    kind: Literal["object"] = bound(default="object")


@dataclass(frozen=True, slots=True)
class Objects:
    """A set of objects as an argument."""

    objects: tuple[ObjectId, ...] = bound()
    kind: Literal["objects"] = bound(default="objects")


@dataclass(frozen=True, slots=True)
class ResultOf:
    """The result of an earlier step (its index) as an argument."""

    step: int = bound()
    kind: Literal["result"] = bound(default="result")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by name; the value is known to nobody but the call itself."""

    name: str = bound()
    kind: Literal["secret"] = bound(default="secret")


Argument = Value | Object | Objects | ResultOf | Secret


@dataclass(frozen=True, slots=True)
class PoolTarget:
    """The call goes to the pool's coordinator."""

    pool_uuid: str = bound()
    kind: Literal["pool"] = bound(default="pool")


@dataclass(frozen=True, slots=True)
class HostTarget:
    """The call goes to one host's own session (a joining host, a member in emergency mode). `host` is the
    configuration's name.
    """

    host: str = bound()
    kind: Literal["host"] = bound(default="host")


@dataclass(frozen=True, slots=True)
class BotTarget:
    """The change is one of the bot itself (a schedule, a mute, a policy)."""

    kind: Literal["bot"] = bound(default="bot")


Target = PoolTarget | HostTarget | BotTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must be true after a step, by reading it again: a field of an object equals an argument, or with `differs`
    is something else.
    """

    object: ObjectId = bound()
    field: str = bound()
    equals: Argument = bound()
    differs: bool = bound(default=False)
    key: str = bound(default="")
    """Of a field that is a map: the key whose value is meant ("" for the whole field); a missing key reads as ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Where a call shows while it runs, so that it can be found again after a broken connection: the object's
    current_operations hold `operation`.
    """

    object: ObjectId = bound()
    operation: str = bound()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call with effect, as data: the engine executes it, the approver reads it, the ledger keeps it."""

    title: str = free()
    target: Target = bound()
    call: str = bound()
    """Class and message, e.g. `VM.pool_migrate`; sent as `Async.VM.pool_migrate` when `asynchronous`."""
    arguments: tuple[Argument, ...] = bound()
    asynchronous: bool = bound(default=True)
    trace: Trace | None = bound(default=None)
    expect: tuple[Expect, ...] = bound(default=())
    limit_seconds: int = bound(default=3600)
    """After this the step is UNKNOWN and announced; it is never assumed to have failed."""
    undo: tuple[Step, ...] = bound(default=())
    """What takes this step back, if a later one fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a plan may be executed (UTC). None is "as soon as it is approved"."""

    not_before: datetime | None = bound(default=None)
    not_after: datetime | None = bound(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done, why it may or may not be done, and how to go back. Reading it changes nothing."""

    command: str = bound()
    arguments: tuple[tuple[str, str], ...] = bound()
    """Resolved and pinned, as the command's own argument texts (objects by uuid): planning again with them gives the
    same choices.
    """
    pool: ObjectId = bound()
    risk: Risk = bound()
    findings: tuple[Finding, ...] = bound(default=())
    steps: tuple[Step, ...] = bound(default=())
    touches: tuple[ObjectId, ...] = bound(default=())
    """What no other operation may touch meanwhile."""
    whole_pool: bool = bound(default=False)
    """No other operation at all may run in the pool meanwhile."""
    tags: tuple[str, ...] = bound(default=())
    """Tags of what it touches and of the pool, as far as the policy depends on them. Filled in by the bot, never by a
    command: none can forget them.
    """
    facts: tuple[tuple[str, str], ...] = bound(default=())
    """Facts the decision rests on (the VM's host now, HA on or off): if one changes, the approval is stale."""
    window: Window = bound(default=Window())
    title: str = free()
    impact: tuple[str, ...] = free(default=())
    """What will be interrupted, and for how long."""
    reasons: tuple[str, ...] = free(default=())
    """Why the bot chose what it chose."""
    go_back: str = free(default="")
    """The command that takes it back, or in words why nothing can."""

    @property
    def blockers(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict is Verdict.BLOCK)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict is Verdict.WARN)

    @property
    def passes(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict is Verdict.PASS)

    def digest(self) -> str:
        """SHA-256 (hex) of every bound field, at any depth. Two plans with one digest would do the same thing."""
        return hashlib.sha256(json.dumps(_binding(self), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _binding(value: object) -> object:
    if isinstance(value, StrEnum):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _binding(getattr(value, f.name)) for f in bound_fields(type(value))}
    if isinstance(value, tuple | list):
        return [_binding(item) for item in value]
    if isinstance(value, Mapping):
        return {"map": sorted([str(key), _binding(item)] for key, item in value.items())}
    if isinstance(value, datetime):
        return {"time": value.timestamp()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a plan cannot hold {type(value).__name__}")


def bound_fields(cls: type) -> Iterator[dataclasses.Field[Any]]:
    """The fields of a plan's class that its digest covers.

    :raises TypeError: a field is marked neither bound nor free.
    """
    for field in dataclasses.fields(cls):
        if _BINDING not in field.metadata:
            raise TypeError(f"{cls.__name__}.{field.name} is marked neither bound nor free")
        if field.metadata[_BINDING]:
            yield field


# --- answers of read-only commands ------------------------------------------------------------------------------------


class Level(StrEnum):
    """How a line is meant to strike the eye."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell. With `bar` (0 to 1) a bar is drawn before the text."""

    text: str
    level: Level = Level.NONE
    bar: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    text: str
    level: Level = Level.NONE
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    heading: str = ""
    lines: tuple[Line, ...] = ()
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    heading: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    more: int = 0
    """Rows that were left out."""
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    heading: str = ""
    pairs: tuple[tuple[str, Cell], ...] = ()
    kind: Literal["facts"] = "facts"


Part = Lines | Table | Facts


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A command that the reader may want next."""

    label: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer of a read-only command, for any medium."""

    title: str
    level: Level = Level.NONE
    summary: str = ""
    parts: tuple[Part, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


# --- the life of a request --------------------------------------------------------------------------------------------


class State(StrEnum):
    """Where a request is in its life; which follows which is in :mod:`bot.approval`."""

    ASKED = "asked"
    WAITING = "waiting for votes"
    APPROVED = "approved"
    QUEUED = "waiting to run"
    RUNNING = "running"
    CANCELLING = "cancelling"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    STALE = "stale"


class Ballot(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What the policy asked for when the request was made, in words that the card shows too."""

    approvals: int
    who: str
    expires_seconds: int
    rule: str = ""
    """The policy's rule that governs it; "" when none matched."""
    type_name: str = ""
    """What whoever approves types first: the name of what it is about. "" when the policy does not ask for it."""
    one_time_code: bool = False
    """Whoever approves gives a one-time code."""
    overrides: tuple[str, ...] = ()
    """Freezes that held when it was asked, by somebody who may override them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    actor: Actor
    ballot: Ballot
    digest: str
    """Of the plan that the voter saw."""
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running request is: step `step` (from 0) of `steps`, `fraction` (0 to 1) of that step."""

    step: int = 0
    steps: int = 1
    fraction: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a request, for the reply and the ledger."""

    summary: str
    lines: tuple[str, ...] = ()
    remedy: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for something that changes a pool, as the store keeps it. Times are UTC."""

    id: str
    text: str
    actor: Actor
    place: Place
    plan: Plan
    digest: str
    requirement: Requirement
    state: State
    opened_at: datetime
    expires_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress: Progress | None = None
    result: Result | None = None
    successor: str = ""
    predecessor: str = ""
    votes: tuple[Vote, ...] = ()

    @property
    def missing(self) -> int:
        """Approvals still wanted, counting those for this very plan, one per person."""
        given = {vote.actor.key for vote in self.votes if vote.ballot is Ballot.APPROVE and vote.digest == self.digest}
        return max(self.requirement.approvals - len(given), 0)


class CallState(StrEnum):
    """What is known of one call with effect."""

    INTENDED = "intended"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    NOT_TAKEN = "not taken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call with effect of a request: written before it is sent, so that it can be found again after a crash."""

    request_id: str
    step: int
    undo: bool
    call: str
    state: CallState
    intended_at: datetime
    task_uuid: str = ""
    error: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something for the ledger. `body` is JSON data without secrets, references or session handles."""

    kind: str
    actor: Actor
    pool: str = ""
    request_id: str = ""
    body: Mapping[str, Any] = dataclasses.field(default_factory=dict)
