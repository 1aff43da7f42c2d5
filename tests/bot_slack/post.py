"""A workspace, a store and a courier that delivers when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.approval import END_STATES
from bot.model import Entry, Line, Lines, Place, Report, Request, Result, State
from bot.ports import Clock, NewRequest, Outbox
from bot.slack.api import Api, web_client
from bot.slack.delivery import Courier
from bot.store.store import SqliteStore
from sandbox.slack import RunningWorkspace
from tests.bot_slack import samples

JSON = dict[str, Any]


@dataclass
class HandClock(Clock):
    """A clock that a test turns."""

    ahead: float = 0.0
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.started + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds


@dataclass
class Post:
    """A workspace, a store and a courier that goes when a test says so."""

    slack: RunningWorkspace
    store: SqliteStore
    clock: HandClock
    api: Api
    courier: Courier

    def open(self, word: str = "web-1", place: Place = samples.INFRA, state: State = State.WAITING) -> Request:
        plan = samples.plan(word)
        now = self.clock.now()
        new = NewRequest(
            text=f"vm migrate {word}",
            actor=samples.OLGA,
            place=place,
            plan=plan,
            digest=plan.digest(),
            requirement=samples.request().requirement,
            state=state,
            opened_at=now,
            expires_at=now + timedelta(hours=1),
            fingerprint=word,
        )
        return self.store.open(new, entry())[0]

    def move(self, request: Request, *states: State, note: Report | None = None) -> None:
        before = request.state
        for state in states:
            result = Result(summary=f"It is {state}.", seconds=2.0) if state in END_STATES else None
            moved = self.store.move(
                request.id, before, state, entry(), at=self.clock.now(), result=result, note=note if result else None
            )
            assert moved
            before = state

    def run(self, seconds: float = 0.0) -> None:
        """Deliver what is due within the next `seconds` of the clock, and stop there."""
        end = self.clock.ahead + seconds
        while True:
            while self.courier.step():
                pass
            due = self.store.next_due()
            ahead = (due - self.clock.started).total_seconds() + 0.001 if due else end + 1
            if ahead > end:
                self.clock.ahead = end
                return
            self.clock.ahead = max(ahead, self.clock.ahead)

    def messages(self, channel: str = "#infra", by: str = "olga", thread_ts: str | None = None) -> list[JSON]:
        return [one for one in self.slack.messages(channel, by, thread_ts) if one["user"] == "U0XENIA"]

    def posts(self) -> int:
        return self.slack.calls().get("chat.postMessage", 0)


def entry() -> Entry:
    return Entry(kind="test", actor=samples.OLGA, pool="lab")


def note(title: str) -> Report:
    return Report(title=title, parts=(Lines(lines=(Line(text="done"),)),))


def post_office(slack: RunningWorkspace, path: Path) -> Post:
    clock = HandClock()
    store = SqliteStore(path / "xenia.db", clock=clock)
    outbox: Outbox = store
    api = Api(web_client(slack.bot_token, slack.api, 2))
    return Post(slack, store, clock, api, Courier(api, outbox, store.request, clock, threads=0))
