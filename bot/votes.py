"""Votes: whose counts, what it has to prove, and what they amount to.

Whoever comes second finds the state already changed: it changes only by the store's compare-and-set.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot import appointed, policy
from bot.answers import VoteAsk
from bot.codes import OneTimeCodes
from bot.decisions import known, moved_on, over
from bot.errors import Denied, Refused
from bot.model import BOT, Ballot, Entry, Request, Result, State, Vote
from bot.ports import Clock, People, Store
from bot.runner import Runner
from bot.text import quoted
from bot.witness import Witness

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """Takes votes on requests that wait for them."""

    rules: policy.Rules
    people: People
    store: Store
    runner: Runner
    codes: OneTimeCodes
    witness: Witness
    clock: Clock

    def take(self, ask: VoteAsk) -> str:
        """Count a vote, or not; what came of it, as a sentence.

        :raises UserError: it does not count; who may not vote is on record.
        """
        request = known(self.store, ask.request_id)
        standing = self.people.standing(ask.actor)
        try:
            policy.may_vote(self.rules, ask.actor, standing, request, ask.ballot, self.clock.now())
        except Denied as denied:
            self._refused(ask, request, denied.message)
            raise
        if ask.digest != request.digest:
            self._refused(ask, request, "it was for another plan", digest=ask.digest)
            raise Refused(
                f"That message does not show request {request.id} as it is now.",
                remedy=f"Decide on the request's own message; it asks for: {request.plan.title}.",
            )
        if request.state is not State.WAITING:
            raise over(request)
        if request.expires_at <= self.clock.now():
            self.expire(request)
            raise Refused(f"Request {request.id} has expired; nothing was done.", remedy="It can be asked again.")
        proved = " and ".join(self._step_up(ask, request))
        vote = Vote(actor=ask.actor, ballot=ask.ballot, digest=ask.digest, reason=ask.reason, at=self.clock.now())
        body = {"ballot": str(ask.ballot), "digest": ask.digest, "reason": ask.reason, "proved": proved}
        entry = Entry(kind="vote", actor=ask.actor, pool=request.plan.pool.name, request_id=request.id, body=body)
        if not self.store.vote(request.id, vote, entry):
            raise over(known(self.store, request.id))
        return self.count(request.id)

    def count(self, request_id: str) -> str:
        """Draw the consequence of the votes so far; says what it is. Whoever comes second finds the state already
        changed.
        """
        request = known(self.store, request_id)
        decision = policy.decided(request)
        if request.state is State.WAITING and decision is Ballot.APPROVE:
            last = request.votes[-1].actor
            until = appointed.begun_by(request.plan.window, self.clock.now(), request.requirement.expires_seconds)
            body = {"digest": request.digest}
            if moved_on(
                self.store,
                request,
                State.APPROVED,
                "approved",
                body,
                last,
                self.clock.now(),
                votes=request.votes,
                expires_at=until,
            ):
                self.runner.start(request.id)
                begin = request.plan.window.not_before
                when = f"will run at {begin:%Y-%m-%d %H:%M} UTC" if begin and begin > self.clock.now() else "runs now"
                return f"Request {request.id} is approved and {when}."
            request = known(self.store, request_id)
        elif request.state is State.WAITING and decision is Ballot.REJECT:
            against = next(vote for vote in request.votes if vote.ballot is Ballot.REJECT)
            reason = f": {against.reason}" if against.reason else ""
            result = Result(summary=f"Rejected by {quoted(against.actor.name)}{reason}")
            body = {"reason": against.reason}
            if moved_on(
                self.store,
                request,
                State.REJECTED,
                "rejected",
                body,
                against.actor,
                self.clock.now(),
                result=result,
                votes=request.votes,
            ):
                return f"Request {request.id} is rejected; nothing was done."
            request = known(self.store, request_id)
        if request.state is State.WAITING:
            given, wanted = request.requirement.approvals - request.missing, request.requirement.approvals
            return f"Counted, {given} of {wanted}. Request {request.id} still needs {request.missing} more."
        return f"Request {request.id} is {request.state.said}."

    def expire(self, request: Request) -> None:
        """A compare-and-set: whoever votes at the same moment either came first, or is told that it has expired."""
        waited = "Nobody decided in time" if request.state is State.WAITING else "It waited too long for its turn"
        result = Result(summary=f"{waited}; nothing was done.")
        moved_on(self.store, request, State.EXPIRED, "expired", {}, BOT, self.clock.now(), result=result)

    def _step_up(self, ask: VoteAsk, request: Request) -> list[str]:
        """What the policy wants besides the press, checked last: a code is used up by it. Returns what was proved.

        :raises Denied: it is missing or wrong; recorded.
        """
        proved = []
        try:
            if ask.ballot is Ballot.APPROVE and request.requirement.type_name:
                policy.check_typed_name(request, ask.typed)
                proved.append("name")
            if policy.needs_code(request, ask.ballot, ask.place):
                self.codes.check(ask.actor, ask.code, self.clock.now())
                proved.append("code")
        except Denied as denied:
            self._refused(ask, request, denied.message)
            raise
        return proved

    def _refused(self, ask: VoteAsk, request: Request, reason: str, **more: str) -> None:
        body = {"ballot": str(ask.ballot), "reason": reason, **more}
        pool = request.plan.pool.name
        self.witness.refused(Entry(kind="vote refused", actor=ask.actor, pool=pool, request_id=request.id, body=body))
