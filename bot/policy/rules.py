"""The policy as values: settings that hold for every change, rules that say otherwise for some, freezes that stop some
for a time.

Rules are tried in order and the first that matches governs; what it does not say, the policy's own settings say.
Freezes are apart from that order on purpose: each that matches holds, so that no rule in front can let a change slip
through one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from bot.model import Risk
from bot.policy.windows import Window

EVERYONE = "everyone"
"""In `readers`: every full member of the workspace (never guests, outsiders or the deactivated)."""

People = frozenset[str]
"""Slack users (`U…`, `W…`), user groups (`S…`), the members of channels (`C…`, `G…`), terminal logins (`os:name`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a change is, as far as the policy looks at it. `pool` is the configuration's name; `tags` are those of the
    objects that it touches and of their pool.
    """

    command: str
    risk: Risk
    pool: str
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which changes are meant; what is empty matches all. Commands and pools may hold `*`, `?` and `[…]`."""

    commands: tuple[str, ...] = ()
    risks: frozenset[Risk] = frozenset()
    pools: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    """Any one of these is enough."""

    def __call__(self, subject: Subject) -> bool:
        return self.but_for_tags(subject) and (not self.tags or bool(self.tags & subject.tags))

    def but_for_tags(self, subject: Subject) -> bool:
        return (
            (not self.commands or any(fnmatchcase(subject.command, each) for each in self.commands))
            and (not self.risks or subject.risk in self.risks)
            and (not self.pools or any(fnmatchcase(subject.pool, each) for each in self.pools))
        )

    def covers(self, other: Match) -> bool:
        """Surely matches whatever `other` matches. (It may do so without being seen to: then False.)"""
        return (
            _covers(self.commands, other.commands)
            and (not self.risks or (bool(other.risks) and other.risks <= self.risks))
            and _covers(self.pools, other.pools)
            and (not self.tags or (bool(other.tags) and other.tags <= self.tags))
        )


def _covers(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    if not mine or "*" in mine:
        return True
    return bool(theirs) and all(any(one == each or _globs(one, each) for one in mine) for each in theirs)


def _globs(one: str, other: str) -> bool:
    """`one` takes what `other` takes: surely so when `other` is a plain name, or longer than `one` before its `*`."""
    if not set(other) & set("*?["):
        return fnmatchcase(other, one)
    stem = one.removesuffix("*")
    return one.endswith("*") and not set(stem) & set("*?[") and other.startswith(stem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What differs for some changes. None is "as the policy says"."""

    name: str
    match: Match = Match()
    operators: People | None = None
    approvers: People | None = None
    approvals: int | None = None
    self_approval: bool | None = None
    expiry_seconds: int | None = None
    type_name: bool | None = None
    one_time_code: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Times in which changes stand still, except for those whom `override` names: they may ask even then."""

    name: str
    windows: tuple[Window, ...]
    match: Match = Match()
    override: People = frozenset()

    def ends(self, now: datetime) -> tuple[datetime, Window] | None:
        """When it will be over, and the window that says so; None when it does not hold now."""
        running = [(end, window) for window in self.windows if (end := window.ends(now))]
        return max(running, key=lambda each: each[0], default=None)

    def until(self, now: datetime) -> str:
        """The same in words; "" when it does not hold now."""
        found = self.ends(now)
        return f"{found[1].local(found[0])} {found[1].zone}" if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for one change: the governing rule's settings, completed from the policy's own."""

    rule: str
    """Its name; "" when no rule matches."""
    operators: People
    approvers: People
    approvals: int | None
    """None: the policy does not say, so the change is refused."""
    self_approval: bool
    expiry_seconds: int
    type_name: bool
    one_time_code: bool

    @property
    def askers(self) -> People:
        return self.operators | self.approvers


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The whole policy. `names` gives people of the configuration a name for sentences; it never decides anything."""

    operators: People
    approvers: People
    readers: People = frozenset()
    approvals: Mapping[Risk, int] = field(
        default_factory=lambda: {Risk.ROUTINE: 1, Risk.DISRUPTIVE: 1, Risk.DESTRUCTIVE: 2}
    )
    """How many different approvers each risk needs; 0 lets operators do it alone."""
    self_approval: bool = False
    emergency: People = frozenset()
    """Who may approve alone what they ask for, through every freeze, when they say that it is an emergency and why."""
    emergency_channel: str = ""
    """Channel id where emergencies are announced besides the request's own message; "" for nowhere."""
    expiry_seconds: int = 3600
    remind_in_private: bool = True
    """Before a request expires, those who could approve it are told so one by one, besides the thread."""
    type_name: frozenset[Risk] = frozenset()
    """Whoever approves such a change types the object's name first."""
    one_time_code: frozenset[Risk] = frozenset()
    """Whoever approves such a change gives a one-time code."""
    rules: tuple[Rule, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def watched_tags(self) -> frozenset[str]:
        """The tags that something depends on; others are of no interest."""
        matches = [*(rule.match for rule in self.rules), *(freeze.match for freeze in self.freezes)]
        return frozenset(tag for match in matches for tag in match.tags)

    @property
    def mentioned(self) -> People:
        """Everybody who is named anywhere."""
        own = (self.operators, self.approvers, self.readers, self.emergency)
        ruled = [people or People() for rule in self.rules for people in (rule.operators, rule.approvers)]
        return People().union(*own, *ruled, *(freeze.override for freeze in self.freezes))

    def governing(self, subject: Subject) -> Rule | None:
        return next((rule for rule in self.rules if rule.match(subject)), None)

    def terms(self, subject: Subject) -> Terms:
        return self.terms_of(self.governing(subject), subject.risk)

    def terms_of(self, rule: Rule | None, risk: Risk) -> Terms:
        """A rule's terms for a change of this risk; without a rule, the policy's own."""
        said = rule or Rule(name="")
        return Terms(
            rule=said.name,
            operators=self.operators if said.operators is None else said.operators,
            approvers=self.approvers if said.approvers is None else said.approvers,
            approvals=self.approvals.get(risk) if said.approvals is None else said.approvals,
            self_approval=self.self_approval if said.self_approval is None else said.self_approval,
            expiry_seconds=self.expiry_seconds if said.expiry_seconds is None else said.expiry_seconds,
            type_name=risk in self.type_name if said.type_name is None else said.type_name,
            one_time_code=risk in self.one_time_code if said.one_time_code is None else said.one_time_code,
        )

    def frozen(self, subject: Subject, now: datetime) -> tuple[Freeze, ...]:
        """The freezes that hold for it now."""
        return tuple(each for each in self.freezes if each.match(subject) and each.ends(now))
