"""Scheduled audits around a real database: processes that begin, tick and die, pools that answer or do not, and a clock
turned by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from bot.audits.auditor import Auditor, Looked
from bot.errors import Unavailable
from bot.findings import Drift, Kind
from bot.model import Actor, Level, Lines, ObjectId, Report
from bot.ports import Pools, PoolView
from bot.rounds import Rounds
from bot.rules import calendar
from bot.schedules import NewSchedule, Schedule, Tell
from bot.store import SqliteStore
from tests.bot.fakes import LaterThreads
from tests.bot_store.helpers import KEY, HandClock

OLGA = Actor(kind="slack", id="T1/UOLGA", name="Olga")
CHANNEL = "C1"
MIDNIGHT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
SEVEN = MIDNIGHT.replace(hour=7)
HOUR = timedelta(hours=1)
EARLY = SEVEN - timedelta(minutes=10)


def drift(name: str, level: Level = Level.WARN) -> Drift:
    return Drift(rule="r", level=level, subject=ObjectId("host", name, name), text=f"{name} is odd")


class AtOnce(Executor):
    """Work is done where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        fn(*args, **kwargs)


@dataclass
class Channel:
    """:class:`bot.ports.Channels` of one channel."""

    allowed: tuple[str, ...] = ("lab", "prod")
    why_not: str = ""
    silent: bool = False

    def find(self, typed: str) -> str:
        return typed.removeprefix("#")

    def cannot_post(self, channel: str) -> str:
        if self.silent:
            raise Unavailable("Slack does not answer.")
        return self.why_not

    def name(self, channel: str) -> str:
        return f"#{channel}"

    def pools(self, channel: str) -> tuple[str, ...]:
        return self.allowed


@dataclass
class House:
    """What outlives processes: the file, the clock, the pools and the channel."""

    path: Path
    clock: HandClock
    found: dict[str, tuple[Drift, ...]] = field(default_factory=lambda: {"lab": (), "prod": ()})
    away: set[str] = field(default_factory=set)
    channel: Channel = field(default_factory=Channel)
    looked: list[str] = field(default_factory=list)
    """Each look at a pool so far."""
    on_look: Callable[[str], None] = lambda pool: None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.found)

    def look(self, pool: PoolView) -> Looked:
        self.looked.append(pool.name)
        self.on_look(pool.name)
        if pool.name in self.away:
            raise Unavailable("No host answers.", remedy="Look at the network.")
        return Looked(self.found[pool.name])

    @contextmanager
    def process(self, *, timezone: str = "UTC", threads: Executor | None = None) -> Iterator[Process]:
        """One life of a bot, as far as schedules go."""
        store = SqliteStore(self.path, clock=self.clock, ledger_key=KEY)
        auditor = Auditor(
            cast(Pools, _Pools()), store.audits, self.clock, {Kind.COMPATIBILITY: self.look, Kind.CLOCK: self.look}
        )
        rounds = Rounds(
            agenda=store.schedules,
            audits=auditor,
            channels=self.channel,
            pools=lambda: self.names,
            clock=self.clock,
            timezone=timezone,
            threads=threads or AtOnce(),
        )
        try:
            yield Process(self, store, auditor, rounds, timezone)
        finally:
            store.close()

    @contextmanager
    def dying(self) -> Iterator[Process]:
        """A process that dies before it has done what it claimed."""
        with self.process(threads=LaterThreads()) as process:
            yield process


@dataclass
class _View:
    name: str


class _Pools:
    def view(self, name: str) -> _View:
        return _View(name)


@dataclass
class Process:
    house: House
    store: SqliteStore
    auditor: Auditor
    rounds: Rounds
    timezone: str

    def schedule(
        self, when: str = "hourly", pool: str = "lab", *, zone: str = "", tell: Tell = Tell.CHANGES
    ) -> Schedule:
        asked = NewSchedule(
            kind=Kind.COMPATIBILITY,
            pool=pool,
            recurrence=when,
            zone=zone,
            team="T1",
            channel=CHANNEL,
            tell=tell,
        )
        now = self.house.clock.now()
        due = calendar.parse(when).next(now, calendar.time_zone(zone or self.timezone))
        assert due is not None
        return self.store.schedules.add(asked, due, OLGA, now)

    def due(self, schedule: Schedule) -> datetime:
        found = self.store.schedules.schedule(schedule.number)
        assert found is not None
        return found.due_at

    def live(self, until: datetime, step: timedelta = timedelta(minutes=1)) -> None:
        """Tick until then."""
        while self.house.clock.at < until:
            self.house.clock.at = min(self.house.clock.at + step, until)
            self.rounds.tick()

    def posted(self) -> list[Report]:
        """What has been delivered since the last call: each message, and what went into its thread is checked to be
        delivered after it.
        """
        messages: list[Report] = []
        while (delivery := self.store.claim(self.house.clock.at, 60)) is not None:
            assert delivery.place.channel == CHANNEL
            assert delivery.body is not None
            self.store.posting(delivery)
            if delivery.thread_ts:
                assert delivery.thread_ts == f"ts-{len(messages)}"
                self.store.delivered(delivery, f"reply-{delivery.id}")
            else:
                messages.append(delivery.body)
                self.store.delivered(delivery, f"ts-{len(messages)}")
        return messages

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """The ledger's rows of a kind, oldest first."""
        found = self.store.ledger(pools=None, last=1000)
        return [{"actor": row.actor.key, "pool": row.pool, **row.body} for row in reversed(found) if row.kind == kind]


def lines(report: Report, heading: str = "") -> list[str]:
    return [
        line.text
        for part in report.parts
        if isinstance(part, Lines) and part.heading.startswith(heading)
        for line in part.lines
    ]
