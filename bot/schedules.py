"""Audits that run by themselves: what is kept of a schedule, and what is asked of who keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.findings import Kind
from bot.model import Actor, Place, Report

EVERY_POOL = "all pools"
"""As a schedule's pool: each pool that may be spoken of in its channel when it runs. No pool can be called so."""


class Tell(StrEnum):
    """When a scheduled audit posts something."""

    CHANGES = "changes"
    """When something is new or resolved since its last message, or it could not run as it should."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """What is asked for. `recurrence` is :attr:`bot.rules.calendar.Recurrence.text`."""

    kind: Kind
    pool: str
    """The configuration's name, or :data:`EVERY_POOL`."""
    recurrence: str
    zone: str
    """IANA name; "" is the bot's own, whichever that is when it runs."""
    team: str
    channel: str
    """The id of the channel that is told, and its workspace's."""
    tell: Tell

    @property
    def place(self) -> Place:
        return Place(kind="slack", team=self.team, channel=self.channel)

    @property
    def key(self) -> str:
        """Equal for two that would do the same thing. How much they tell is not part of it."""
        return f"{self.kind}/{self.pool}/{self.channel}/{self.recurrence}/{self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule as the store keeps it. Times are UTC."""

    number: int
    asked: NewSchedule
    paused: bool
    created_at: datetime
    created_by: Actor
    since: datetime
    """Times after this count: those before it have been run, or were never meant to."""
    due_at: datetime
    last_at: datetime | None = None
    """When it last ended."""
    removed: bool = False

    @property
    def id(self) -> str:
        """As people type it."""
        return f"S-{self.number}"

    @property
    def actor(self) -> Actor:
        """Who acts when it runs; in the ledger `schedule:S-3`."""
        return Actor(kind="schedule", id=self.id, name=f"schedule {self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A run that one process has claimed."""

    schedule: Schedule
    due_at: datetime
    attempt: int
    """Above 1: a process began it and died."""
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Up to which audit a pool's findings have been told in a schedule's channel, and when."""

    run: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One message, and what belongs into its thread."""

    message: Report
    thread: tuple[Report, ...] = ()


class ScheduleBook(Protocol):
    """The memory of schedules, for reading."""

    def schedules(self) -> tuple[Schedule, ...]:
        """Those that have not been removed, oldest first."""

    def schedule(self, number: int) -> Schedule | None:
        """One of them, also when it has been removed."""

    def alike(self, asked: NewSchedule) -> Schedule | None:
        """The one that does the same thing."""


class ScheduleChanges(ScheduleBook, Protocol):
    """The changes that people ask for; each is one transaction and can be asked for again without harm."""

    def add(self, asked: NewSchedule, due_at: datetime, actor: Actor, at: datetime) -> Schedule:
        """:raises Refused: there is one that does the same thing."""

    def pause(self, number: int) -> None: ...

    def resume(self, number: int, due_at: datetime, at: datetime) -> None:
        """What was due meanwhile is not made up for."""

    def remove(self, number: int, at: datetime) -> None: ...


class Agenda(ScheduleBook, Protocol):
    """What carries schedules out asks of the store. A run belongs to who claimed it, by compare-and-set."""

    def is_due(self, now: datetime) -> bool:
        """Whether :meth:`claim` would find something."""

    def claim(self, now: datetime, owner: str, lease_seconds: float) -> Due | None:
        """The run that is due longest, or whose owner's lease has run out, claimed for `owner`."""

    def renew(self, due: Due, now: datetime, lease_seconds: float) -> bool:
        """False: it is not its owner's any more."""

    def told(self, number: int) -> Mapping[str, Told]:
        """By pool: what the schedule's channel has been told."""

    def finish(
        self,
        due: Due,
        *,
        next_at: datetime,
        news: Sequence[News],
        told: Mapping[str, Told],
        body: Mapping[str, object],
        now: datetime,
    ) -> bool:
        """The run has ended: its messages are wanted, its ledger row is written and the next time is set, all or
        nothing. False (and nothing written) when it is not its owner's any more.

        :param told: pools whose findings have been told up to these audits.
        """

    def move(self, number: int, frm: datetime, to: datetime, body: Mapping[str, object], now: datetime) -> bool:
        """Compare-and-set of when it is due next, with its ledger row: another time zone holds."""

    def alive(self) -> datetime | None:
        """When a bot last said that it is running."""

    def is_alive(self, now: datetime) -> None: ...
