"""What audits find, and what is remembered of it: values, and the protocols between the audits and the rest.

A finding of an audit is not a check of a plan (:class:`bot.model.Finding`): it has a key by which it is followed over
time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.model import Actor, Level, ObjectId

_GRAVITY = (Level.NONE, Level.OK, Level.INFO, Level.WARN, Level.BAD)


def gravity(level: Level) -> int:
    """For sorting: the higher, the graver."""
    return _GRAVITY.index(level)


def worst(levels: Iterable[Level]) -> Level:
    """OK when there are none."""
    return max(levels, key=gravity, default=Level.OK)


class Kind(StrEnum):
    """What an audit looks at."""

    COMPATIBILITY = "compatibility"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One thing that a rule found."""

    rule: str
    """The rule's id, e.g. `storage.plugged`."""
    level: Level
    subject: ObjectId
    text: str
    """What is wrong, in one sentence without its full stop."""
    evidence: str = ""
    """What was read that shows it; may change while the finding stays the same."""
    remedy: str = ""
    about: str = ""
    """Tells several findings of one rule about one object apart; stable, like the subject's uuid."""

    @property
    def key(self) -> str:
        """Equal for the same finding in every run."""
        about = f"#{self.about}" if self.about else ""
        return f"{self.rule}:{self.subject.cls}/{self.subject.uuid}{about}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One audit of one pool."""

    number: int
    kind: Kind
    pool: str
    """The configuration's name."""
    actor: Actor
    started_at: datetime
    ended_at: datetime
    failure: str = ""
    """Why the pool could not be audited; "" when it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A finding and its story. Times are UTC; a finding that comes back after it was resolved starts a new story."""

    drift: Drift
    opened_at: datetime
    opened_run: int
    seen_at: datetime
    seen_run: int
    resolved_at: datetime | None = None
    resolved_run: int | None = None
    times: int = 1
    """How often it has been opened so far, this time included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """How far a host's clock was ahead of the bot's, in seconds: proved to lie between `low` and `high`.

    `low` > `high`: no steady clock gives these readings; it was stepped while it was measured.
    """

    host: ObjectId
    at: datetime
    low: float
    high: float
    readings: int
    round_trip: float
    """The shortest, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A run and what it changed. A run that failed resolves nothing: what was open is `still` open."""

    run: Run
    first: bool
    """The pool's first audit of this kind: everything is new."""
    new: tuple[Followed, ...]
    still: tuple[Followed, ...]
    resolved: tuple[Followed, ...]
    offsets: tuple[Offset, ...] = ()
    """What an audit of clocks measured."""

    @property
    def open(self) -> tuple[Followed, ...]:
        """Gravest first; within a level what is new first."""
        return tuple(sorted((*self.new, *self.still), key=lambda each: -gravity(each.drift.level)))

    @property
    def level(self) -> Level:
        return worst(each.drift.level for each in self.open)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """An audit that has ended and is to be remembered."""

    kind: Kind
    pool: str
    actor: Actor
    started_at: datetime
    ended_at: datetime
    found: tuple[Drift, ...] = ()
    failure: str = ""
    offsets: tuple[Offset, ...] = ()


class AuditBook(Protocol):
    """The memory of audits."""

    def record_audit(self, new: NewRun) -> Audited:
        """Remember a run and follow its findings, in one transaction.

        What this kind's earlier runs found and this one did not is resolved now, unless the run failed. A run that
        began before the newest one on record is remembered as it would be after it: the newer reading wins.
        """

    def audit_run(self, number: int) -> Audited | None:
        """A run as it was told then, with each finding's latest evidence."""

    def audit_runs(self, pools: Iterable[str], *, kind: Kind | None, last: int) -> tuple[Audited, ...]:
        """The newest runs of these pools, newest first."""

    def audit_changes(self, since: Run) -> tuple[tuple[Followed, ...], tuple[Followed, ...]]:
        """What is open now and was not at that run, and what was open at it and is not now (same pool and kind)."""

    def offsets(self, pool: str, host_uuid: str, last: int) -> tuple[Offset, ...]:
        """The newest measurements of a host's clock, newest first."""

    def forget_audits(self, before: datetime) -> int:
        """Forget runs that ended before then, and what was resolved by them; how many runs. What is open stays."""


class Audits(Protocol):
    """What commands may do with audits: look at pools, remember what was seen, and read it again. Pools are not
    changed.
    """

    @property
    def book(self) -> AuditBook: ...

    def run(self, kinds: Sequence[Kind], pools: Sequence[str], actor: Actor) -> tuple[Audited, ...]:
        """Audit these pools (the configuration's names) at the same time. A pool that does not answer gives a run with
        its failure.
        """
