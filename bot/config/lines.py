"""Where a setting stands in a TOML file."""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_WORD = r"(?:[\w-]+|\"[^\"]*\"|'[^']*')"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*\]\]?\s*(#.*)?\Z")
_KEY = re.compile(rf"\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=")


def line_of(text: str, location: Path) -> int:
    """The line (from 1) of the longest part of a setting's path that stands in the file; 0 when none of it does.

    Numbers in the path count the tables of an array (`[[…]]`), from 0.
    """
    best, best_length = 0, 0
    for number, found in _settings(text):
        if len(found) > best_length and found == location[: len(found)]:
            best, best_length = number, len(found)
    return best


def _settings(text: str) -> Iterator[tuple[int, Path]]:
    """Each header and key with its line and its whole path."""
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _inside(_words(header[2]), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield number, table
        elif key:
            yield number, (*table, *_words(key[1]))


def _inside(words: Path, counts: dict[Path, int]) -> Path:
    """A header's path; what lies in an array of tables lies in its last one (TOML 1.0, array of tables)."""
    path: Path = ()
    for position, word in enumerate(words):
        path = (*path, word)
        if path in counts and position < len(words) - 1:
            path = (*path, counts[path])
    return path


def _words(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in re.findall(_WORD, dotted))
