"""The decisions: who may look, ask, vote, take back and settle; what a change takes; what the votes amount to.

Every denial says why, and who could help. What cannot be evaluated is denied.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.errors import Denied
from bot.model import Actor, Ballot, Place, Plan, Request, Requirement
from bot.policy import entitled
from bot.policy.joint import Joint, frozen, is_among, is_among_all, terms_of
from bot.policy.rules import EVERYONE, Freeze, People, Rules
from bot.policy.words import approvers, everybody_of, people
from bot.ports import Standing
from bot.text import joined, one_line, quoted

LEAST_REASON = 10
"""Characters that say why it is an emergency."""


def may_read(rules: Rules, actor: Actor, standing: Standing) -> None:
    """:raises Denied: with the reason."""
    _member(standing)
    if EVERYONE in rules.readers:
        return
    if not is_among(actor, standing, rules.mentioned):
        raise Denied(
            "You are not on the list of people who may look at the pools.",
            remedy="Whoever runs the bot can add you to readers in its configuration.",
            evidence=_blind(standing),
        )


def requirement(
    rules: Rules, actor: Actor, standing: Standing, plan: Plan, now: datetime, emergency: str = ""
) -> Requirement:
    """What this plan takes when this person asks for it now.

    :param emergency: why it cannot wait for another person; "" when it is no emergency.
    :raises Denied: this person may not ask for it, a freeze holds, or the rules say nothing about its risk.
    """
    if emergency:
        return _in_an_emergency(rules, actor, standing, plan, now, emergency)
    _member(standing)
    terms = terms_of(rules, plan)
    if entitled.asker(rules, actor, standing, plan, emergency=False):
        limited = f" The rule {quoted(terms.rule)} says who may." if terms.rule else ""
        raise Denied(
            f"You may look, but not ask for {_thing(terms)}.{limited}",
            remedy=f"Those who may: {everybody_of(rules, terms.askers)}.",
            evidence=_blind(standing),
        )
    approvals = max(_spoken_of(terms, plan), 1 if plan.confirm else 0)
    then = _moment(plan, now)
    for freeze in entitled.not_overridden(rules, actor, standing, plan, then):
        raise _frozen(rules, freeze, then, _blind(standing))
    return Requirement(
        approvals=approvals,
        who=approvers(terms, approvals),
        expires_seconds=terms.expiry_seconds,
        rule=terms.rule,
        type_name=plan.confirm or (name_to_type(plan) if terms.type_name else ""),
        one_time_code=terms.one_time_code,
        overrides=tuple(freeze.name for freeze in frozen(rules, plan, then)),
    )


def _in_an_emergency(
    rules: Rules, actor: Actor, standing: Standing, plan: Plan, now: datetime, why: str
) -> Requirement:
    """One approval, which may be that of the person who asks; freezes are overridden, and named. What proves that it is
    that person – the name typed, a one-time code – is asked for as ever.

    :raises Denied: the person is not among those who may.
    """
    _member(standing)
    if entitled.asker(rules, actor, standing, plan, emergency=True):
        raise Denied(
            "You are not among those who may act alone in an emergency.",
            remedy=f"Those who may: {people(rules, rules.emergency)}. Without “emergency …” others can approve it.",
            evidence=_blind(standing),
        )
    if len(why.strip()) < LEAST_REASON:
        raise Denied(
            "That says too little about the emergency.",
            remedy=f"Say why it cannot wait, in at least {LEAST_REASON} characters: whoever reads the record will ask.",
        )
    terms = terms_of(rules, plan)
    _spoken_of(terms, plan)
    return Requirement(
        approvals=1,
        who="one of those who may act in an emergency; that may be who asked",
        expires_seconds=terms.expiry_seconds,
        rule=terms.rule,
        type_name=plan.confirm or (name_to_type(plan) if terms.type_name else ""),
        one_time_code=terms.one_time_code,
        emergency=why.strip(),
        overrides=tuple(freeze.name for freeze in frozen(rules, plan, _moment(plan, now))),
    )


def may_vote(rules: Rules, actor: Actor, standing: Standing, request: Request, ballot: Ballot, now: datetime) -> None:
    """By the policy as it is now, not as it was when the request was made.

    :raises Denied: with the reason.
    """
    _member(standing)
    terms = terms_of(rules, request.plan)
    if request.requirement.emergency and is_among(actor, standing, rules.emergency):
        return
    lack = entitled.voter(rules, actor, standing, request, ballot)
    if lack is entitled.Lack.ANOTHER:
        raise Denied(
            "You asked for this yourself; somebody else has to approve it.",
            remedy=f"Request {request.id} waits for {request.requirement.who}. You can withdraw it.",
        )
    if lack is not None:
        raise Denied(
            "You are not an approver of this, so your decision does not count.",
            remedy=f"Request {request.id} waits for {request.requirement.who}: {everybody_of(rules, terms.approvers)}.",
            evidence=_blind(standing),
        )
    if ballot is Ballot.APPROVE:
        more = _stricter(terms, request.requirement)
        if more:
            raise Denied(
                f"The policy has become stricter since request {request.id} was asked: {joined(more)}.",
                remedy="Withdraw it and ask again: the new request will say what it takes.",
            )
        then = _moment(request.plan, now)
        for freeze in _held(rules, request, then):
            raise _frozen(rules, freeze, then)


def held(rules: Rules, request: Request, now: datetime) -> str:
    """Why an approved request may not begin now, "" when it may: a freeze has begun since it was asked."""
    return "; ".join(
        f"the freeze {quoted(each.name)} holds until {each.until(now)}" for each in _held(rules, request, now)
    )


def stricter(rules: Rules, request: Request) -> tuple[str, ...]:
    """What the policy wants of this request now and did not want when it was asked; empty when nothing."""
    return _stricter(terms_of(rules, request.plan), request.requirement)


def may_withdraw(rules: Rules, actor: Actor, standing: Standing, request: Request) -> None:
    """:raises Denied: only the person who asked, or an approver, takes a request back."""
    _member(standing)
    terms = terms_of(rules, request.plan)
    if actor.key != request.actor.key and not is_among_all(actor, standing, terms.approvers):
        raise Denied(
            f"Only {quoted(request.actor.name)} or an approver can withdraw request {request.id}.",
            remedy=f"The approvers: {everybody_of(rules, terms.approvers)}.",
            evidence=_blind(standing),
        )


def may_settle(rules: Rules, actor: Actor, standing: Standing, request: Request) -> None:
    """:raises Denied: an outcome that nobody knows is settled by an approver who did not ask for it."""
    _member(standing)
    terms = terms_of(rules, request.plan)
    if actor.key == request.actor.key and not terms.self_approval:
        raise Denied(
            "You asked for this yourself; somebody else has to say what came of it.",
            remedy=f"Those who can: {everybody_of(rules, terms.approvers)}.",
        )
    if not is_among_all(actor, standing, terms.approvers):
        raise Denied(
            f"Only an approver can settle request {request.id}.",
            remedy=f"The approvers: {everybody_of(rules, terms.approvers)}.",
            evidence=_blind(standing),
        )


def name_to_type(plan: Plan) -> str:
    """What an approver types where the policy asks for the object's name: that of the first object that is touched,
    else the pool's; the uuid of one whose name is blank, or too long to be typed.
    """
    about = plan.touches[0] if plan.touches and not plan.whole_pool else plan.pool
    name = one_line(about.name).strip()
    return name if 0 < len(name) <= 100 else about.uuid


def check_typed_name(request: Request, typed: str) -> None:
    """:raises Denied: the policy wants the object's name typed, and this is not it."""
    name = request.requirement.type_name
    if request.plan.confirm and " ".join(typed.split()) != " ".join(name.split()):
        raise Denied(
            f"To approve this, type exactly: {name}",
            remedy="Type it only when you know that it is so; nobody else checks it.",
        )
    if name and " ".join(typed.split()) != " ".join(name.split()):
        wrong = f"{quoted(typed)} is not its name." if typed.strip() else "It was not typed."
        raise Denied(
            f"To approve this, the name of what it is about has to be typed exactly. {wrong}",
            remedy=f"Read the plan of request {request.id} again, then type the name that it shows.",
        )


def needs_code(request: Request, ballot: Ballot, place: Place) -> bool:
    """Whether a vote takes the voter's one-time code: where the policy says so, and at a terminal always. There the
    operating system's login says nothing of who sits before it.
    """
    return place.kind == "terminal" or (ballot is Ballot.APPROVE and request.requirement.one_time_code)


def to_remind(rules: Rules, request: Request) -> tuple[People, ...]:
    """Whom the policy names as those who can still approve it: they are among each of these."""
    terms = terms_of(rules, request.plan)
    return (rules.emergency,) if request.requirement.emergency else terms.approvers


def decided(request: Request) -> Ballot | None:
    """What the votes so far amount to: one rejection rejects, enough approvals of the request's own digest approve."""
    if any(vote.ballot is Ballot.REJECT for vote in request.votes):
        return Ballot.REJECT
    return None if request.missing else Ballot.APPROVE


# --- helpers ----------------------------------------------------------------------------------------------------------


def _member(standing: Standing) -> None:
    if not standing.member:
        raise Denied(
            f"You cannot use this bot: {standing.why_not or 'you are not a member here.'}",
            remedy=standing.remedy or "Ask a member of the team to do it for you.",
        )


def _blind(standing: Standing) -> tuple[str, ...]:
    """What could not be taken into account."""
    return (standing.groups_unknown,) if standing.groups_unknown else ()


def _moment(plan: Plan, now: datetime) -> datetime:
    """When it would be done: a freeze that is over by then does not stop it, one that has begun by then does."""
    return max(now, plan.window.not_before or now)


def _spoken_of(terms: Joint, plan: Plan) -> int:
    """How many approvals the policy wants. :raises Denied: it says nothing, so no emergency makes it allowed either."""
    if terms.approvals is None:
        raise Denied(
            f"The policy says nothing about {plan.risk} changes, so they are refused.",
            remedy="Whoever runs the bot can set it under approvals in its configuration.",
        )
    return terms.approvals


def _thing(terms: Joint) -> str:
    return "this change" if terms.rule else "changes"


def _held(rules: Rules, request: Request, now: datetime) -> Iterable[Freeze]:
    if request.requirement.emergency:
        return ()
    return (each for each in frozen(rules, request.plan, now) if each.name not in request.requirement.overrides)


def _frozen(rules: Rules, freeze: Freeze, now: datetime, evidence: tuple[str, ...] = ()) -> Denied:
    until = freeze.until(now)
    spared = f"Those who may ask for it even now: {people(rules, freeze.override)}."
    return Denied(
        f"The freeze {quoted(freeze.name)} holds until {until}; this is not done before.",
        remedy=f"Ask again then. {spared if freeze.override else 'Nobody may override it.'}",
        evidence=evidence,
    )


def _stricter(terms: Joint, asked: Requirement) -> tuple[str, ...]:
    """What the policy wants now and did not want then."""
    found = []
    if terms.approvals is None:
        found.append("it says nothing about such changes any more")
    elif terms.approvals > asked.approvals and not asked.emergency:
        found.append(f"it takes {terms.approvals} approvals now")
    if terms.type_name and not asked.type_name:
        found.append("the object's name has to be typed now")
    if terms.one_time_code and not asked.one_time_code:
        found.append("a one-time code is needed now")
    return tuple(found)
