"""People, plans and requests for the policy's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model import Actor, Ballot, ObjectId, Place, Plan, Request, Requirement, Risk, State, Vote
from bot.policy import Freeze, Match, Rule, Rules, Window
from bot.ports import Standing

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
"""A Wednesday."""
SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
MEMBER = Standing(member=True)


def slack(user: str) -> Actor:
    return Actor(kind="slack", id=f"T0EXAMPLE/{user}", name=user.removeprefix("U0").lower())


OLGA, ANA, BEN, SAM = map(slack, ("U0OLGA", "U0ANA", "U0BEN", "U0SAM"))

RULES = Rules(
    operators=frozenset({"U0OLGA", "S0OPS"}),
    approvers=frozenset({"U0ANA", "U0BEN"}),
    names={"U0OLGA": "olga", "U0ANA": "ana", "S0OPS": "ops"},
)
PRODUCTION = Rule(
    name="production",
    match=Match(tags=frozenset({"prod"})),
    approvers=frozenset({"U0ANA", "C0LEADS"}),
    approvals=2,
    type_name=True,
)
ROUTINE = Rule(name="routine in the lab", match=Match(risks=frozenset({Risk.ROUTINE}), pools=("lab*",)), approvals=0)
WEEKEND = Freeze(
    name="weekend",
    windows=(Window.parse("Fri 18:00 – Mon 08:00 Europe/Amsterdam"),),
    match=Match(risks=frozenset({Risk.DISRUPTIVE, Risk.DESTRUCTIVE})),
    override=frozenset({"S0ONCALL"}),
)
RULED = replace(RULES, rules=(PRODUCTION, ROUTINE), freezes=(WEEKEND,))


def plan(**changes: Any) -> Plan:
    given: dict[str, Any] = {
        "command": "vm migrate",
        "arguments": (),
        "pool": ObjectId("pool", "uuid-pool", "lab"),
        "risk": Risk.DISRUPTIVE,
        "touches": (ObjectId("VM", "uuid-vm", "web-1"),),
        "title": "move web-1",
    }
    return Plan(**given | changes)


def request(of: Plan | None = None, *, requirement: Requirement | None = None, votes: tuple[Vote, ...] = ()) -> Request:
    made = of or plan()
    return Request(
        id="X-1",
        text="vm migrate web-1",
        actor=OLGA,
        place=Place(kind="terminal"),
        plan=made,
        digest=made.digest(),
        requirement=requirement or Requirement(approvals=1, who="an approver", expires_seconds=60),
        state=State.WAITING,
        opened_at=NOW,
        expires_at=NOW + timedelta(seconds=60),
        votes=votes,
    )


def vote(actor: Actor, digest: str, ballot: Ballot = Ballot.APPROVE) -> Vote:
    return Vote(actor=actor, ballot=ballot, digest=digest, reason="", at=NOW)
