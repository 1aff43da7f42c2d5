"""The policy as commands may read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.model import Actor, Line, Request, Risk
from bot.policy.decide import held, stricter
from bot.policy.entitled import asks_no_more, counts_no_more
from bot.policy.rules import Rules, Subject
from bot.policy.words import explain
from bot.ports import PolicyBook, Standing


@dataclass(frozen=True, slots=True)
class Book(PolicyBook):
    rules: Rules

    def explain(self, command: str, risk: Risk, pool: str, now: datetime) -> tuple[Line, ...]:
        """See :class:`bot.ports.PolicyBook`."""
        return explain(self.rules, Subject(command=command, risk=risk, pool=pool), now)

    def held(self, request: Request, now: datetime) -> str:
        """See :class:`bot.ports.PolicyBook`."""
        return held(self.rules, request, now)

    def stricter(self, request: Request) -> tuple[str, ...]:
        """See :class:`bot.ports.PolicyBook`."""
        return stricter(self.rules, request)

    def asks_no_more(self, request: Request, standing: Standing, now: datetime) -> str:
        """See :class:`bot.ports.PolicyBook`."""
        return asks_no_more(self.rules, request, standing, now)

    def counts_no_more(self, request: Request, voter: Actor, standing: Standing) -> str:
        """See :class:`bot.ports.PolicyBook`."""
        return counts_no_more(self.rules, request, voter, standing)
