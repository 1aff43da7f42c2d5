"""The life of a request: its states, votes, calls and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.model.people import Actor, Place
from bot.model.plan import Plan


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

    @property
    def said(self) -> str:
        """What a request in this state is called: `Request X-7 is waiting for approval`."""
        return _SAID.get(self, str(self))


_SAID = {
    State.ASKED: "being looked at",
    State.WAITING: "waiting for approval",
    State.QUEUED: "approved and waiting for its turn",
    State.CANCELLING: "being cancelled",
    State.UNDOING: "being taken back",
    State.UNKNOWN: "of unknown outcome",
    State.STALE: "out of date",
}
"""The states whose names are not what people call them; the names are stored, and what programs watch."""


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
    emergency: str = ""
    """Why it could not wait for another person, in the words of who asked: then that person may approve it alone. ""
    when it is no emergency.
    """
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
    cancelled: bool = False
    """While it is being undone: because somebody cancelled it, not because a call was refused."""


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
    result: str | None = None
    """What it answered, as text, if a later step of the plan needs it (see :class:`ResultOf`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something for the ledger. `body` is JSON data without secrets, references or session handles."""

    kind: str
    actor: Actor
    pool: str = ""
    request_id: str = ""
    body: Mapping[str, Any] = dataclasses.field(default_factory=dict)
