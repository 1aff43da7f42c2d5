"""What Slack itself does to text: escaping what people type, linking what it recognises.

Sources: Slack docs reference/surfaces/formatting (escaping, automatic parsing), interactivity/slash-commands
(escaping users, channels and links).
"""

import re
import secrets
from typing import Any

from sandbox.slack.directory import Directory

_SPECIAL = re.compile(r"(<[^<>]*>)")
_URL = re.compile(r"(?<![|\w/.-])(https?://[^\s<>|]*[^\s<>|.,;:!?'\")\]])")
_MENTION = re.compile(r"(?<![\w@])@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_CHANNEL = re.compile(r"(?<![\w#&])#([a-z0-9][a-z0-9_-]*)", re.IGNORECASE)
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
BROADCASTS = ("here", "channel", "everyone")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def smarten(text: str) -> str:
    """Quotes and dashes as macOS and iOS turn them while one types."""
    text = text.replace("--", "—")
    text = re.sub(r'(^|[\s(\[])"', r"\1“", text).replace('"', "”")
    return re.sub(r"(^|[\s(\[])'", r"\1‘", text).replace("'", "’")


def typed(text: str, directory: Directory) -> str:
    """A typed message as it is stored: escaped, with mentions of people, channels and everybody."""
    return link(escape(text), directory, names=True, urls=True)


def command_escaped(text: str, directory: Directory) -> str:
    """A command's text with should_escape: `<@U1|ana>`, `<#C1|infra>`, `<#C1|>` for a private one, `<https://…>`."""

    def person(found: re.Match[str]) -> str:
        one = directory.find_person(found[1].lower())
        return f"<@{one.id}|{one.name}>" if one else found[0]

    def channel(found: re.Match[str]) -> str:
        one = directory.find_channel("#" + found[1].lower())
        return f"<#{one.id}|{'' if one.is_private else one.name}>" if one else found[0]

    return _URL.sub(r"<\1>", _CHANNEL.sub(channel, _MENTION.sub(person, escape(text))))


def link(text: str, directory: Directory, *, names: bool, urls: bool) -> str:
    """Text as Slack keeps it: bare URLs in `<…>`, and names as mentions where asked; code is left alone."""

    def person(found: re.Match[str]) -> str:
        word = found[1].lower()
        if word in BROADCASTS:
            return f"<!{word}>"
        one = directory.find_person(word)
        if one:
            return f"<@{one.id}>"
        group = next((each for each in directory.groups.values() if each.handle == word), None)
        return f"<!subteam^{group.id}>" if group else found[0]

    def channel(found: re.Match[str]) -> str:
        one = directory.find_channel("#" + found[1].lower())
        return f"<#{one.id}>" if one else found[0]

    def plain(part: str) -> str:
        if urls:
            part = _URL.sub(r"<\1>", part)
        if names:
            part = "".join(
                piece if _SPECIAL.fullmatch(piece) else _CHANNEL.sub(channel, _MENTION.sub(person, piece))
                for piece in _SPECIAL.split(part)
            )
        return part

    return "".join(
        piece if _CODE.fullmatch(piece) or _SPECIAL.fullmatch(piece) else plain(piece)
        for code in _CODE.split(text)
        for piece in ([code] if _CODE.fullmatch(code) else _SPECIAL.split(code))
    )


def rich_text(stored: str) -> list[dict[str, Any]]:
    """The blocks of a typed message: one rich_text with the mentions and links that `stored` has."""
    elements = [_element(piece) for piece in _SPECIAL.split(stored) if piece]
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": secrets.token_urlsafe(4)[:5], "elements": [section]}]


def _element(piece: str) -> dict[str, Any]:
    if not _SPECIAL.fullmatch(piece):
        return {"type": "text", "text": unescape(piece)}
    inside = piece[1:-1]
    for mark, kind, key in (
        ("@", "user", "user_id"),
        ("#", "channel", "channel_id"),
        ("!subteam^", "usergroup", "usergroup_id"),
        ("!", "broadcast", "range"),
    ):
        if inside.startswith(mark):
            return {"type": kind, key: inside.removeprefix(mark)}
    return {"type": "link", "url": unescape(inside)}


def stray_brackets(text: str) -> str:
    """An `&` that starts no entity becomes `&amp;`, as Slack stores it."""
    return re.sub(r"&(?!(?:amp|lt|gt);)", "&amp;", text)
