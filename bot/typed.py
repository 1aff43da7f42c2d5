"""What somebody typed or pasted, as a line of words, each with its place."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

from bot.errors import ParseError

MAX_LENGTH = 2000
"""Longer input is refused: no command needs it, and Slack itself cuts at 4,000 characters."""

_SMART = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'", "\u00a0": " "}
)
_SLACK_LINK = re.compile(
    r"<(?:(?:https?://|mailto:|tel:)[^<>|\s]*)\|([^<>]*)>|<((?:https?://)[^<>|\s]*)>|<[@#][A-Z0-9]+\|([^<>]*)>"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of what was typed: its text, and where it stood in the normalised line."""

    text: str
    start: int
    end: int
    quoted: bool = False


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
