"""The engine's desk, with a watch: what was asked, how it was answered, how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bot.answers import Answer, Ask, Form, Problem, VoteAsk, Voted
from bot.errors import Choice, ParseError
from bot.model import Actor, Request
from bot.registry import Registry
from bot.slack.desk import Desk
from bot.watch.meters import Meters

NO_COMMAND = "(none)"
"""What was asked is no command: what people type by mistake is no label."""


class WatchedDesk:
    """:class:`bot.slack.desk.Desk` that hands everything on, and counts it."""

    def __init__(
        self, desk: Desk, registry: Registry, meters: Meters, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._desk = desk
        self._registry = registry
        self._meters = meters
        self._monotonic = monotonic

    def form(self, text: str) -> Form | None:
        return self._desk.form(text)

    def needs_pools(self, text: str) -> bool:
        return self._desk.needs_pools(text)

    def forged(self, why: str) -> None:
        self._desk.forged(why)

    def fill(self, form: Form, ask: Ask) -> Form:
        return self._desk.fill(form, ask)

    def options(self, command: str, field: str, typed: str, values: Mapping[str, str], ask: Ask) -> tuple[Choice, ...]:
        return self._desk.options(command, field, typed, values, ask)

    def request(self, request_id: str, actor: Actor) -> Request | None:
        return self._desk.request(request_id, actor)

    def answer(self, ask: Ask) -> Answer:
        return self._timed(self._name(ask.text), lambda: self._desk.answer(ask))

    def submit(self, command: str, values: Mapping[str, str], ask: Ask) -> Answer:
        return self._timed(command, lambda: self._desk.submit(command, values, ask))

    def vote(self, ask: VoteAsk) -> Answer:
        answer = self._desk.vote(ask)
        self._meters.vote(str(ask.ballot), "counted" if isinstance(answer, Voted) else outcome(answer))
        return answer

    def _timed(self, command: str, work: Callable[[], Answer]) -> Answer:
        began = self._monotonic()
        answer = work()
        self._meters.command(command, outcome(answer), self._monotonic() - began)
        return answer

    def _name(self, text: str) -> str:
        try:
            return self._registry.parse(text or "help")[0].name
        except ParseError:
            return NO_COMMAND


def outcome(answer: Answer) -> str:
    """What came of it, in one of a few words: `shown`, `opened`, `form`, …; for a problem its kind: `denied`, …"""
    return answer.error if isinstance(answer, Problem) else answer.kind
