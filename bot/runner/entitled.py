"""Who asked and who approved, looked at again right before anything is done: do they still count?

Between an approval and the time that it is for lie up to two weeks, and people leave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import Unavailable
from bot.model import Actor, Ballot, Request, Vote
from bot.ports import People, PolicyBook, Standing
from bot.text import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """What of a request does not count any more, in words; nothing: all that it needs does."""

    asked: str = ""
    """Why who asked may not any more."""
    approved: tuple[str, ...] = ()
    """Why so many approvals do not count any more that too few are left."""
    votes: tuple[Vote, ...] = ()
    """Those approvals."""

    @property
    def reasons(self) -> tuple[str, ...]:
        return (self.asked,) if self.asked else self.approved


def lapsed(request: Request, people: People, policy: PolicyBook, now: datetime) -> Lapsed:
    """By what Slack and the policy say now.

    :raises Unavailable: it cannot be told of somebody, so nothing must begin.
    """
    asker = _standing(people, request.actor)
    try:
        if asked := policy.asks_no_more(request, asker, now):
            return Lapsed(asked=asked)
    except Unavailable as error:
        raise _unclear(request.actor, error) from error
    lost = {}
    for vote in request.votes:
        if vote.ballot is Ballot.APPROVE and vote.digest == request.digest:
            standing = _standing(people, vote.actor)
            try:
                if why := policy.counts_no_more(request, vote.actor, standing):
                    lost[vote] = why
            except Unavailable as error:
                raise _unclear(vote.actor, error) from error
    left = tuple(vote for vote in request.votes if vote not in lost)
    if not replace(request, votes=left).missing:
        return Lapsed()  # of more than were needed enough are left
    return Lapsed(approved=tuple(lost.values()), votes=tuple(lost))


def _standing(people: People, actor: Actor) -> Standing:
    try:
        return people.standing(actor)
    except Unavailable as error:
        raise _unclear(actor, error) from error


def _unclear(actor: Actor, error: Unavailable) -> Unavailable:
    why = "; ".join(error.evidence) or error.message.rstrip(".")
    return Unavailable(f"It cannot be told now whether {quoted(actor.name)} still counts: {why}.")
