"""The policy in words: what `policy explain` says, and what denials call people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.model import Level, Line, Risk
from bot.policy.joint import Joint
from bot.policy.rules import EVERYONE, Freeze, People, Rule, Rules, Subject
from bot.text import duration, joined, plural, quoted


class Names(Mapping[str, str]):
    """What people are called, found out when it is said: asking Slack for everybody at the start would take long."""

    def __init__(self, find: Callable[[str], str]) -> None:
        self._find = find

    def __getitem__(self, reference: str) -> str:
        return self._find(reference)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def person(rules: Rules, reference: str) -> str:
    """What to call somebody whom the configuration names by an id."""
    if reference == EVERYONE:
        return "every full member of the workspace"
    name = rules.names.get(reference, "")
    known = f"{name} ({reference})" if name and name != reference else reference
    if reference.startswith("S"):
        return f"the user group {known}"
    if reference[:1] in ("C", "G"):
        return f"the members of the channel {known}"
    return f"the login {reference.removeprefix('os:')}" if reference.startswith("os:") else known


def people(rules: Rules, references: Iterable[str], last: str = "or") -> str:
    """Them all, in a sentence; "nobody" for none. Groups come last."""
    ordered = sorted(references, key=lambda each: (each[:1] not in ("U", "W"), each))
    if not ordered:
        return "nobody"
    named = [person(rules, each) for each in ordered[:8]]
    if len(ordered) > len(named):
        named.append(f"{len(ordered) - len(named)} more")
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} {last} {named[-1]}"


def everybody_of(rules: Rules, each: Sequence[People]) -> str:
    """Those who are among each of these, in a sentence."""
    if len(each) == 1:
        return people(rules, each[0])
    of = "both" if len(each) == 2 else f"all {len(each)}"
    return f"whoever is among {of}: {'; '.join(people(rules, named) for named in each)}"


def approvers(terms: Joint, approvals: int) -> str:
    """Whom a request waits for that takes so many approvals, as its card says it: each of them is entitled by every
    rule that is named, not one by each.
    """
    who = "an approver" if approvals == 1 else f"{approvals} different approvers"
    if len(terms.pools) > 1:
        who += f" for {'both' if len(terms.pools) == 2 else 'each of'} {joined(terms.pools)}"
    others = "" if terms.self_approval else " other than the person who asks"
    if not terms.rules:
        return f"{who}{others}"
    if len(terms.rules) == 1 and not terms.beyond_rules:
        return f"{who} of the rule {joined(terms.rules)}{others}"
    each = "" if approvals == 1 else ", each"
    return f"{who}{each} entitled {_under(terms)}{others and ','}{others}"


def _under(terms: Joint) -> str:
    """By what whoever approves is entitled, where that is more than one rule."""
    named = joined(terms.rules, limit=4)
    if len(terms.rules) == 1:
        return f"both under the rule {named} and under the policy itself"
    under = f"under {'both' if len(terms.rules) == 2 else 'each'} of the rules {named}"
    return f"{under} and under the policy itself" if terms.beyond_rules else under


def explain(rules: Rules, what: Subject, now: datetime) -> tuple[Line, ...]:
    """What applies to a command in a pool now. Where it depends on tags, every case is told, in the order in which the
    rules are tried.
    """
    if what.risk is Risk.READ:
        return (Line(text=f"It changes nothing. {_readers(rules)}"),)
    return (*_cases(rules, what), *_freezes(rules, what, now), *_emergencies(rules))


def _emergencies(rules: Rules) -> Iterator[Line]:
    if rules.emergency:
        yield Line(
            text='In an emergency (… emergency "why"): one approval, which may be that of the person who asks.',
            detail=f"Those who may: {people(rules, rules.emergency)}.",
        )


def _readers(rules: Rules) -> str:
    if EVERYONE in rules.readers:
        return "Every full member of the workspace may use it; guests and outsiders may not."
    return f"Those who may use it: {people(rules, rules.mentioned)}."


def _cases(rules: Rules, what: Subject) -> Iterator[Line]:
    reachable = [rule for rule in rules.rules if rule.match.but_for_tags(what)]
    told = False
    for rule in reachable:
        tagged = f"tagged {joined(sorted(rule.match.tags), last='or')}" if rule.match.tags else ""
        case = f"What is {tagged}" if tagged and not told else f"Else, what is {tagged}" if tagged else _else(told)
        yield _case(rules, rule, what, case)
        if not tagged:
            break
        told = True
    else:
        yield _case(rules, None, what, _else(told))
    if told:
        yield _SEVERAL


_SEVERAL = Line(
    text="A change of objects of different cases takes what the strictest of them takes.",
    detail="Who asks, and each who approves, is among those who may in each of these cases.",
)


def _else(told: bool) -> str:
    return "Anything else" if told else "Any"


def _case(rules: Rules, rule: Rule | None, what: Subject, case: str) -> Line:
    terms = rules.terms_of(rule, what.risk)
    by = f" (rule {quoted(rule.name)})" if rule else ""
    if terms.approvals is None:
        return Line(text=f"{case}{by}: refused, the policy says nothing about {what.risk} changes.", level=Level.BAD)
    asks = f"Those who may ask: {people(rules, terms.askers)}."
    if not terms.approvals:
        typed = ", but for one where a name has to be typed" if what.risk is Risk.DESTRUCTIVE else ""
        return Line(text=f"{case}{by}: no approval is needed{typed}.", detail=asks)
    mine = "They may approve what they asked for themselves." if terms.self_approval else "Nobody approves their own."
    parts = [
        asks,
        f"Those who may approve: {people(rules, terms.approvers)}. {mine}",
        f"A request waits {duration(terms.expiry_seconds)}.",
        *(["To approve, the object's name is typed."] if terms.type_name else []),
        *(["To approve, a one-time code is given."] if terms.one_time_code else []),
    ]
    return Line(text=f"{case}{by}: {plural(terms.approvals, 'approval')}.", detail=" ".join(parts))


def _freezes(rules: Rules, what: Subject, now: datetime) -> Iterator[Line]:
    for freeze in rules.freezes:
        if not freeze.match.but_for_tags(what):
            continue
        whose = f" for what is tagged {joined(sorted(freeze.match.tags), last='or')}" if freeze.match.tags else ""
        spared = (
            f"Even then may ask: {people(rules, freeze.override)}." if freeze.override else "Nobody may override it."
        )
        until = freeze.until(now)
        if until:
            yield Line(
                text=f"Frozen now{whose}: {quoted(freeze.name)}, until {until}.", level=Level.WARN, detail=spared
            )
        elif following := _next(freeze, now):
            yield Line(text=f"Not frozen now{whose}. {quoted(freeze.name)} begins {following}.", detail=spared)


def _next(freeze: Freeze, now: datetime) -> str:
    coming = [(begin, window) for window in freeze.windows if (begin := window.begins(now))]
    if not coming:
        return ""
    begin, window = min(coming, key=lambda each: each[0])
    return f"{window.local(begin)} and holds until {replace(freeze, windows=(window,)).until(begin)}"
