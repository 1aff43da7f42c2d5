"""The rich_text block and what it is made of (Slack docs: rich text block)."""

from typing import Any

from sandbox.slack.blockkit.schema import Rule, choice, flag, items, shape, string, typed, whole

TYPE = string()
STYLE_KEYS = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
STYLE = shape({}, {key: flag() for key in STYLE_KEYS})
STYLED: dict[str, Rule] = {"type": TYPE, "style": STYLE}

INLINE: dict[str, Rule] = {
    "text": shape({"text": string(least=1)}, STYLED),
    "link": shape({"url": string(least=1)}, {**STYLED, "text": string(), "unsafe": flag()}),
    "user": shape({"user_id": string(least=1)}, STYLED),
    "usergroup": shape({"usergroup_id": string(least=1)}, STYLED),
    "channel": shape({"channel_id": string(least=1)}, STYLED),
    "emoji": shape({"name": string(least=1)}, {**STYLED, "unicode": string(), "skin_tone": whole(least=1)}),
    "date": shape(
        {"timestamp": whole(), "format": string(least=1)},
        {**STYLED, "url": string(), "fallback": string()},
    ),
    "broadcast": shape({"range": choice("here", "channel", "everyone")}, STYLED),
    "color": shape({"value": string(pattern=r"#[0-9A-Fa-f]{6}")}, STYLED),
}

SECTION = shape({"elements": items(typed(INLINE))}, {"type": TYPE})


def _only(*names: str) -> Rule:
    return typed({name: INLINE[name] for name in names})


BORDER = whole("rich_text.border", least=0)

PARTS: dict[str, Rule] = {
    "rich_text_section": SECTION,
    "rich_text_list": shape(
        {"elements": items(typed({"rich_text_section": SECTION})), "style": choice("bullet", "ordered")},
        {
            "type": TYPE,
            "indent": whole("rich_text_list.indent", least=0),
            "offset": whole(least=0),
            "border": BORDER,
        },
    ),
    "rich_text_preformatted": shape(
        {"elements": items(_only("text", "link"))}, {"type": TYPE, "border": BORDER, "language": string()}
    ),
    "rich_text_quote": shape({"elements": items(typed(INLINE))}, {"type": TYPE, "border": BORDER}),
}

RICH_TEXT = shape(
    {"elements": items(typed(PARTS))},
    {"type": TYPE, "block_id": string("block_id")},
)


def characters(value: Any) -> int:
    """How many characters of text a rich_text holds."""
    if isinstance(value, dict):
        own = value["text"] if isinstance(value.get("text"), str) else ""
        return len(own) + sum(characters(one) for key, one in value.items() if key == "elements")
    if isinstance(value, list):
        return sum(characters(one) for one in value)
    return 0
