"""What is odd about a policy: nothing here is a mistake that must be refused, and all of it is worth a look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.model import Risk
from bot.policy.rules import Rule, Rules
from bot.text import plural, quoted


@dataclass(frozen=True, slots=True)
class Oddity:
    """`where` is the path of the setting in the configuration, as pydantic gives it."""

    where: tuple[str | int, ...]
    text: str


CHANGES: tuple[Risk, ...] = (Risk.ROUTINE, Risk.DISRUPTIVE, Risk.DESTRUCTIVE)


def oddities(rules: Rules, now: datetime, has_code: Callable[[str], bool] = lambda _: True) -> Iterator[Oddity]:
    """`has_code` says of a Slack user whether a one-time code is set up."""
    for risk in CHANGES:
        yield from _terms(rules, None, risk, ("policy",), f"{risk} changes")
    for number, rule in enumerate(rules.rules):
        where = ("policy", "rules", number)
        name = f"rule {quoted(rule.name)}"
        earlier = next((each for each in rules.rules[:number] if each.match.covers(rule.match)), None)
        if earlier is not None:
            yield Oddity(
                where, f"{name} is never reached: {quoted(earlier.name)} before it matches all that it matches"
            )
            continue
        if _says_nothing(rule):
            yield Oddity(where, f"{name} says nothing that differs from the policy's own settings")
        seen = set()
        for risk in sorted(rule.match.risks or CHANGES):
            for odd in _terms(rules, rule, risk, where, name):
                if odd.text not in seen:
                    seen.add(odd.text)
                    yield odd
        if rule.match.tags and _nobody_beside(rules, rule):
            yield Oddity(
                where,
                f"{name}: too few people approve both this and what has none of its tags, so a change of both, as of a"
                " host with its VMs, cannot be approved: name them in both, or put a rule for such commands without"
                " tags before it",
            )
    yield from _codes(rules, has_code)
    for number, freeze in enumerate(rules.freezes):
        where = ("policy", "freezes", number)
        if all(window.is_over(now) for window in freeze.windows):
            yield Oddity(where, f"freeze {quoted(freeze.name)} is over")
        if freeze.override and not freeze.override & _askers(rules) and not _groups(freeze.override | _askers(rules)):
            yield Oddity(where, f"freeze {quoted(freeze.name)}: none of those who may override it may ask for changes")


def _says_nothing(rule: Rule) -> bool:
    said = (rule.operators, rule.approvers, rule.approvals, rule.self_approval, rule.expiry_seconds)
    return all(each is None for each in (*said, rule.type_name, rule.one_time_code))


def _terms(rules: Rules, rule: Rule | None, risk: Risk, where: tuple[str | int, ...], name: str) -> Iterator[Oddity]:
    terms = rules.terms_of(rule, risk)
    if terms.approvals is None:
        yield Oddity(where, f"{name}: approvals says nothing about {risk} changes, so they are refused")
        return
    if terms.approvals == 0:
        if risk is Risk.DESTRUCTIVE:
            yield Oddity(where, f"{name}: destructive changes need nobody's approval")
        if terms.type_name or terms.one_time_code:
            yield Oddity(where, f"{name}: a step-up is asked of approvers, but no approval is needed")
        return
    if _groups(terms.approvers):
        return  # how many they are, is not in the file
    count = len(terms.approvers)
    if count < terms.approvals:
        yield Oddity(
            where,
            f"{name}: {plural(terms.approvals, 'approval')} can never be reached by {plural(count, 'approver')}",
        )
    elif count == terms.approvals and terms.approvers and not terms.self_approval:
        yield Oddity(where, f"{name}: what one of its {plural(count, 'approver')} asks for can never be approved")


def _nobody_beside(rules: Rules, rule: Rule) -> bool:
    """Are there surely too few who may approve what the rule is about together with what no rule is about?"""
    for risk in sorted(rule.match.risks or CHANGES):
        own, others = rules.terms_of(rule, risk), rules.terms_of(None, risk)
        wanted = max(own.approvals or 0, others.approvals or 0)
        if _groups(own.approvers | others.approvers):
            continue
        if own.approvers != others.approvers and len(own.approvers & others.approvers) < wanted:
            return True
    return False


def _groups(named: frozenset[str]) -> bool:
    return any(each[:1] in ("S", "C", "G") for each in named)


def _askers(rules: Rules) -> frozenset[str]:
    return frozenset().union(*(rules.terms_of(rule, risk).askers for rule in (None, *rules.rules) for risk in CHANGES))


def _codes(rules: Rules, has_code: Callable[[str], bool]) -> Iterator[Oddity]:
    """Approvers who are asked for a code that they cannot have."""
    for number, rule in ((None, None), *enumerate(rules.rules)):
        risks = (rule.match.risks if rule else None) or CHANGES
        asked = [terms for terms in (rules.terms_of(rule, risk) for risk in risks) if terms.one_time_code]
        lacking = sorted(
            {each for terms in asked for each in terms.approvers if each[:1] in "UW" and not has_code(each)}
        )
        if lacking:
            where: tuple[str | int, ...] = ("policy",) if number is None else ("policy", "rules", number)
            yield Oddity(where, f"no one-time code is set up for {', '.join(lacking)}, who could not approve")
