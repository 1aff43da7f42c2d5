"""Text → arguments, by the usage lines of :mod:`bot.usage`, and the place of a mistake. Nothing here reads a pool or
looks a name up.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import Choice, ParseError
from bot.text import one_line, quoted
from bot.typed import Word, normalise, words
from bot.usage import ONE_WORD, REST_OF_LINE, SELF_NAMED, Slot, Usage


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed, sorted into a command's arguments. `missing` are required ones that were not given."""

    usage: Usage
    line: str
    values: Mapping[str, Word]
    missing: tuple[Slot, ...]


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
