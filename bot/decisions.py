"""What people decide about a request besides voting: taking it back, cancelling it, settling what is unknown.

Each is one compare-and-set along the transition table, with its ledger row in the same transaction. Who may is asked of
the policy at that moment; the engine records who was denied.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bot import actions, approval, policy
from bot.answers import Ask
from bot.codes import OneTimeCodes
from bot.errors import Denied, NotFound, Refused
from bot.model import Actor, BotTarget, Entry, Level, Line, Lines, Plan, Report, Request, Result, State, Value, Vote
from bot.ports import Clock, People, Store
from bot.runner import Runner
from bot.text import quoted

log = logging.getLogger(__name__)

_TRIES = 5
"""How often somebody else may be quicker before it is given up: a request changes its state a few times in its life."""

SHORTEST = 10
"""Characters of evidence: less says nothing to whoever reads the record later."""


def known(store: Store, request_id: str) -> Request:
    """:raises NotFound: there is no such request."""
    request = store.request(request_id)
    if request is None:
        raise NotFound(f"There is no request {quoted(request_id)}.", remedy="“pending” lists the open ones.")
    return request


def over(request: Request) -> Refused:
    """The refusal of a decision that comes too late (or too early)."""
    summary = (request.result.summary,) if request.result else ()
    return Refused(f"Request {request.id} is {request.state.said} already.", evidence=summary)


def moved_on(
    store: Store,
    request: Request,
    to: State,
    kind: str,
    body: Mapping[str, Any],
    actor: Actor,
    at: datetime,
    *,
    result: Result | None = None,
    note: Report | None = None,
    votes: tuple[Vote, ...] | None = None,
    expires_at: datetime | None = None,
) -> bool:
    """Move a request on from the state that it was seen in, with its row in the record. False: it is in another one by
    now, or its votes are not `votes` any more (None: any).
    """
    approval.check(request.state, to)
    entry = Entry(kind=kind, actor=actor, pool=request.plan.pool.name, request_id=request.id, body=body)
    moved = store.move(
        request.id, request.state, to, entry, at=at, result=result, note=note, votes=votes, expires_at=expires_at
    )
    if moved:
        log.info("%s: now %s", request.id, to)
    return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Performs the actions that :mod:`bot.actions` names."""

    rules: policy.Rules
    people: People
    store: Store
    runner: Runner
    codes: OneTimeCodes
    clock: Clock

    def perform(self, plan: Plan, ask: Ask) -> str:
        """Do what the plan's one step says, as it was asked; returns what came of it, as a sentence.

        :raises Denied: this person may not, or the plan is none that this can be decided about.
        :raises UserError: the request is in a state that does not allow it.
        """
        step, *more = plan.steps
        does: Mapping[str, Callable[..., str]] = {
            actions.WITHDRAW: self._withdraw,
            actions.CANCEL: self._cancel,
            actions.SETTLE: partial(self._settle, ask),
        }
        if more or not isinstance(step.target, BotTarget) or step.call not in does:
            raise Denied(f"There is no rule for who may do {quoted(step.call)}, so it is refused.")
        texts = [str(each.value) for each in step.arguments if isinstance(each, Value)]
        request = known(self.store, texts[0])
        return does[step.call](request, ask.actor, *texts[1:])

    def _withdraw(self, request: Request, actor: Actor) -> str:
        policy.may_withdraw(self.rules, actor, self.people.standing(actor), request)
        result = Result(summary=f"Withdrawn by {quoted(actor.name)}; nothing was done.")
        for _ in range(_TRIES):
            if request.state in approval.ACTIVE_STATES:
                raise Refused(
                    f"Request {request.id} is {request.state.said}; it cannot be withdrawn any more.",
                    remedy=f"“request cancel {request.id}” asks the pool to stop it.",
                )
            if State.WITHDRAWN not in approval.followers(request.state):
                raise over(request)
            if moved_on(self.store, request, State.WITHDRAWN, "withdrawn", {}, actor, self.clock.now(), result=result):
                return f"Request {request.id} is withdrawn; nothing was done."
            request = known(self.store, request.id)
        raise over(request)

    def _cancel(self, request: Request, actor: Actor) -> str:
        policy.may_withdraw(self.rules, actor, self.people.standing(actor), request)
        if State.WITHDRAWN in approval.followers(request.state):
            remedy = f"“request withdraw {request.id}” takes it back."
            raise Refused(f"Request {request.id} is {request.state.said}: it does not run.", remedy=remedy)
        if request.state is not State.RUNNING or not moved_on(
            self.store, request, State.CANCELLING, "cancelling", {}, actor, self.clock.now()
        ):
            raise over(known(self.store, request.id))
        self.runner.start(request.id)
        return f"Request {request.id} is being cancelled, if its pool allows it. Its message shows what comes of it."

    def _settle(self, ask: Ask, request: Request, actor: Actor, outcome: str, evidence: str) -> str:
        """By an approver who did not ask for it: who says what became of a change is as much a second person as who
        allowed it, and at a terminal proves it as they would for a vote.
        """
        policy.may_settle(self.rules, actor, self.people.standing(actor), request)
        if request.state is not State.UNKNOWN:
            raise Refused(
                f"Request {request.id} is {request.state.said}; only one whose outcome is unknown can be settled.",
                remedy=f"“request show {request.id}” shows what is known.",
            )
        if len(evidence) < SHORTEST:
            raise Refused("That is too little to go by later.", remedy="Say what you looked at, and what you saw.")
        if ask.place.kind == "terminal":
            if not ask.code:
                raise Denied(
                    "At the terminal this takes your one-time code: a login alone decides nothing.",
                    remedy=f"There it is “xenia settle {request.id} {outcome} --because …”, which asks for the code.",
                )
            self.codes.check(actor, ask.code, self.clock.now())
        to = State.SUCCEEDED if outcome == "done" else State.FAILED
        words = "done" if to is State.SUCCEEDED else "not done"
        summary = f"{quoted(actor.name)} looked at the pool and settled it as {words}."
        result = Result(summary=summary, lines=(evidence,))
        note = Report(
            title=f"{request.plan.pool.name}: {request.plan.title} – settled as {words}",
            level=Level.INFO,
            summary=summary,
            parts=(Lines(heading="Evidence", lines=(Line(text=evidence),)),),
        )
        body = {"outcome": outcome, "evidence": evidence}
        if not moved_on(self.store, request, to, "settled", body, actor, self.clock.now(), result=result, note=note):
            raise over(known(self.store, request.id))
        self.store.unlock(request.id)
        return f"Request {request.id} is settled as {words}. What waited for it can go on."
