"""Rich text: blocks whose text elements Slack shows literally (Slack docs: blocks/rich-text-block)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.model import Actor, Level, Verdict
from bot.slack.render.escape import line
from bot.text import one_line

Element = dict[str, Any]
Block = dict[str, Any]

TEXT_LIMIT = 600
"""Characters of one name or sentence; longer ones end in "…"."""

_MARKS = {
    Level.OK: "white_check_mark",
    Level.INFO: "information_source",
    Level.WARN: "warning",
    Level.BAD: "red_circle",
}
_VERDICTS = {Verdict.BLOCK: Level.BAD, Verdict.WARN: Level.WARN, Verdict.PASS: Level.OK}


def text(
    words: str, *, bold: bool = False, italic: bool = False, code: bool = False, limit: int = TEXT_LIMIT
) -> Element:
    """Words as they are. Spaces at the ends are kept: sentences are put together from several elements."""
    element: Element = {"type": "text", "text": line(words, limit, strip=False)}
    style = {name: True for name, wanted in (("bold", bold), ("italic", italic), ("code", code)) if wanted}
    if style:
        element["style"] = style
    return element


def remedy(words: str, *, limit: int = TEXT_LIMIT) -> list[Element]:
    """What to do, on a line of its own within a list's item; nothing where there is nothing to say."""
    return [{"type": "text", "text": "\n"}, text(f"→ {words}", limit=limit)] if words else []


def emoji(name: str) -> Element:
    return {"type": "emoji", "name": name}


def mark(level: Level) -> list[Element]:
    """The sign of a level and a space after it; nothing for `NONE`."""
    return [emoji(_MARKS[level]), text(" ")] if level in _MARKS else []


def verdict(value: Verdict) -> list[Element]:
    return mark(_VERDICTS[value])


def date(moment: datetime, style: str = "{date_short_pretty} {time}") -> Element:
    """A moment in the reader's own time zone; `fallback` (UTC) is for clients that cannot."""
    return {
        "type": "date",
        "timestamp": int(moment.timestamp()),
        "format": style,
        "fallback": moment.strftime("%Y-%m-%d %H:%M UTC"),
    }


def person(actor: Actor, *, bold: bool = False) -> Element:
    """Who it is, by identity: a name can be chosen to look like somebody else's, Slack's user element cannot."""
    user = slack_user(actor)
    if user:
        return {"type": "user", "user_id": user}
    return text(actor.name or actor.id, bold=bold, limit=80)


def slack_user(actor: Actor) -> str:
    """The Slack user id of an actor (`TEAM/USER`), "" for others."""
    return actor.id.rpartition("/")[2] if actor.kind == "slack" else ""


def channel(channel_id: str) -> Element:
    return {"type": "channel", "channel_id": channel_id}


def section(elements: Sequence[Element]) -> Element:
    return {"type": "rich_text_section", "elements": list(elements)}


def listing(items: Iterable[Sequence[Element]], *, ordered: bool = False) -> Element:
    return {
        "type": "rich_text_list",
        "style": "ordered" if ordered else "bullet",
        "indent": 0,
        "border": 0,
        "elements": [section(item) for item in items],
    }


def preformatted(lines: Iterable[str]) -> Element:
    """Monospaced lines. Each is one line: only the line breaks between them are ours."""
    joined = "\n".join(one_line(each) for each in lines)
    return {"type": "rich_text_preformatted", "border": 0, "elements": [{"type": "text", "text": joined or " "}]}


def quote(elements: Sequence[Element]) -> Element:
    return {"type": "rich_text_quote", "elements": list(elements)}


def block(*parts: Element) -> Block:
    """A rich_text block of sections, lists, quotes and preformatted parts."""
    return {"type": "rich_text", "elements": list(parts)}
