"""A change of two pools: the policy is never milder about it than about the same change of either pool alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import policy
from bot.errors import Denied
from bot.model import Actor, Ballot, Elsewhere, ObjectId, Plan, Request, Requirement, Risk
from bot.policy import Freeze, Match, Rule, Rules, Window
from bot.policy.decide import held, stricter
from bot.ports import Standing
from tests.bot.policies import ANA, BEN, MEMBER, NOW, OLGA, RULES, SAM, SATURDAY, plan, request

PROD = ObjectId("pool", "uuid-prod", "prod")
CREW = (OLGA, ANA, BEN, SAM)
IDS = tuple(each.id.rpartition("/")[2] for each in CREW)


def there(*tags: str) -> tuple[Elsewhere, ...]:
    return (Elsewhere(pool=PROD, tags=tags),)


MOVE = plan(elsewhere=there())
OF_PROD = Match(pools=("prod",))


def denied(raised: pytest.ExceptionInfo[Denied]) -> str:
    error = raised.value
    return f"{error.message} {error.remedy}"


# --- each thing that a pool can ask for -------------------------------------------------------------------------------


def test_the_most_approvals_the_shortest_wait_and_every_proof_are_asked_for() -> None:
    theirs = Rule(name="prod", match=OF_PROD, approvals=2, expiry_seconds=60, type_name=True, one_time_code=True)
    rules = replace(RULES, rules=(theirs,))
    asked = policy.requirement(rules, OLGA, MEMBER, MOVE, NOW)
    assert (asked.approvals, asked.expires_seconds, asked.one_time_code) == (2, 60, True)
    assert asked.type_name == "web-1"
    assert asked.rule == "prod"
    assert asked.who == (
        "2 different approvers for both lab and prod, each entitled both under the rule prod and under the policy"
        " itself, other than the person who asks"
    )


def test_who_asks_may_ask_in_both() -> None:
    rules = replace(RULES, rules=(Rule(name="prod", match=OF_PROD, operators=frozenset({"U0SAM"})),))
    for actor in (OLGA, SAM):
        with pytest.raises(Denied) as raised:
            policy.requirement(rules, actor, MEMBER, MOVE, NOW)
        assert "whoever is among both" in denied(raised)
    policy.requirement(rules, ANA, MEMBER, MOVE, NOW)


def test_groups_that_share_a_person_without_sharing_a_name_do() -> None:
    rules = replace(RULES, rules=(Rule(name="prod", match=OF_PROD, operators=frozenset({"S0PROD"})),))
    policy.requirement(rules, OLGA, Standing(member=True, groups=frozenset({"S0PROD"})), MOVE, NOW)


def test_who_approves_may_approve_in_both() -> None:
    rules = replace(RULES, rules=(Rule(name="prod", match=OF_PROD, approvers=frozenset({"U0BEN", "U0SAM"})),))
    for actor in (ANA, SAM):
        with pytest.raises(Denied) as raised:
            policy.may_vote(rules, actor, MEMBER, request(MOVE), Ballot.APPROVE, NOW)
        assert "whoever is among both" in denied(raised)
        with pytest.raises(Denied):
            policy.may_withdraw(rules, actor, MEMBER, request(MOVE))
        with pytest.raises(Denied):
            policy.may_settle(rules, actor, MEMBER, request(MOVE))
    policy.may_vote(rules, BEN, MEMBER, request(MOVE), Ballot.APPROVE, NOW)
    assert policy.to_remind(rules, request(MOVE)) == (RULES.approvers, frozenset({"U0BEN", "U0SAM"}))


def test_nobody_approves_their_own_where_one_of_the_pools_forbids_it() -> None:
    rules = replace(RULES, self_approval=True, rules=(Rule(name="prod", match=OF_PROD, self_approval=False),))
    mine = replace(request(MOVE), actor=ANA)
    with pytest.raises(Denied, match="asked for this yourself"):
        policy.may_vote(rules, ANA, MEMBER, mine, Ballot.APPROVE, NOW)


def test_a_freeze_of_either_pool_holds() -> None:
    weekend = Freeze(name="prod rests", windows=(Window.parse("Sat 00:00 – Mon 00:00 UTC"),), match=OF_PROD)
    rules = replace(RULES, freezes=(weekend,))
    policy.requirement(rules, OLGA, MEMBER, plan(), SATURDAY)
    with pytest.raises(Denied, match="prod rests"):
        policy.requirement(rules, OLGA, MEMBER, MOVE, SATURDAY)
    with pytest.raises(Denied, match="prod rests"):
        policy.may_vote(rules, ANA, MEMBER, request(MOVE), Ballot.APPROVE, SATURDAY)
    assert "prod rests" in held(rules, request(MOVE), SATURDAY)


def test_what_a_pool_wants_by_now_makes_an_approval_stale() -> None:
    rules = replace(RULES, rules=(Rule(name="prod", match=OF_PROD, approvals=3),))
    assert stricter(rules, request(MOVE)) == ("it takes 3 approvals now",)


def test_silence_about_one_of_the_pools_refuses() -> None:
    silent = replace(RULES, approvals={}, rules=(Rule(name="lab", match=Match(pools=("lab",)), approvals=0),))
    assert policy.requirement(silent, OLGA, MEMBER, plan(), NOW).approvals == 0
    with pytest.raises(Denied, match="says nothing"):
        policy.requirement(silent, OLGA, MEMBER, MOVE, NOW)


def test_a_tag_comes_along_and_never_makes_the_other_pool_s_rules_milder() -> None:
    strict = Rule(name="payments", match=Match(pools=("prod",), tags=frozenset({"pci"})), approvals=3)
    mild = Rule(name="tests", match=Match(tags=frozenset({"test"})), approvals=0)
    rules = replace(RULES, rules=(strict, mild))
    assert policy.requirement(rules, OLGA, MEMBER, plan(tags=("pci",), elsewhere=there()), NOW).approvals == 3
    assert policy.requirement(rules, OLGA, MEMBER, plan(tags=("test",), elsewhere=there()), NOW).approvals == 1
    assert policy.requirement(rules, OLGA, MEMBER, plan(tags=("test",)), NOW).approvals == 0


# --- whatever the rules are -------------------------------------------------------------------------------------------

people = st.frozensets(st.sampled_from(IDS), min_size=1, max_size=3)
tags = st.frozensets(st.sampled_from(("a", "b")), max_size=2)
matches = st.builds(
    Match,
    pools=st.sampled_from(((), ("lab",), ("prod",), ("lab", "prod"))),
    tags=tags,
    risks=st.sampled_from((frozenset(), frozenset({Risk.DISRUPTIVE}), frozenset({Risk.ROUTINE}))),
)
maybe = st.none() | st.booleans()
ruled = st.builds(
    Rule,
    name=st.sampled_from(("one", "two", "three")),
    match=matches,
    operators=st.none() | people,
    approvers=st.none() | people,
    approvals=st.none() | st.integers(0, 3),
    self_approval=maybe,
    expiry_seconds=st.none() | st.integers(60, 600),
    type_name=maybe,
    one_time_code=maybe,
)
WEEK = (Window.parse("Mon 00:00 – Sun 23:59 UTC"),)
freezes = st.builds(Freeze, name=st.just("freeze"), windows=st.just(WEEK), match=matches, override=people)
policies = st.builds(
    Rules,
    operators=people,
    approvers=people,
    approvals=st.sampled_from(({}, {Risk.DISRUPTIVE: 1}, {Risk.DISRUPTIVE: 2})),
    self_approval=st.booleans(),
    emergency=st.just(frozenset()) | people,
    rules=st.lists(ruled, max_size=4).map(tuple),
    freezes=st.just(()) | freezes.map(lambda each: (each,)),
)


def granted(call: Any, *arguments: Any) -> Any:
    """What it answers; None when it is denied."""
    try:
        return call(*arguments) or True
    except Denied:
        return None


@settings(max_examples=400, deadline=None)
@given(policies, tags, tags, st.sampled_from(CREW), st.sampled_from(CREW), st.sampled_from(("", "the building burns")))
def test_two_pools_are_never_easier_than_either_alone(
    rules: Rules, here: frozenset[str], far: frozenset[str], asker: Actor, voter: Actor, emergency: str
) -> None:
    own, other = plan(tags=tuple(sorted(here))), plan(pool=PROD, tags=tuple(sorted(far)))
    both = replace(own, elsewhere=there(*sorted(far)))
    now: datetime = NOW
    asked = granted(policy.requirement, rules, asker, MEMBER, both, now, emergency)
    for alone in (own, other):
        least = granted(policy.requirement, rules, asker, MEMBER, alone, now, emergency)
        if asked is not None:
            assert isinstance(least, Requirement)
            assert asked.approvals >= least.approvals
            assert asked.expires_seconds <= least.expires_seconds
            assert asked.type_name or not least.type_name
            assert asked.one_time_code or not least.one_time_code
            assert set(asked.overrides) >= set(least.overrides)
        of_both, of_one = (replace(_asked_by(each, asker), requirement=_middling()) for each in (both, alone))
        decisions: tuple[Callable[[Request], Any], ...] = (
            lambda each: granted(policy.may_vote, rules, voter, MEMBER, each, Ballot.APPROVE, now),
            lambda each: granted(policy.may_vote, rules, voter, MEMBER, each, Ballot.REJECT, now),
            lambda each: granted(policy.may_withdraw, rules, voter, MEMBER, each),
            lambda each: granted(policy.may_settle, rules, voter, MEMBER, each),
        )
        for decision in decisions:
            assert decision(of_both) is None or decision(of_one) is not None
        assert stricter(rules, of_both) or not stricter(rules, of_one)
        assert held(rules, of_both, now) or not held(rules, of_one, now)


def _asked_by(of: Plan, actor: Actor) -> Request:
    return replace(request(of), actor=actor)


def _middling() -> Requirement:
    return Requirement(approvals=1, who="", expires_seconds=60)
