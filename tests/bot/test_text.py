"""Names as one line: whatever makes two names different can be seen."""

from __future__ import annotations

import unicodedata

import pytest

from bot.text import one_line, quoted

INVISIBLE = {
    "variation selector": "\ufe0e",
    "emoji selector": "\ufe0f",
    "ideographic variation": "\U000e0100",
    "Mongolian variation": "\u180b",
    "unassigned, shown by nothing": "\u2065",
    "specials": "\ufff0",
    "tag plane": "\U000e0fff",
    "zero width": "\u200b",
    "Hangul filler": "\u3164",
    "Braille blank": "\u2800",
    "joiner of graphemes": "\u034f",
    "override": "\u202e",
}


@pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE)
@pytest.mark.parametrize("name", ["web-1{}", "{}web-1", "we{}b-1", "é{}"])
def test_what_shows_nothing_is_shown(name: str, character: str) -> None:
    assert one_line(name.format(character)) == name.format(f"⟨{ord(character):X}⟩")
    assert quoted(name.format(character)) != quoted(name.format(""))


def test_an_emoji_stays_one() -> None:
    assert one_line("⚠\ufe0f prod") == "⚠\ufe0f prod"
    assert one_line("⚠\ufe0f\ufe0f prod") == "⚠\ufe0f⟨FE0F⟩ prod"


def test_letters_and_their_accents_stay() -> None:
    for name in ("café", unicodedata.normalize("NFD", "café"), "データベース", "مرحبا", "हिन्दी", "ไทย"):
        assert one_line(name) == name
