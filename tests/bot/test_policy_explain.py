"""`policy explain`: the policy in words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

import commands
from bot.context import Asking
from bot.errors import NotFound
from bot.model import Level, Line, Lines, Place, Report, Risk
from bot.policy import EVERYONE, Book, Match, Names, Rule, Rules
from bot.registry import Registry
from commands import policy_explain
from tests.bot.policies import NOW, OLGA, PRODUCTION, ROUTINE, RULES, SATURDAY, WEEKEND

RULED = replace(RULES, rules=(PRODUCTION, ROUTINE), freezes=(WEEKEND,))


def explain(rules: Rules, risk: Risk = Risk.DISRUPTIVE, pool: str = "lab", now: datetime = NOW) -> tuple[Line, ...]:
    return Book(rules).explain("vm migrate", risk, pool, now)


def words(lines: tuple[Line, ...]) -> list[str]:
    return [f"{line.text} {line.detail}".strip() for line in lines]


def test_the_simple_policy() -> None:
    (line,) = words(explain(RULES))
    assert line.startswith(
        "Any: 1 approval. Those who may ask: ana (U0ANA), U0BEN, olga (U0OLGA) or the user group ops"
    )
    assert "Those who may approve: ana (U0ANA) or U0BEN. Nobody approves their own. A request waits 1 h." in line


def test_every_case_in_the_order_of_the_rules() -> None:
    tagged, rest, _several, freeze = words(explain(RULED))
    assert tagged.startswith("What is tagged prod (rule production): 2 approvals.")
    assert "the members of the channel C0LEADS" in tagged
    assert "the object's name is typed" in tagged
    assert rest.startswith("Anything else: 1 approval.")
    assert freeze.startswith("Not frozen now. weekend begins Fri 18:00 and holds until Mon 08:00 Europe/Amsterdam.")
    tagged, rest, _several = words(explain(RULED, Risk.ROUTINE))
    assert rest.startswith("Anything else (rule “routine in the lab”): no approval is needed.")
    # In another pool the second rule does not match.
    assert "rule" not in words(explain(RULED, Risk.ROUTINE, "prod"))[1]


def test_where_cases_differ_a_change_of_several_needs_people_who_are_entitled_in_each() -> None:
    tagged = replace(PRODUCTION, match=Match(tags=frozenset({"prod"})))
    whole = Rule(name="hosts", approvals=1)
    for rules in (replace(RULES, rules=(tagged,)), replace(RULES, rules=(tagged, whole))):
        *_, several = words(explain(rules))
        assert "each who approves, is among those who may in each of these cases" in several
    for rules in (RULES, replace(RULES, rules=(whole, tagged))):
        assert len(explain(rules)) == 1


def test_a_rule_without_tags_ends_the_list() -> None:
    only = replace(RULED, rules=(ROUTINE, PRODUCTION))
    (line,) = words(explain(only, Risk.ROUTINE))
    assert line.startswith("Any (rule “routine in the lab”)")


def test_a_freeze_that_holds_is_a_warning() -> None:
    *_, freeze = explain(RULED, now=SATURDAY)
    assert freeze.text == "Frozen now: weekend, until Mon 08:00 Europe/Amsterdam."
    assert freeze.detail == "Even then may ask: the user group S0ONCALL."
    assert freeze.level is Level.WARN


def test_what_changes_nothing_needs_nothing() -> None:
    (line,) = words(explain(RULED, Risk.READ))
    assert "It changes nothing." in line
    assert "ana (U0ANA)" in line
    (line,) = words(explain(replace(RULES, readers=frozenset({EVERYONE})), Risk.READ))
    assert "Every full member" in line


def test_a_risk_that_is_not_mentioned() -> None:
    (line,) = explain(replace(RULES, approvals={}))
    assert "refused" in line.text
    assert line.level is Level.BAD


def test_names_are_found_when_they_are_said() -> None:
    asked: list[str] = []

    def find(reference: str) -> str:
        asked.append(reference)
        return reference.lower()

    rules = replace(RULES, names=Names(find))
    assert asked == []
    assert "u0ana (U0ANA)" in words(explain(rules))[0]
    assert "U0ANA" in asked


# --- the command ------------------------------------------------------------------------------------------------------


def run(text: str, rules: Rules, pools: tuple[str, ...] = ("lab", "prod"), now: datetime = NOW) -> Report:
    given: dict[str, Any] = {
        "pools": tuple(SimpleNamespace(name=name) for name in pools),
        "configured": None,
        "history": None,
        "clock": SimpleNamespace(now=lambda: now),
    }
    with ThreadPoolExecutor(1) as readers:
        context = Asking(
            actor=OLGA,
            place=Place(kind="terminal"),
            commands=Registry.of_package(commands).help,
            policy=Book(rules),
            readers=readers,
            **given,
        )
        report = policy_explain.plan(policy_explain.Arguments(text), context)
        assert isinstance(report, Report)
        return report


def headings(report: Report) -> list[str]:
    return [part.heading for part in report.parts if isinstance(part, Lines)]


def test_pools_to_which_the_same_applies_are_told_together() -> None:
    assert headings(run("vm migrate", RULES)) == ["In lab and prod"]
    narrow = replace(RULED, rules=(replace(PRODUCTION, match=replace(PRODUCTION.match, pools=("prod",))),))
    assert headings(run("vm migrate", narrow)) == ["In lab", "In prod"]
    assert headings(run("vm migrate", RULES, ())) == [""]


@pytest.mark.parametrize("typed", ["vm migrate", "migrate vm", "VM Migrate", "vm migrate web-1 to xs2"])
def test_a_command_is_known_in_any_spelling(typed: str) -> None:
    assert run(typed, RULES).title == "The policy for “vm migrate”"


def test_an_unknown_command_is_offered_near_ones() -> None:
    with pytest.raises(NotFound) as raised:
        run("vm migrat", RULES)
    assert "policy explain vm migrate" in [choice.command for choice in raised.value.choices]


def test_a_freeze_shows_at_the_top() -> None:
    assert run("vm migrate", RULED, now=SATURDAY).level is Level.WARN
    assert run("vm migrate", RULED).level is Level.INFO
