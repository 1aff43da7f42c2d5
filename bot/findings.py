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
    CANDIDATES = "candidates"
    """Hosts that stand alone: could they join the pool?"""


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
class Mute:
    """Nobody wants to hear of a finding before `until`. Times are UTC."""

    until: datetime
    reason: str
    actor: Actor
    at: datetime


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
    number: int = 0
    mute: Mute | None = None
    """The mute that holds now."""

    @property
    def id(self) -> str:
        """As people type it."""
        return f"F-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A finding with the pool that it is about (the configuration's name) and the kind of audit that found it."""

    pool: str
    kind: Kind
    story: Followed


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
    true_low: float | None = None
    """How far it was ahead of true time, in seconds; None where the audit had no NTP server to believe."""
    true_high: float | None = None
    ppm_low: float | None = None
    """How fast it has been running against true time (else against the bot's clock), in ppm; None where the history
    proves too little.
    """
    ppm_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAnswer:
    """What an NTP server said: true time less the bot's, in seconds, proved to lie between `low` and `high`."""

    server: str
    """As the configuration names it."""
    at: datetime
    low: float = 0.0
    high: float = 0.0
    stratum: int = 0
    failure: str = ""
    """Why there is no answer to believe; "" when there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A run and what it changed. A run that failed resolves nothing: what was open is `still` open. What is muted now
    is apart from both, whether it was new or not.
    """

    run: Run
    first: bool
    """The pool's first audit of this kind: everything is new."""
    new: tuple[Followed, ...]
    still: tuple[Followed, ...]
    resolved: tuple[Followed, ...]
    muted: tuple[Followed, ...] = ()
    offsets: tuple[Offset, ...] = ()
    """What an audit of clocks measured."""
    time_answers: tuple[TimeAnswer, ...] = ()
    """What the NTP servers said to it."""

    @property
    def open(self) -> tuple[Followed, ...]:
        """Gravest first; within a level what is new first. Without what is muted."""
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
    time_answers: tuple[TimeAnswer, ...] = ()


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

    def finding(self, number: int) -> Traced | None:
        """A finding by its number, resolved or not."""

    def open_findings(self, pools: Iterable[str]) -> tuple[Traced, ...]:
        """All that is open in these pools, also what is muted."""

    def muted(self, pool: str, at: datetime) -> frozenset[str]:
        """The keys of findings that were muted at a time."""

    def audit_changes(self, since: Run) -> tuple[tuple[Followed, ...], tuple[Followed, ...]]:
        """What is open now and was not at that run, and what was open at it and is not now (same pool and kind)."""

    def offsets(self, pool: str, host_uuid: str, last: int) -> tuple[Offset, ...]:
        """The newest measurements of a host's clock, newest first."""

    def forget_audits(self, before: datetime, samples: datetime | None = None) -> int:
        """Forget runs that ended before then, and what was resolved by them; how many runs. What is open stays.

        :param samples: also forget measurements of clocks that were made before then.
        """


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
