"""The policy's sections of the configuration, and the values that they become."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from bot.config.section import Section, setting
from bot.model import Risk
from bot.policy import EVERYONE, Freeze, Match, Rule, Rules, Window

ChangeRisk = Literal["routine", "disruptive", "destructive"]
DEFAULT_APPROVALS: dict[ChangeRisk, int] = {"routine": 1, "disruptive": 1, "destructive": 2}

_PERSON = re.compile(r"[UWSCG][A-Z0-9]{2,}\Z|os:[\w.-]+\Z")
_EXPIRY = {"ge": 1, "le": 7 * 24 * 60}


def _person(name: str) -> str:
    if not _PERSON.match(name):
        raise ValueError(
            f"“{name}” is nobody: people are Slack users (U…), user groups (S…), members of a channel (C…), or a login "
            "as “os:name”"
        )
    return name


def _reader(name: str) -> str:
    return name if name == EVERYONE else _person(name)


def _window(text: str) -> str:
    Window.parse(text)
    return text


def _some(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts:
        raise ValueError("a freeze needs at least one window of time")
    return texts


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Person = Annotated[str, AfterValidator(_person)]
Reader = Annotated[str, AfterValidator(_reader)]
WindowText = Annotated[str, AfterValidator(_window)]
Approvals = Annotated[int, Field(ge=0, le=10)]
Text = Annotated[str, Field(min_length=1, max_length=80)]


class MatchSection(Section):
    """Which changes are meant; what is left out matches all."""

    commands: tuple[Text, ...] = setting("Commands, as `vm migrate` or `vm *`.", ())
    risks: frozenset[ChangeRisk] = setting("Risks of changes.", frozenset())
    pools: tuple[Text, ...] = setting("Pools, as the configuration names them, or as `lab-*`.", ())
    tags: frozenset[Text] = setting(
        "Tags (any of them) of the objects that are touched, or of their pool.", frozenset()
    )

    def match(self) -> Match:
        risks = frozenset(Risk(risk) for risk in self.risks)
        return Match(commands=self.commands, risks=risks, pools=self.pools, tags=self.tags)


class RuleSection(MatchSection):
    """A rule for some changes. The first rule that matches governs; what it leaves out is as the policy says."""

    name: Text = setting("What people call the rule.")
    operators: frozenset[Person] | None = setting("Who may ask for these changes.", None)
    approvers: frozenset[Person] | None = setting("Who may approve them (and ask for them).", None)
    approvals: Approvals | None = setting("How many different approvers these changes need; 0: none.", None)
    self_approval: bool | None = setting("May people approve what they asked for themselves?", None)
    expiry_minutes: int | None = setting("How long a request waits for a decision.", None, **_EXPIRY)
    type_name: bool | None = setting("Whoever approves types the object's name first.", None)
    one_time_code: bool | None = setting("Whoever approves gives a one-time code.", None)

    def rule(self) -> Rule:
        return Rule(
            name=self.name,
            match=self.match(),
            operators=self.operators,
            approvers=self.approvers,
            approvals=self.approvals,
            self_approval=self.self_approval,
            expiry_seconds=None if self.expiry_minutes is None else self.expiry_minutes * 60,
            type_name=self.type_name,
            one_time_code=self.one_time_code,
        )


class FreezeSection(MatchSection):
    """Times in which changes stand still. Every freeze that matches holds, whatever rule governs."""

    name: Text = setting("What people call it.")
    when: Annotated[tuple[WindowText, ...], BeforeValidator(_listed), AfterValidator(_some)] = setting(
        "When: `Fri 18:00 – Mon 08:00 Europe/Amsterdam` every week, or once, with dates. One or several."
    )
    override: frozenset[Person] = setting("Who may ask for such changes even then.", frozenset())

    def freeze(self) -> Freeze:
        windows = tuple(Window.parse(text) for text in self.when)
        return Freeze(name=self.name, windows=windows, match=self.match(), override=self.override)


class PolicySection(Section):
    """Who may do what. People are Slack users (`U…`), user groups (`S…`) or the members of a channel (`C…`)."""

    operators: frozenset[Person] = setting("People who may ask for changes.")
    approvers: frozenset[Person] = setting("People who may approve them (and ask for them).")
    readers: frozenset[Reader] = setting(
        "People who may look besides; `everyone` is every full member of the workspace.", frozenset()
    )
    approvals: dict[ChangeRisk, Approvals] = setting(
        "How many different approvers each risk needs; 0: none.", dict(DEFAULT_APPROVALS)
    )
    self_approval: bool = setting("May people approve what they asked for themselves?", False)
    emergency: frozenset[Person] = setting(
        'People who may break the glass: with `emergency "why"` at the end of a command they may approve alone what '
        "they ask for, also in a freeze. Typed names and one-time codes are asked for all the same.",
        frozenset(),
    )
    emergency_channel: str = setting(
        "Channel id where emergencies are announced, besides the request's own message.",
        "",
        pattern=r"^([CG][A-Z0-9]+)?$",
    )
    expiry_minutes: int = setting("How long a request waits for a decision.", 60, **_EXPIRY)
    remind_in_private: bool = setting(
        "Before a request expires, those who could approve it are told so in a direct message, up to 15 people.", True
    )
    type_name: frozenset[ChangeRisk] = setting(
        "Risks at which whoever approves types the object's name first.", frozenset({"destructive"})
    )
    one_time_code: frozenset[ChangeRisk] = setting(
        "Risks at which whoever approves gives a one-time code (see `people`).", frozenset()
    )
    rules: tuple[RuleSection, ...] = setting("What differs for some changes; the first that matches governs.", ())
    freezes: tuple[FreezeSection, ...] = setting("Times in which changes stand still.", ())

    def values(self) -> Rules:
        return Rules(
            operators=self.operators,
            approvers=self.approvers,
            readers=self.readers,
            approvals={Risk(risk): count for risk, count in self.approvals.items()},
            self_approval=self.self_approval,
            emergency=self.emergency,
            emergency_channel=self.emergency_channel,
            expiry_seconds=self.expiry_minutes * 60,
            remind_in_private=self.remind_in_private,
            type_name=frozenset(Risk(risk) for risk in self.type_name),
            one_time_code=frozenset(Risk(risk) for risk in self.one_time_code),
            rules=tuple(each.rule() for each in self.rules),
            freezes=tuple(each.freeze() for each in self.freezes),
        )

    def named(self) -> Iterator[tuple[tuple[str | int, ...], MatchSection]]:
        """Rules and freezes with their paths."""
        for number, rule in enumerate(self.rules):
            yield ("policy", "rules", number), rule
        for number, freeze in enumerate(self.freezes):
            yield ("policy", "freezes", number), freeze
