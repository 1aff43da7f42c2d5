"""Names and other people's words as data: made harmless for a line of text, here and nowhere else.

A name comes from XenAPI, from Slack or from a person; it may hold line breaks, terminal escapes, bidirectional marks or
markup. Text inside the bot is
always *one plain line* (several lines are a tuple of lines). Renderers pass every string through :func:`one_line`
before they escape for their medium, so
a name can never begin a second line; :func:`quoted` marks where a name that looks like prose begins and ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_PLAIN_NAME = re.compile(r"[\w.\-:+@/]+\Z", re.UNICODE)
_QUOTES = str.maketrans({"“": "'", "”": "'", "„": "'", "‟": "'"})
_SINGLE_QUOTES = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'"})
COMMAND = r"(?:host|vm|sr|ha|pool|audit) [a-z][^“”]*"
"""What stands between “ and ” in a remedy and looks so is a command, and is offered as a button
(:mod:`bot.remedies`). A name that looks so is quoted otherwise, so that nobody's name becomes a button.
"""
_LIKE_A_COMMAND = re.compile(COMMAND)
_VISIBLE = {"\n": "⏎", "\r": "⏎", "\t": "⇥", "\u2028": "⏎", "\u2029": "⏎", "\x0b": "⏎", "\x0c": "⏎", "\x85": "⏎"}
# Cf holds the bidirectional controls, zero-width characters, tags and soft hyphens; Cc the terminal controls; Cs lone
# surrogates; Co private use.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Letters, spaces and marks that show nothing, so that two different names would look alike (Unicode's
# Default_Ignorable_Code_Point, as far as the categories above do not hold it, and Braille's blank).
_BLANKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)
_AS_EMOJI = "\ufe0f"


def _visible(character: str, before: str) -> str:
    if character in _VISIBLE:
        return _VISIBLE[character]
    category = unicodedata.category(character)
    if character == _AS_EMOJI and unicodedata.category(before) == "So":
        return character  # behind a symbol it can be seen: ⚠ becomes an emoji
    if category in _UNSAFE_CATEGORIES or _BLANKS.match(character):
        return f"⟨{ord(character):X}⟩"
    return " " if category == "Zs" else character


def one_line(text: str, limit: int | None = None) -> str:
    """`text` as one line: control, bidirectional and invisible characters shown as ⟨code point⟩, line breaks as ⏎, at
    most `limit` characters.
    """
    line = text if text.isascii() and text.isprintable() else "".join(map(_visible, text, f" {text}"))
    if limit is not None and len(line) > limit:
        line = line[: max(limit - 1, 0)] + "…"
    return line


def middle_cut(text: str, limit: int) -> str:
    """`text` as one line of at most `limit` (3 or more) characters, without its middle where it is too long: the ends
    of names and titles tell more.
    """
    if len(text) > 2 * limit:  # no character becomes shorter, so what lies between would be taken out anyway
        text = text[:limit] + text[-limit:]
    line = one_line(text)
    if len(line) <= limit:
        return line
    tail = (limit - 1) // 2
    return f"{line[: limit - 1 - tail]}…{line[len(line) - tail :]}"


def without_marks(text: str) -> str:
    """Somebody else's words without the marks that set names and commands off in ours."""
    return text.translate(_QUOTES)


def quoted(name: str, limit: int = 120) -> str:
    """A name inside a sentence: as it is when it can only be a name, else between “ and ”, which the name itself cannot
    contain, or between ‘ and ’ where it reads like a command; a long one without its middle.
    """
    line = middle_cut(name, limit)
    if line and _PLAIN_NAME.match(line):
        return line
    line = without_marks(line)
    return f"‘{line.translate(_SINGLE_QUOTES)}’" if _LIKE_A_COMMAND.match(line) else f"“{line}”"


def word_for(name: str, unique: str) -> str:
    """What to type for an object in a command that a button will type: its name where that is one plain word, else what
    is `unique` to it. Nothing in a name can become another argument then.
    """
    return name if quoted(name) == name else unique


def joined(names: Iterable[str], *, last: str = "and", limit: int = 8) -> str:
    """Names as a list in words: `a, b and c`; beyond `limit` the rest is counted."""
    shown = [quoted(name) for name in names]
    if len(shown) > limit:
        rest = len(shown) - limit + 1
        shown = [*shown[: limit - 1], f"{rest} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 host`, `3 hosts`, `no hosts`."""
    word = one if count == 1 else (many or one + "s")
    return f"{count if count else 'no'} {word}"


def size(amount: int) -> str:
    """Bytes in the binary unit a person would use: `512 MiB`, `3.5 GiB`."""
    value = float(amount)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return (
                f"{value:.0f} {unit}"
                if unit in ("B", "KiB") or value == int(value) or value >= 100
                else f"{value:.1f} {unit}"
            )
        value /= 1024
    return f"{value:.1f} TiB"


def part_of(used: int, total: int) -> str:
    """`3.5 of 64 GiB`: the unit is said once where both have it."""
    (share, unit), (whole, same) = (size(each).split(" ") for each in (used, total))
    return f"{share} of {whole} {unit}" if unit == same else f"{share} {unit} of {whole} {same}"


def duration(seconds: float) -> str:
    """A length of time as people say it: `0.4 s`, `2 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{f'{seconds:.1f}'.removesuffix('.0')} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"
