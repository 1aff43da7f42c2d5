"""How a command is written, declared once.

One line declares a command's grammar, as a person would read it in the help::

    vm migrate VM [to HOST]

Lower-case words in front are the command's name. An upper-case word is something to fill in, `[to HOST]` an optional
argument after a keyword, `because REASON` a required one, `[all]` a flag, `on|off` a word that must be one of these. A
keyword may be two words, `[to pool DESTINATION [host MEMBER]]`: where something follows them that is no keyword. What
is within such an argument comes after it: `host` is a keyword only then.
Values may hold spaces: everything up to the next keyword belongs to them; a REASON takes the whole rest of the line, so
it comes last. A word in quotes is never a keyword, so that a VM called `to` can be named.
Commands of one pool accept `in POOL` besides, and those that change it `at WHEN` and `emergency "why"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.typed import Word

_ELEMENT = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]|\S+")
_WITHIN = re.compile(r"\[[^\[\]]*\]")
_PLACEHOLDER = re.compile(r"[A-Z]+\Z")


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument of a command. `keyword` is "" for a positional one; a flag has neither placeholder nor value. With
    `choices` one of these words stands for itself, wherever it is.
    """

    field: str
    placeholder: str
    keyword: str
    required: bool
    choices: tuple[str, ...] = ()
    before: Callable[[Word], bool] | None = None
    """The keyword is one only before such a word: names may hold it otherwise."""
    within: str = ""
    """The keyword is one only after the argument of this field."""

    @property
    def flag(self) -> bool:
        return not self.placeholder


@dataclass(frozen=True, slots=True)
class Usage:
    """A command's grammar."""

    text: str
    name: str
    slots: tuple[Slot, ...]

    @property
    def positional(self) -> Slot | None:
        return next((slot for slot in self.slots if not slot.keyword and not slot.flag and not slot.choices), None)


REST_OF_LINE = "REASON"
"""The placeholder of free text: no keyword ends it."""

CHOICE = "choice"
"""The field of `on|off`: the one that was typed."""

POOL_SLOT = Slot(field="pool", placeholder="POOL", keyword="in", required=False)
ONE_WORD = frozenset({"POOLS", "CHANNEL"})
"""Placeholders of names without spaces: what follows the first word belongs to the positional argument again."""
SELF_NAMED = frozenset({"NETWORK"})
"""Placeholders of names that hold their own keyword as a rule: `network Pool-wide network associated with eth0`."""

_TIME = re.compile(r"(?i)\d{1,2}:\d{2}|today|tonight|tomorrow|\d{4}-\d")
WHEN_SLOT = Slot(
    field="at",
    placeholder="WHEN",
    keyword="at",
    required=False,
    before=lambda word: bool(_TIME.match(word.text)),
)
"""When a change is to be made; see :mod:`bot.appointed`."""
EMERGENCY_SLOT = Slot(
    field="emergency", placeholder="WHY", keyword="emergency", required=False, before=lambda word: word.quoted
)
"""Why it cannot wait for another person; in quotes."""
COMMON_SLOTS = (POOL_SLOT, WHEN_SLOT, EMERGENCY_SLOT)
"""What commands take besides their own arguments."""


def usage_of(text: str) -> Usage:
    """Read a usage line.

    :raises ValueError: it cannot be told apart what is meant (two positional arguments, a keyword used twice): a
    mistake of the command's author.
    """
    name: list[str] = []
    slots: list[Slot] = []
    keyword = ""
    for element in _ELEMENT.findall(text):
        optional = element.startswith("[")
        inner = _WITHIN.findall(element[1:]) if optional else []
        words = _WITHIN.sub("", element[1:-1]).split() if optional else [element]
        if keyword and (optional or not _PLACEHOLDER.match(element)):
            raise ValueError(f"{text}: {keyword} is not followed by what belongs after it")
        if not optional and "|" in element:
            slots.append(Slot(CHOICE, element, "", True, tuple(element.split("|"))))
        elif not optional and not _PLACEHOLDER.match(element):
            if slots:
                keyword = element
            else:
                name.append(element)
        elif keyword:
            slots.append(Slot(words[0].lower(), words[0], keyword, True))
            keyword = ""
        elif len(words) == 1 and _PLACEHOLDER.match(words[0]):
            slots.append(Slot(words[0].lower(), words[0], "", not optional))
        elif len(words) == 1:
            slots.append(Slot(words[0], "", words[0], False))
        elif len(words) in (2, 3) and _PLACEHOLDER.match(words[-1]):
            slots.append(Slot(words[-1].lower(), words[-1], " ".join(words[:-1]), not optional))
            slots += [
                Slot(placeholder.lower(), placeholder, within, False, within=words[-1].lower())
                for within, placeholder in (each.strip("[]").split() for each in inner)
            ]
        else:
            raise ValueError(f"{text}: {element} is not understood")
    if keyword:
        raise ValueError(f"{text}: {keyword} is not followed by what belongs after it")
    keywords = [word for slot in slots for word in (slot.keyword, *slot.choices) if word]
    fields = [slot.field for slot in slots]
    positional = sum(not slot.keyword and not slot.choices for slot in slots)
    common = {(slot.keyword, slot.placeholder) for slot in COMMON_SLOTS}
    if positional > 1 or len(set(keywords)) < len(keywords) or common & {(s.keyword, s.placeholder) for s in slots}:
        raise ValueError(f"{text}: ambiguous")
    if len(set(fields)) < len(fields) or not name:
        raise ValueError(f"{text}: names collide")
    return Usage(text, " ".join(name), tuple(slots))
