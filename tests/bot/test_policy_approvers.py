"""Whom a request waits for, as its card says it, where several rules govern it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot import policy
from bot.policy import Match, Rule
from tests.bot.policies import MEMBER, NOW, OLGA, RULES, plan


def said_of(tags_of_each: tuple[tuple[str, ...], ...], **changes: Any) -> str:
    """Whom a change of what is tagged so waits for, with a rule for each of three tags."""
    tagged = tuple(Rule(name=f"of {tag}", match=Match(tags=frozenset({tag})), **changes) for tag in ("a", "b", "c"))
    every = tuple(sorted({tag for tags in tags_of_each for tag in tags}))
    of = plan(tags=every, tags_of_each=tags_of_each)
    return policy.requirement(replace(RULES, rules=tagged), OLGA, MEMBER, of, NOW).who


@pytest.mark.parametrize(
    ("tags_of_each", "changes", "who"),
    [
        pytest.param((("a",),), {}, "an approver of the rule “of a” other than the person who asks", id="one"),
        pytest.param(
            (("a",), ("b",)),
            {},
            "an approver entitled under both of the rules “of a” and “of b”, other than the person who asks",
            id="two",
        ),
        pytest.param(
            (("a",), ("b",)),
            {"approvals": 2, "self_approval": True},
            "2 different approvers, each entitled under both of the rules “of a” and “of b”",
            id="two-approvals",
        ),
        pytest.param(
            (("a",), ("b",), ("c",), ()),
            {},
            "an approver entitled under each of the rules “of a”, “of b” and “of c” and under the policy itself,"
            " other than the person who asks",
            id="three-and-none",
        ),
        pytest.param(
            (("a",), ()),
            {},
            "an approver entitled both under the rule “of a” and under the policy itself, other than the person who"
            " asks",
            id="one-and-none",
        ),
    ],
)
def test_of_several_rules_it_is_said_that_each_approver_is_entitled_by_all(
    tags_of_each: tuple[tuple[str, ...], ...], changes: dict[str, Any], who: str
) -> None:
    assert said_of(tags_of_each, **changes) == who
