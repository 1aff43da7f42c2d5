"""What is odd in a policy, though it can be read: rules that are never reached, approvals that nobody can give."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import policy
from bot.model import Risk
from bot.policy import Freeze, Match, Rule, Rules
from tests.bot.policies import NOW, RULED, RULES, WEEKEND


def odd(rules: Rules, **options: object) -> list[str]:
    return [f"{'.'.join(map(str, each.where))}: {each.text}" for each in policy.oddities(rules, NOW, **options)]  # type: ignore[arg-type]


def test_a_sound_policy_has_nothing_odd() -> None:
    three = replace(RULED, approvers=frozenset({"U0ANA", "U0BEN", "U0CARL"}))
    assert odd(three) == []


@pytest.mark.parametrize(
    ("first", "second", "reached"),
    [
        (Match(), Match(commands=("vm *",)), False),
        (Match(commands=("vm *",)), Match(commands=("vm migrate",)), False),
        (Match(commands=("vm *",)), Match(commands=("vm m*",)), False),
        (Match(commands=("vm m*",)), Match(commands=("vm *",)), True),
        (Match(commands=("vm *",)), Match(), True),
        (Match(commands=("vm *",)), Match(commands=("vm migrate", "host *")), True),
        (Match(risks=frozenset({Risk.ROUTINE})), Match(risks=frozenset({Risk.ROUTINE}), pools=("lab",)), False),
        (Match(risks=frozenset({Risk.ROUTINE})), Match(), True),
        (Match(tags=frozenset({"a", "b"})), Match(tags=frozenset({"a"})), False),
        (Match(tags=frozenset({"a"})), Match(tags=frozenset({"a", "b"})), True),
        (Match(tags=frozenset({"a"})), Match(), True),
        (Match(pools=("*",)), Match(), False),
    ],
)
def test_a_rule_that_is_never_reached_is_found(first: Match, second: Match, reached: bool) -> None:
    rules = (Rule(name="one", match=first, approvals=1), Rule(name="two", match=second, self_approval=True))
    found = [each for each in odd(replace(RULES, rules=rules)) if "never reached" in each]
    assert found == (
        [] if reached else ["policy.rules.1: rule two is never reached: one before it matches all that it matches"]
    )


def test_approvals_that_nobody_can_give_are_found() -> None:
    alone = Rule(name="alone", approvers=frozenset({"U0ANA"}), approvals=2)
    assert any("2 approvals can never be reached by 1 approver" in each for each in odd(replace(RULES, rules=(alone,))))
    grouped = replace(alone, approvers=frozenset({"U0ANA", "S0OPS"}))
    assert not any("rules.0" in each for each in odd(replace(RULES, rules=(grouped,))))
    # Two approvers, two approvals, and one of the two may ask.
    assert any("can never be approved" in each and each.startswith("policy:") for each in odd(RULES))


@pytest.mark.parametrize(
    ("approvers", "tags", "said"),
    [
        ({"U0DEV", "U0EVE"}, {"dev"}, True),
        ({"U0DEV", "U0ANA"}, {"dev"}, False),
        ({"S0DEVS"}, {"dev"}, False),
        ({"U0DEV", "U0EVE"}, set(), False),
        (None, {"dev"}, False),
    ],
    ids=["others", "one of both", "a group, of whom nobody knows here", "by no tag", "the policy's own"],
)
def test_people_who_decide_about_some_objects_and_not_about_the_rest_are_found(
    approvers: set[str] | None, tags: set[str], said: bool
) -> None:
    rule = Rule(
        name="tests",
        match=Match(tags=frozenset(tags), risks=frozenset({Risk.DISRUPTIVE})),
        approvers=None if approvers is None else frozenset(approvers),
        approvals=1,
    )
    assert any("a change of both" in each for each in odd(replace(RULES, rules=(rule,)))) is said


def test_other_oddities_are_found() -> None:
    lax = replace(RULES, approvals={Risk.ROUTINE: 0, Risk.DESTRUCTIVE: 0}, type_name=frozenset({Risk.DESTRUCTIVE}))
    found = "\n".join(odd(lax))
    assert "destructive changes need nobody's approval" in found
    assert "says nothing about disruptive changes" in found
    assert "a step-up is asked of approvers" in found
    idle = replace(RULES, rules=(Rule(name="idle", match=Match(pools=("lab",))),))
    assert any("rule idle says nothing that differs" in each for each in odd(idle))
    old = Freeze(name="old", windows=(policy.Window.parse("2020-01-01 00:00 – 2020-01-02 00:00 UTC"),))
    assert "policy.freezes.0: freeze old is over" in odd(replace(RULES, freezes=(old,)))
    strange = replace(WEEKEND, override=frozenset({"U0SAM"}))
    plain = replace(RULES, operators=frozenset({"U0OLGA"}))
    assert any("none of those who may override" in each for each in odd(replace(plain, freezes=(strange,))))
    coded = replace(RULES, one_time_code=frozenset({Risk.DISRUPTIVE}))
    assert any(
        "U0BEN" in each and "U0ANA" not in each
        for each in odd(coded, has_code={"U0ANA"}.__contains__)
        if "code" in each
    )
