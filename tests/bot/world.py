"""A bot, and shorthands for what people do to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bot.answers import Answer, Ask, Opened, VoteAsk, Voted
from bot.model import Actor, Ballot, Request, State
from tests.bot.fake_bot import FakeBot, bot
from tests.bot.fakes import ANA, CHANNEL, OLGA, FakePool, HandClock


class World:
    """What people do, and what goes on meanwhile."""

    def __init__(self, path: Path, busy_seconds: float = 10.0) -> None:
        self.path = path
        self.clock = HandClock()
        self.pool = FakePool()
        self.clock.meanwhile = self.pool.work
        self.bot: FakeBot = bot(path, self.pool, self.clock, busy_seconds=busy_seconds)

    def say(self, text: str, who: Actor = OLGA) -> Answer:
        return self.bot.engine.answer(Ask(text=text, actor=who, place=CHANNEL))

    def ask(self, text: str) -> str:
        answer = self.say(text)
        assert isinstance(answer, Opened), answer
        return answer.request_id

    def vote(self, id: str, who: Actor = ANA, ballot: Ballot = Ballot.APPROVE, digest: str = "") -> Answer:
        digest = digest or self.request(id).digest
        return self.bot.engine.vote(VoteAsk(request_id=id, ballot=ballot, digest=digest, actor=who, place=CHANNEL))

    def run(self) -> None:
        while self.bot.threads.run_one():
            pass

    def turn(self) -> None:
        self.bot.engine.tick()
        self.run()

    def approved(self, text: str) -> str:
        id = self.ask(text)
        assert isinstance(self.vote(id), Voted)
        return id

    def unknown(self) -> str:
        """A request whose task did not end within the step's limit."""
        self.pool.polls = 10_000
        id = self.approved("vm move web-1 to xs2")
        self.run()
        assert self.request(id).state is State.UNKNOWN
        self.pool.polls = 2
        return id

    def request(self, id: str) -> Request:
        found = self.bot.store.request(id)
        assert found is not None
        return found

    def kinds(self, id: str = "") -> list[str]:
        rows = self.bot.store.ledger(pools=None, last=1000)
        return [row.kind for row in reversed(rows) if not id or row.request_id == id]

    def waits_for(self, id: str) -> str:
        progress = self.request(id).progress
        return progress.text if progress else ""

    def notes(self) -> list[str | None]:
        """The bodies of the notes that wait for Slack."""
        connection = sqlite3.connect(self.path)
        try:
            return [body for (body,) in connection.execute("SELECT body FROM deliveries WHERE kind = 'note'")]
        finally:
            connection.close()
