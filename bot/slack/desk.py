"""What Slack's side of the bot asks of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.answers import Answer, Ask, Form, VoteAsk
from bot.errors import Choice
from bot.model import Actor, Request


class Desk(Protocol):
    """The engine as a listener sees it. All but `form` and `needs_pools` may take as long as a pool does: call them on
    a worker.
    """

    def form(self, text: str) -> Form | None:
        """The form to open when the command's arguments are incomplete. Parses only: instant, reads nothing.

        :raises ParseError: the text is no command; :meth:`answer` says the same as a Problem.
        """

    def needs_pools(self, text: str) -> bool:
        """Whether the command has to wait for pools. Parses only; False also for what is no command."""

    def answer(self, ask: Ask) -> Answer:
        """Carry out a command. Errors for people come back as a Problem, defects as a Bug; it does not raise."""

    def fill(self, form: Form, ask: Ask) -> Form:
        """The same form with what is known (defaults). :raises UserError: it cannot be found out now."""

    def options(self, command: str, field: str, typed: str, values: Mapping[str, str], ask: Ask) -> tuple[Choice, ...]:
        """What can be picked for a field, at most 100; `Choice.command` is the value to type for it."""

    def submit(self, command: str, values: Mapping[str, str], ask: Ask) -> Answer:
        """Carry out a command whose form was filled in."""

    def vote(self, ask: VoteAsk) -> Answer: ...

    def forged(self, why: str) -> None:
        """Something was delivered that is not ours; `why` in words."""

    def request(self, request_id: str, actor: Actor) -> Request | None:
        """:raises UserError: this person may not look, or it cannot be found out whether they may."""
