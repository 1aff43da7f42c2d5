"""Text → arguments, and the place of a mistake.

One line declares a command's grammar, as a person would read it in the help::

    vm migrate VM [to HOST]

Lower-case words in front are the command's name. An upper-case word is something to fill in, `[to HOST]` an optional
argument after a keyword, `because REASON` a required one, `[all]` a flag, `on|off` a word that must be one of these. A
keyword may be two words, `[to pool DESTINATION [host MEMBER]]`: where something follows them that is no keyword. What
is within such an argument comes after it: `host` is a keyword only then.
Values may hold spaces: everything up to the next keyword belongs to them; a REASON takes the whole rest of the line, so
it comes last. A word in quotes is never a keyword, so that a VM called `to` can be named.
Commands of one pool accept `in POOL` besides, and those that change it `at WHEN` and `emergency "why"`. Nothing here
reads a pool or looks a name up.
"""

from __future__ import annotations

import difflib
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import Choice, ParseError
from bot.text import one_line, quoted

MAX_LENGTH = 2000
"""Longer input is refused: no command needs it, and Slack itself cuts at 4,000 characters."""

_SMART = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'", "\u00a0": " "}
)
_SLACK_LINK = re.compile(
    r"<(?:(?:https?://|mailto:|tel:)[^<>|\s]*)\|([^<>]*)>|<((?:https?://)[^<>|\s]*)>|<[@#][A-Z0-9]+\|([^<>]*)>"
)
_ELEMENT = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]|\S+")
_WITHIN = re.compile(r"\[[^\[\]]*\]")
_PLACEHOLDER = re.compile(r"[A-Z]+\Z")


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of what was typed: its text, and where it stood in the normalised line."""

    text: str
    start: int
    end: int
    quoted: bool = False


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


def usage(text: str) -> Usage:
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


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed, sorted into a command's arguments. `missing` are required ones that were not given."""

    usage: Usage
    line: str
    values: Mapping[str, Word]
    missing: tuple[Slot, ...]


def normalise(text: str) -> str:
    """What a chat client sends as the person meant it: straight quotes, Slack's `<url|label>` and `&amp;` undone, one
    line.

    :raises ParseError: too long, or holds control characters.
    """
    line = _SLACK_LINK.sub(lambda m: next(group for group in m.groups() if group is not None), text)
    line = (
        " ".join(html.unescape(line).translate(_SMART).split(" "))
        .replace("\t", " ")
        .replace("\n", " ")
        .replace("\r", " ")
        .strip()
    )
    if len(line) > MAX_LENGTH:
        raise ParseError(
            f"That is {len(line)} characters; a command has at most {MAX_LENGTH}.",
            text=line[:80],
            start=79,
            end=80,
            remedy="Shorten it; “help” lists the commands.",
        )
    for position, character in enumerate(line):
        if unicodedata.category(character) in ("Cc", "Cf", "Cs"):
            raise ParseError(
                f"There is an invisible character (U+{ord(character):04X}) in the command.",
                text=line,
                start=position,
                end=position + 1,
                remedy="Type the line by hand instead of pasting it, or name the object by its uuid.",
            )
    return line


def words(line: str) -> tuple[Word, ...]:
    """Split at spaces; a word in single or double quotes may hold spaces, and in it a backslash takes the next
    character as it is.

    An apostrophe inside a word (`bob's`) is a letter.

    :raises ParseError: a quote that is never closed.
    """
    found: list[Word] = []
    position, size = 0, len(line)
    while position < size:
        if line[position] == " ":
            position += 1
            continue
        start = position
        if line[position] in "\"'":
            quote, text = line[position], ""
            position += 1
            while position < size and line[position] != quote:
                if line[position] == "\\" and position + 1 < size:
                    position += 1
                text += line[position]
                position += 1
            if position >= size:
                raise ParseError(
                    "A quote is opened here and never closed.",
                    text=line,
                    start=start,
                    end=start + 1,
                    remedy=f"Close it with {quote}, or leave it out: names with spaces need no quotes.",
                )
            position += 1
            found.append(Word(text, start, position, quoted=True))
            continue
        while position < size and line[position] != " ":
            position += 1
        found.append(Word(line[start:position], start, position))
    return tuple(found)


def near(word: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Names that `word` may be a slip of, best first."""
    by_fold = {name.casefold(): name for name in names}
    folded = word.casefold()
    close = difflib.get_close_matches(folded, list(by_fold), n=limit, cutoff=0.6)
    starts = sorted(fold for fold in by_fold if folded and fold.startswith(folded) and fold not in close)
    return tuple(by_fold[fold] for fold in [*close, *starts][:limit])


def parse(text: str, usages: Sequence[Usage], common: Mapping[str, tuple[Slot, ...]]) -> Parsed:
    """Find the command and sort its arguments. `common` are the slots that each takes besides its own, by its name.

    :raises ParseError: unknown command, unknown or repeated word, a keyword without its value, an unclosed quote; with
    the place.
    """
    line = normalise(text)
    found = words(line)
    chosen, used = _command(line, found, usages)
    return _arguments(line, found[used:], chosen, (*chosen.slots, *common.get(chosen.name, ())))


def _command(line: str, found: tuple[Word, ...], usages: Sequence[Usage]) -> tuple[Usage, int]:
    """The command that the line begins with, and how many words name it. `migrate vm` is `vm migrate`."""
    by_name = {tuple(each.name.split()): each for each in usages}
    by_name |= {key[::-1]: each for key, each in by_name.items() if key[::-1] not in by_name}
    typed = tuple(word.text.casefold() for word in found)
    for length in range(max(map(len, by_name)), 0, -1):
        match = by_name.get(typed[:length]) if len(typed) >= length else None
        if match is not None:
            return match, length
    raise _unknown(line, found, sorted({each.name for each in usages}))


def _unknown(line: str, found: tuple[Word, ...], names: Sequence[str]) -> ParseError:
    if not found:
        return ParseError("Nothing was asked.", text=line, start=0, end=0, remedy="Try “help”.")
    first = found[0]
    same_noun = [name for name in names if first.text.casefold() in name.split()]
    if same_noun and len(found) == 1:
        return ParseError(
            f"“{one_line(first.text, 40)}” needs another word.",
            text=line,
            start=first.end,
            end=first.end,
            remedy="One of these is meant:",
            choices=tuple(Choice(name, name) for name in same_noun),
        )
    pair = found[:2]
    typed = " ".join(word.text for word in pair)
    swapped = {" ".join(reversed(name.split())): name for name in names}
    slips = near(typed, [*names, *swapped]) or near(first.text, names)
    likely = list(dict.fromkeys(swapped.get(name, name) for name in slips)) or same_noun
    wrong = pair[1] if same_noun and len(pair) == 2 else first
    end = wrong.end if same_noun else pair[-1].end
    rest = line[pair[-1].end :].strip()
    return ParseError(
        f"There is no command {quoted(typed, 60)}.",
        text=line,
        start=wrong.start,
        end=end,
        remedy="Did you mean one of these?" if likely else "“help” lists the commands.",
        choices=tuple(Choice(name, f"{name} {rest}".strip()) for name in likely[:5]),
    )


def _arguments(line: str, rest: Sequence[Word], chosen: Usage, slots: Sequence[Slot]) -> Parsed:
    keywords = {word: slot for slot in slots for word in (slot.keyword, *slot.choices) if word}
    values: dict[str, Word] = {}
    pending: list[Word] = []
    slot: Slot | None = chosen.positional
    opened_by: Word | None = None

    def close() -> None:
        """Give the words gathered so far to the open argument."""
        nonlocal pending
        if opened_by is not None and slot is not None and not pending:
            raise _mistake(f"What belongs after “{opened_by.text}”?", line, opened_by, chosen)
        if pending and slot is not None:
            values[slot.field] = _joined(line, pending)
        pending = []

    while rest:
        free = opened_by is not None and slot is not None and slot.placeholder == REST_OF_LINE
        (word, *rest), keyword = _next(rest, {} if free else keywords)
        follower = rest[0] if rest else None
        if keyword is not None and keyword.before and not (follower and keyword.before(follower)):
            keyword = None
        if keyword is not None and keyword.within not in ("", slot.field if slot else "", *values):
            keyword = None
        if keyword is not None and keyword is slot and (not pending or _is_of_its_name(keyword, follower, keywords)):
            keyword = None
        if keyword is None:
            if slot is None:
                raise _mistake(f"“{one_line(word.text, 60)}” is not expected here.", line, word, chosen)
            pending.append(word)
            if slot.placeholder in ONE_WORD:
                close()
                slot, opened_by = _unless_given(chosen.positional, values), None
            continue
        if keyword.field in values or (slot is keyword and opened_by is not None):
            raise _mistake(f"“{word.text}” is there twice.", line, word, chosen)
        close()
        if keyword.flag or keyword.choices:
            values[keyword.field] = replace(word, text=word.text.casefold())
            slot, opened_by = (None, None) if slot is None or slot.field in values else (slot, None)
        else:
            slot, opened_by = keyword, word
    close()
    missing = tuple(each for each in slots if each.required and each.field not in values)
    return Parsed(chosen, line, values, missing)


def _next(rest: Sequence[Word], keywords: Mapping[str, Slot]) -> tuple[Sequence[Word], Slot | None]:
    """What is left, its first word being a whole keyword where it begins with one; and that keyword."""
    first, *others = rest
    if (
        others
        and not first.quoted
        and not others[0].quoted
        and not _opens_nothing(next(iter(others[1:]), None), keywords)
    ):
        both = Word(f"{first.text} {others[0].text}", first.start, others[0].end)
        if both.text.casefold() in keywords:
            return (both, *others[1:]), keywords[both.text.casefold()]
    return rest, None if first.quoted else keywords.get(first.text.casefold())


def _is_of_its_name(slot: Slot, follower: Word | None, keywords: Mapping[str, Slot]) -> bool:
    """Is the keyword part of the name after it: “storage NFS storage”?"""
    return slot.placeholder in SELF_NAMED or _opens_nothing(follower, keywords)


def _opens_nothing(follower: Word | None, keywords: Mapping[str, Slot]) -> bool:
    """Nothing that could belong to a keyword stands after it."""
    return follower is None or (not follower.quoted and follower.text.casefold() in keywords)


def _unless_given(slot: Slot | None, values: Mapping[str, Word]) -> Slot | None:
    return None if slot is None or slot.field in values else slot


def _joined(line: str, pending: Sequence[Word]) -> Word:
    first, last = pending[0], pending[-1]
    if len(pending) == 1:
        return first
    return Word(line[first.start : last.end], first.start, last.end)


def _mistake(message: str, line: str, word: Word, chosen: Usage) -> ParseError:
    return ParseError(message, text=line, start=word.start, end=word.end, remedy=f"Usage: {chosen.text}")
