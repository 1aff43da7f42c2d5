"""What holds for one change: the terms of every pool that it is about, and the strictest of what they say.

A change of two pools needs somebody who may ask for it in both, and approvers who may approve it in both. It is never
easier to have than the same change of either pool alone would be. A change of several objects takes as much as the same
change of any one of them would, whatever the others are tagged, and people who are entitled for each: whoever may empty
a host because of one VM on it would decide about the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.model import Actor, Elsewhere, Plan
from bot.policy.rules import Freeze, People, Rules, Subject, Terms
from bot.ports import Standing
from bot.schedules import EVERY_POOL


def is_among(actor: Actor, standing: Standing, named: People) -> bool:
    own = f"os:{actor.id}" if actor.kind == "terminal" else actor.id.rpartition("/")[2]
    return own in named or bool(standing.groups & named)


def subjects(plan: Plan) -> tuple[Subject, ...]:
    """What the policy looks at, each by itself: the change in its own pool, and in every other that it is about."""
    own = Subject(command=plan.command, risk=plan.risk, pool=plan.pool.name, tags=frozenset(plan.tags))
    return tuple(dict.fromkeys((own, *(each for other in plan.elsewhere for each in _there(plan, other)))))


def _objects(plan: Plan) -> Iterator[Subject]:
    """What it touches, one by one, where that is tagged differently."""
    for tags in plan.tags_of_each:
        yield Subject(command=plan.command, risk=plan.risk, pool=plan.pool.name, tags=frozenset(tags))


def _there(plan: Plan, other: Elsewhere) -> Iterator[Subject]:
    """Tags come along with what comes. They count with the other pool's own and without: a tag may make a rule milder,
    too.
    """
    for tags in (frozenset(other.tags), frozenset(other.tags) | frozenset(plan.tags)):
        yield Subject(command=plan.command, risk=plan.risk, pool=other.pool.name, tags=tags)


def frozen(rules: Rules, plan: Plan, now: datetime) -> tuple[Freeze, ...]:
    """The freezes that hold now in any of its pools."""
    return tuple(dict.fromkeys(freeze for each in subjects(plan) for freeze in rules.frozen(each, now)))


@dataclass(frozen=True, slots=True)
class Joint:
    """The terms of a change, read as one. `pools` are the configuration's names; `each` holds every pool's terms,
    `objects` those of what it touches one by one.
    """

    pools: tuple[str, ...]
    each: tuple[Terms, ...]
    objects: tuple[Terms, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that govern it."""
        return tuple(dict.fromkeys(terms.rule for terms in self._asking if terms.rule))

    @property
    def rule(self) -> str:
        """The same as one text; "" when none does."""
        return ", ".join(self.rules)

    @property
    def beyond_rules(self) -> bool:
        """Whether some of it is governed by no rule, but by what the policy says of everything."""
        return any(not terms.rule for terms in self._asking)

    @property
    def _asking(self) -> tuple[Terms, ...]:
        return (*self.each, *self.objects)

    @property
    def approvals(self) -> int | None:
        """None: the policy does not say, for one of the pools or objects, so the change is refused."""
        said = [terms.approvals for terms in self._asking]
        return None if None in said else max(each for each in said if each is not None)

    @property
    def self_approval(self) -> bool:
        return all(terms.self_approval for terms in self._asking)

    @property
    def expiry_seconds(self) -> int:
        return min(terms.expiry_seconds for terms in self._asking)

    @property
    def type_name(self) -> bool:
        return any(terms.type_name for terms in self._asking)

    @property
    def one_time_code(self) -> bool:
        return any(terms.one_time_code for terms in self._asking)

    @property
    def askers(self) -> tuple[People, ...]:
        """Whoever asks is among each of these: who may for one of its objects may not, by that, for the others."""
        return self._all(lambda terms: terms.askers)

    @property
    def approvers(self) -> tuple[People, ...]:
        """Whoever approves is among each of these, as for who asks."""
        return self._all(lambda terms: terms.approvers)

    def _all(self, whom: Callable[[Terms], People]) -> tuple[People, ...]:
        return tuple(dict.fromkeys(whom(terms) for terms in self._asking))


def terms_of(rules: Rules, plan: Plan) -> Joint:
    """The terms of a plan, by the policy as it is now."""
    return Joint(
        pools=tuple(dict.fromkeys(pool.name for pool in plan.pools if pool.name != EVERY_POOL)),
        each=tuple(dict.fromkeys(rules.terms(each) for each in subjects(plan))),
        objects=tuple(dict.fromkeys(rules.terms(each) for each in _objects(plan))),
    )


def is_among_all(actor: Actor, standing: Standing, named: Iterable[People]) -> bool:
    """Groups overlap without naming the same people, so this is asked of each by itself."""
    return all(is_among(actor, standing, each) for each in named)
