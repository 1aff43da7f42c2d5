"""Who may do what: pure functions from the rules and a person's standing to a decision. What cannot be evaluated is
denied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.errors import Denied
from bot.model import Actor, Ballot, Plan, Request, Requirement, Risk
from bot.ports import Standing

EVERYONE = "everyone"
"""In `readers`: every full member of the workspace (never guests, outsiders or the deactivated)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The policy's settings. People are Slack user ids (`U…`), user groups (`S…`) or terminal logins (`os:name`)."""

    operators: frozenset[str]
    approvers: frozenset[str]
    readers: frozenset[str] = frozenset()
    approvals: Mapping[Risk, int] = field(
        default_factory=lambda: {Risk.ROUTINE: 1, Risk.DISRUPTIVE: 1, Risk.DESTRUCTIVE: 2}
    )
    """How many different approvers each risk needs; 0 lets operators do it alone."""
    self_approval: bool = False
    expiry_seconds: int = 3600


def _is_among(actor: Actor, standing: Standing, people: frozenset[str]) -> bool:
    own = f"os:{actor.id}" if actor.kind == "terminal" else actor.id.rpartition("/")[2]
    return own in people or bool(standing.groups & people)


def _member(standing: Standing) -> None:
    if not standing.member:
        raise Denied(f"You cannot use this bot: {standing.why_not or 'you are not a member here'}.")


def may_read(rules: Rules, actor: Actor, standing: Standing) -> None:
    """:raises Denied: with the reason."""
    _member(standing)
    if EVERYONE in rules.readers:
        return
    if not _is_among(actor, standing, rules.readers | rules.operators | rules.approvers):
        raise Denied(
            "You are not on the list of people who may look at the pools.",
            remedy="Whoever runs the bot can add you to readers in its configuration.",
        )


def requirement(rules: Rules, actor: Actor, standing: Standing, plan: Plan) -> Requirement:
    """What this plan takes when this person asks for it.

    :raises Denied: this person may not ask for it, or the rules say nothing about its risk.
    """
    _member(standing)
    if not _is_among(actor, standing, rules.operators | rules.approvers):
        raise Denied(
            "You may look, but not ask for changes.",
            remedy="Ask an operator, or have yourself added to operators in the bot's configuration.",
        )
    approvals = rules.approvals.get(plan.risk)
    if approvals is None:
        raise Denied(f"The policy says nothing about {plan.risk} changes, so they are refused.")
    who = "an approver" if approvals == 1 else f"{approvals} approvers"
    if not rules.self_approval:
        who += " other than the person who asks"
    return Requirement(approvals=approvals, who=who, expires_seconds=rules.expiry_seconds)


def may_vote(rules: Rules, actor: Actor, standing: Standing, request: Request, ballot: Ballot) -> None:
    """:raises Denied: with the reason."""
    _member(standing)
    if actor.key == request.actor.key and ballot is Ballot.APPROVE and not rules.self_approval:
        raise Denied(
            "You asked for this yourself; somebody else has to approve it.",
            remedy=f"Request {request.id} waits for {request.requirement.who}. You can withdraw it.",
        )
    if not _is_among(actor, standing, rules.approvers):
        raise Denied(
            "You are not an approver, so your decision does not count.",
            remedy=f"Request {request.id} waits for {request.requirement.who}.",
        )


def may_withdraw(rules: Rules, actor: Actor, standing: Standing, request: Request) -> None:
    """:raises Denied: only the person who asked, or an approver, takes a request back."""
    _member(standing)
    if actor.key != request.actor.key and not _is_among(actor, standing, rules.approvers):
        raise Denied(f"Only {request.actor.name} or an approver can withdraw request {request.id}.")


def decided(request: Request) -> Ballot | None:
    """What the votes so far amount to: one rejection rejects, enough approvals of the request's own digest approve."""
    if any(vote.ballot is Ballot.REJECT for vote in request.votes):
        return Ballot.REJECT
    approvals = {
        vote.actor.key for vote in request.votes if vote.ballot is Ballot.APPROVE and vote.digest == request.digest
    }
    return Ballot.APPROVE if len(approvals) >= request.requirement.approvals else None
