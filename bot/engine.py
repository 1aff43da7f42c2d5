"""The life of one command, in order: parse, plan, policy, approval, plan again, execute, record, reply. Nothing else
knows the order.

Everything here blocks and runs on worker threads; what faces people acknowledges first. The state of a request changes
only by the store's
compare-and-set, along :data:`bot.approval.TRANSITIONS`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot import actions, announced, appointed, approval, policy, refusal, tally
from bot.answers import Answer, Ask, Form, NeedsForm, Opened, Problem, Shown, VoteAsk, Voted
from bot.codes import NO_CODES, OneTimeCodes
from bot.decisions import Decisions
from bot.duties import Duties
from bot.errors import Choice, Denied, Refused, Unavailable, UserError
from bot.forms import Forms
from bot.guard import guarded
from bot.model import (
    BOT,
    Actor,
    Entry,
    Place,
    Plan,
    Report,
    Request,
    State,
)
from bot.ports import Clock, NewRequest, People, Store
from bot.registry import Command, Registry, Scope
from bot.resolve import Resolver
from bot.runner import Runner
from bot.usage import EMERGENCY_SLOT
from bot.votes import Votes
from bot.witness import Witness

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The bot, without its faces. Thread-safe; one instance per process."""

    registry: Registry
    resolver: Resolver
    forms: Forms
    people: People
    rules: policy.Rules
    store: Store
    runner: Runner
    codes: OneTimeCodes = NO_CODES
    witness: Witness
    clock: Clock
    """The clock to decide and act by: it may refuse to tell the time (see :class:`bot.clock.SteadyClock`)."""

    # --- commands -----------------------------------------------------------------------------------------------------

    def form(self, text: str) -> Form | None:
        """The form to open when arguments are missing; reads nothing but the text. :raises ParseError: it is no
        command.
        """
        command, parsed = self.registry.parse(text or "help")
        return self.forms.of(command, parsed) if parsed.missing else None

    def needs_pools(self, text: str) -> bool:
        """Whether the command has to wait for pools; one about the bot itself, and what is no command, need none."""
        try:
            return self.registry.parse(text or "help")[0].scope is not Scope.BOT
        except UserError:
            return False

    def answer(self, ask: Ask) -> Answer:
        """Do what was asked, as far as it goes without somebody else: a report, a problem, or an open request."""
        with tally.counting():
            work = partial(self._answer_or_record, ask)
            return self._guarded(ask.delivery_key, ask.actor, ask.text, work, unrecorded=True)

    def submit(self, command: str, values: Mapping[str, str], ask: Ask) -> Answer:
        """A filled form: the command that its values spell."""
        try:
            return self.answer(replace(ask, text=self.forms.text(self.registry[command], values)))
        except Refused as refused:
            return Problem.of(refused)

    def fill(self, form: Form, ask: Ask) -> Form:
        """The form with what is known without asking: the pool that is meant here."""
        self._may_read(ask.actor)
        return self.forms.filled(form, ask.place, ask.actor)

    def options(self, command: str, field: str, typed: str, values: Mapping[str, str], ask: Ask) -> tuple[Choice, ...]:
        """What can be picked for a form's field, best matches first, 100 at most."""
        self._may_read(ask.actor)
        return self.forms.options(self.registry[command], field, typed, values, ask.place, ask.actor)

    def _answer_or_record(self, ask: Ask) -> Answer:
        """Whoever may not do, or even look, is on record with what they asked."""
        try:
            return self._answer(ask)
        except Denied as denied:
            self._refused("denied", ask.actor, "", {"text": ask.text, "reason": denied.message})
            raise

    def _answer(self, ask: Ask) -> Answer:
        self._may_read(ask.actor)
        command, parsed = self.registry.parse(ask.text or "help")
        if parsed.missing:
            return NeedsForm(self.forms.of(command, parsed))
        arguments, context = self.resolver.resolve(command, parsed, ask.actor, ask.place)
        planned = command.plan(arguments, context)
        if isinstance(planned, Report):
            return Shown(planned)
        window, emergency = self.resolver.window(parsed), parsed.values.get(EMERGENCY_SLOT.field)
        plan = self.resolver.completed(replace(planned, window=window))
        appointed.check(plan)
        return self._decide(command, plan, ask, emergency.text if emergency else "")

    def _may_read(self, actor: Actor) -> None:
        policy.may_read(self.rules, actor, self.people.standing(actor))

    def _decide(self, command: Command, plan: Plan, ask: Ask, emergency: str = "") -> Answer:
        """A plan: refuse it, run it, or ask for approval. A plan that cannot be done is refused before anybody is asked
        to approve it.
        """
        if plan.command != command.name or not command.risk.covers(plan.risk):
            raise RuntimeError(f"{command.name} made a plan that says {plan.command}, {plan.risk}")
        if not plan.steps and not plan.blockers:
            raise RuntimeError(f"{command.name} made a plan that does nothing; it would be reported as done")
        if actions.is_action(plan):
            return Voted(self.decisions.perform(plan, ask))
        now = self.clock.now()
        standing = self.people.standing(ask.actor)
        requirement = policy.requirement(self.rules, ask.actor, standing, plan, now, emergency)
        if plan.blockers:
            codes = [finding.id for finding in plan.blockers]
            self._refused("refused", ask.actor, plan.pool.name, {"text": ask.text, "blockers": codes})
            return Shown(refusal.blocked(plan), refused=True)
        place, elsewhere = self._card_place(plan, ask)
        allowed = requirement.approvals == 0
        digest, fingerprint = plan.digest(), _fingerprint(plan, bool(emergency))
        new = NewRequest(
            text=ask.text,
            actor=ask.actor,
            place=place,
            plan=plan,
            digest=digest,
            requirement=requirement,
            state=State.APPROVED if allowed else State.WAITING,
            opened_at=now,
            expires_at=appointed.decided_by(plan.window, now, requirement.expires_seconds),
            fingerprint=fingerprint,
            predecessor=self.store.to_replace(ask.text, fingerprint, plan.pool.name),
        )
        approval.check(State.ASKED, new.state)
        body = {"text": ask.text, "title": plan.title, "digest": digest, "approvals": requirement.approvals}
        body |= {"rule": requirement.rule, "overrides": list(requirement.overrides)}
        body |= {"risk": str(plan.risk), "calls": tally.so_far()}
        body |= {"emergency": requirement.emergency} if emergency else {}
        kind = "asked in an emergency" if emergency else "asked"
        entry = Entry(kind=kind, actor=ask.actor, pool=plan.pool.name, body=body)
        request, opened = self.store.open(new, entry, lambda request_id: self._besides(request_id, new))
        if opened and allowed:
            self.runner.start(request.id)
        then = "Read it, then approve it yourself." if requirement.emergency else ""
        return Opened(request.id, request.place, plan.title, existing=not opened, elsewhere=elsewhere, then=then)

    def _besides(self, request_id: str, new: NewRequest) -> Iterator[tuple[Place, Report]]:
        return announced.besides(request_id, new, self.rules, self.resolver.scopes, self.resolver.team)

    def _card_place(self, plan: Plan, ask: Ask) -> tuple[Place, str]:
        """Where the request's card goes: the pool's approvals channel if it has one, else where it was asked."""
        channel = self.resolver.scopes.approvals_channel.get(self.resolver.name_of(plan.pool), "")
        if channel and channel != ask.place.channel:
            team = ask.place.team or self.resolver.team
            return Place(kind="slack", team=team, channel=channel), "Requests for this pool are decided in"
        if ask.place.private and not channel:
            raise Refused(
                "A change needs a message that approvers can see, and nobody else reads this conversation.",
                remedy="Ask in a channel that the approvers are in.",
            )
        if ask.cannot_post:
            raise Refused(
                f"A change needs a message that approvers can see. {ask.cannot_post}",
                remedy="Ask in a channel where I am a member, or invite me here.",
            )
        return ask.place, ""

    # --- decisions ----------------------------------------------------------------------------------------------------

    def vote(self, ask: VoteAsk) -> Answer:
        """Approve or reject. Whether it counts is decided here and in the store, whatever the button said."""
        what = f"{ask.ballot} {ask.request_id}"
        return self._guarded(ask.delivery_key, ask.actor, what, lambda: Voted(self.votes.take(ask)))

    @property
    def decisions(self) -> Decisions:
        return Decisions(
            rules=self.rules,
            people=self.people,
            store=self.store,
            runner=self.runner,
            codes=self.codes,
            clock=self.clock,
        )

    @property
    def votes(self) -> Votes:
        return Votes(
            rules=self.rules,
            people=self.people,
            store=self.store,
            runner=self.runner,
            codes=self.codes,
            witness=self.witness,
            clock=self.clock,
        )

    @property
    def duties(self) -> Duties:
        return Duties(
            rules=self.rules,
            people=self.people,
            store=self.store,
            runner=self.runner,
            votes=self.votes,
            clock=self.clock,
            team=self.resolver.team,
        )

    def forged(self, why: str) -> None:
        """Something was delivered that is not from our Slack workspace for this app: on record, and nothing else."""
        self._refused("payload refused", BOT, "", {"reason": why})

    def request(self, request_id: str, actor: Actor) -> Request | None:
        """A request for this person's eyes. :raises Denied: who may not read sees nothing of it."""
        self._may_read(actor)
        return self.store.request(request_id)

    # --- due work -----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """What time and crashes leave to do: write down what was counted, and whatever is due of a request."""
        self.witness.tick()
        self.duties.tick()

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _refused(self, kind: str, actor: Actor, pool: str, body: Mapping[str, Any]) -> None:
        self.witness.refused(Entry(kind=kind, actor=actor, pool=pool, body=body))

    def _guarded(
        self, delivery_key: str, actor: Actor, what: str, work: Callable[[], Answer], *, unrecorded: bool = False
    ) -> Answer:
        """`unrecorded`: it goes on where the delivery cannot be written down. What has an effect writes first, and is
        refused there; whoever only looks needs that most when the disk is full.
        """

        def again() -> bool:
            if not delivery_key:
                return False
            try:
                # By the plain clock: reading must go on also while nothing can be decided.
                return not self.store.first_sight(delivery_key, self.resolver.clock.now())
            except Unavailable as error:
                if not unrecorded:
                    raise
                log.warning("answered without a record of the delivery: %s", error.message)
                return False

        return guarded(again, actor, what, work)


def _fingerprint(plan: Plan, emergency: bool) -> str:
    """Equal for two requests that ask the same: command, pinned arguments, pool, time, and whether it can wait."""
    begin = plan.window.not_before
    asked = [plan.command, sorted(plan.arguments), plan.pool.uuid, begin and begin.timestamp(), emergency]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()
