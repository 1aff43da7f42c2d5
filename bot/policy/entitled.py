"""Whose asking and whose vote counts: when it is given, and again right before anything is done. What of it is missing
is said to the person in :mod:`bot.policy.decide`, and of the person to others here.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from bot.errors import Unavailable
from bot.model import Actor, Ballot, Plan, Request
from bot.policy.joint import frozen, is_among, is_among_all, terms_of
from bot.policy.rules import Freeze, Rules
from bot.ports import Standing
from bot.text import joined, quoted


class Lack(Enum):
    """What somebody lacks whose asking or vote does not count."""

    MEMBERSHIP = "no full member of the workspace"
    LISTED = "not among those whom the policy names"
    ANOTHER = "not another person than who asked"


def asker(rules: Rules, actor: Actor, standing: Standing, plan: Plan, *, emergency: bool) -> Lack | None:
    """What who asks for the plan lacks. None: nothing."""
    if not standing.member:
        return Lack.MEMBERSHIP
    if emergency:
        return None if is_among(actor, standing, rules.emergency) else Lack.LISTED
    return None if is_among_all(actor, standing, terms_of(rules, plan).askers) else Lack.LISTED


def voter(rules: Rules, actor: Actor, standing: Standing, request: Request, ballot: Ballot) -> Lack | None:
    """What who votes on the request lacks. None: nothing."""
    if not standing.member:
        return Lack.MEMBERSHIP
    if request.requirement.emergency and is_among(actor, standing, rules.emergency):
        return None
    terms = terms_of(rules, request.plan)
    if actor.key == request.actor.key and ballot is Ballot.APPROVE and not terms.self_approval:
        return Lack.ANOTHER
    return None if is_among_all(actor, standing, terms.approvers) else Lack.LISTED


def not_overridden(rules: Rules, actor: Actor, standing: Standing, plan: Plan, then: datetime) -> tuple[Freeze, ...]:
    """The freezes that hold for the plan then and that who asks may not override."""
    return tuple(each for each in frozen(rules, plan, then) if not is_among(actor, standing, each.override))


def asks_no_more(rules: Rules, request: Request, standing: Standing, now: datetime) -> str:
    """Why who asked could not ask for it now, said to others; "" when they could. A freeze that began since then only
    holds it; one that was overridden is looked at here.

    :raises Unavailable: it depends on groups, and nobody tells who is in them.
    """
    who, emergency = quoted(request.actor.name), bool(request.requirement.emergency)
    lack = asker(rules, request.actor, standing, request.plan, emergency=emergency)
    if lack is not None:
        _known(lack, standing)
        may = "act alone in an emergency" if emergency else "ask for this change"
        return f"{who} may not {may} any more{_because(lack, standing)}"
    if emergency:
        return ""
    left = not_overridden(rules, request.actor, standing, request.plan, now)
    lost = [each.name for each in left if each.name in request.requirement.overrides]
    if not lost:
        return ""
    _known(Lack.LISTED, standing)
    return f"{who} may not override the freeze {joined(map(quoted, lost))} any more"


def counts_no_more(rules: Rules, request: Request, actor: Actor, standing: Standing) -> str:
    """Why somebody's approval does not count any more, said to others; "" when it does.

    :raises Unavailable: as :func:`asks_no_more`.
    """
    lack = voter(rules, actor, standing, request, Ballot.APPROVE)
    if lack is None:
        return ""
    _known(lack, standing)
    if lack is Lack.ANOTHER:
        return f"{quoted(actor.name)} asked for it, and who asks may not approve any more"
    return f"{quoted(actor.name)} may not approve this change any more{_because(lack, standing)}"


def _known(lack: Lack, standing: Standing) -> None:
    if lack is Lack.LISTED and standing.groups_unknown:
        raise Unavailable(standing.groups_unknown)


def _because(lack: Lack, standing: Standing) -> str:
    return f": {standing.flaw or lack.value}" if lack is Lack.MEMBERSHIP else ""
