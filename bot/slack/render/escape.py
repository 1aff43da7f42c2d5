"""Other people's words made harmless for Slack: the one place where text is escaped.

Most text goes into `plain_text` objects and rich_text `text` elements, which Slack shows literally: there only
:func:`line` is needed. The message's own `text` (notifications, screen readers) is mrkdwn and gets :func:`fallback`.
"""

from __future__ import annotations

import re
from typing import Any

from bot.text import one_line

NOTHING = "–"
"""Shown for an empty text: Slack refuses text objects without a character."""

_FALLBACK = 600
"""Characters of a message's own text: a notification shows fewer."""
_JOINER = "\u2060"
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
# What Slack parses without angle brackets: `@here`, `#name`, `http://…`, `evil.example`, `:tada:`, the format marks.
# An invisible joiner behind each keeps the look and ends the meaning.
_ACTIVE = re.compile(r"[@#*_~`]|:(?=\S)|(?<=\w)\.(?=\w)|^&gt;")


def line(text: str, limit: int, *, strip: bool = True) -> str:
    """One plain line of at most `limit` characters, never empty: for places where Slack interprets nothing."""
    words = one_line(text[: limit + 1], limit)  # no character becomes shorter, so the rest would be cut anyway
    return (words.strip() if strip else words) or NOTHING


def plain(text: str, limit: int) -> dict[str, Any]:
    """A `plain_text` object; `emoji: false`, so that `:name:` stays as written (Slack docs: composition objects)."""
    return {"type": "plain_text", "text": line(text, limit), "emoji": False}


def fallback(*texts: str) -> str:
    """The texts as one line of mrkdwn in which nothing pings, links or is formatted."""
    words = line(" – ".join(text for text in texts if text), _FALLBACK)
    for character, entity in _ENTITIES:
        words = words.replace(character, entity)
    return _ACTIVE.sub(lambda found: found.group() + _JOINER, words)
