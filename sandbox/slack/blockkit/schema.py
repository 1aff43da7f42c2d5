"""The small language the Block Kit tables are written in: rules that look at a value and note what is wrong.

The wording of the notes and the pointers are Slack's as seen in its answers; every rule reports all it finds.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.slack.blockkit.limits import LIMITS

JSON = dict[str, Any]
Surface = Literal["message", "modal", "home"]


@dataclass
class Check:
    """One validation under way: the surface, the switched-off rules, and what was found."""

    surface: Surface
    off: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)

    def note(self, words: str, pointer: str) -> None:
        self.problems.append(f"{words} [json-pointer:{pointer}]")

    def limit(self, key: str) -> int | None:
        """The figure, or None when it is switched off."""
        limit = LIMITS[key]
        return None if limit.switch in self.off else limit.most


Rule = Callable[[Any, str, Check], None]


def string(limit: str | None = None, *, least: int = 0, pattern: str | None = None) -> Rule:
    def rule(value: Any, pointer: str, check: Check) -> None:
        if not isinstance(value, str):
            check.note("must provide a string", pointer)
            return
        length(value, pointer, check, limit, least)
        if pattern and not re.fullmatch(pattern, value):
            check.note("must match the expected format", pointer)

    return rule


def length(value: str, pointer: str, check: Check, limit: str | None, least: int) -> None:
    most = check.limit(limit) if limit else None
    if most is not None and len(value) > most:
        check.note(f"must be less than {most + 1} characters", pointer)
    if len(value) < least:
        check.note(f"must be more than {least - 1} characters", pointer)


def flag() -> Rule:
    def rule(value: Any, pointer: str, check: Check) -> None:
        if not isinstance(value, bool):
            check.note("must provide a boolean", pointer)

    return rule


def whole(limit: str | None = None, *, least: int | None = None) -> Rule:
    def rule(value: Any, pointer: str, check: Check) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            check.note("must provide an integer", pointer)
            return
        most = check.limit(limit) if limit else None
        if most is not None and value > most:
            check.note(f"must be less than {most + 1}", pointer)
        if least is not None and value < least:
            check.note(f"must be more than {least - 1}", pointer)

    return rule


def number() -> Rule:
    def rule(value: Any, pointer: str, check: Check) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            check.note("must provide a number", pointer)

    return rule


def choice(*values: str) -> Rule:
    def rule(value: Any, pointer: str, check: Check) -> None:
        if value not in values:
            check.note("must be a valid enum value", pointer)

    return rule


def items(one: Rule, limit: str | None = None, *, least: int = 0) -> Rule:
    def rule(value: Any, pointer: str, check: Check) -> None:
        if not isinstance(value, list):
            check.note("must provide an array", pointer)
            return
        most = check.limit(limit) if limit else None
        if most is not None and len(value) > most:
            check.note(f"no more than {most} items allowed", pointer)
        if len(value) < least:
            check.note(f"no fewer than {least} items allowed", pointer)
        for number_, each in enumerate(value):
            one(each, f"{pointer}/{number_}", check)

    return rule


def nullable(one: Rule) -> Rule:
    def rule(value: Any, pointer: str, check: Check) -> None:
        if value is not None:
            one(value, pointer, check)

    return rule


def shape(required: Mapping[str, Rule], optional: Mapping[str, Rule], *also: Rule) -> Rule:
    """An object: what it must and may have, nothing else, and rules over the whole (only if its parts are right)."""
    known = {**required, **optional}

    def rule(value: Any, pointer: str, check: Check) -> None:
        if not isinstance(value, dict):
            check.note("must provide an object", pointer)
            return
        before = len(check.problems)
        for key in required:
            if value.get(key) is None:
                check.note(f"missing required field: {key}", pointer)
        for key, one in value.items():
            if key not in known:
                check.note(f"invalid additional property: {key}", pointer)
            elif one is not None:
                known[key](one, f"{pointer}/{key}", check)
        if len(check.problems) == before:
            for whole_rule in also:
                whole_rule(value, pointer, check)

    return rule


def typed(
    table: Mapping[str, Rule], allowed: Callable[[Check], Sequence[str]] | None = None, *, union: bool = False
) -> Rule:
    """An object told by its `type`; `allowed` names the types this place takes.

    `union`: Slack tries several schemas here and says so before it says what is wrong.
    """

    def rule(value: Any, pointer: str, check: Check) -> None:
        if not isinstance(value, dict):
            check.note("must provide an object", pointer)
            return
        kind = value.get("type")
        if kind is None:
            check.note("missing required field: type", pointer)
            return
        names = allowed(check) if allowed else tuple(table)
        before = len(check.problems)
        if not isinstance(kind, str) or kind not in names or kind not in table:
            check.note(f"unsupported type: {kind}", f"{pointer}/type")
        else:
            table[kind](value, pointer, check)
        if union and len(check.problems) > before:
            check.problems.insert(before, f"failed to match all allowed schemas [json-pointer:{pointer}]")

    return rule


def one_of(*keys: str) -> Rule:
    """Exactly one of the properties."""

    def rule(value: Any, pointer: str, check: Check) -> None:
        there = [key for key in keys if value.get(key) is not None]
        if not there:
            check.note(f"missing required field: {' or '.join(keys)}", pointer)
        elif len(there) > 1:
            check.note(f"only one of {', '.join(keys)} allowed", pointer)

    return rule


def walk(value: Any, pointer: str = "") -> Iterator[tuple[str, JSON]]:
    """Every object inside, with its pointer, outermost first."""
    if isinstance(value, dict):
        yield pointer, value
        for key, one in value.items():
            yield from walk(one, f"{pointer}/{key}")
    elif isinstance(value, list):
        for number_, one in enumerate(value):
            yield from walk(one, f"{pointer}/{number_}")
