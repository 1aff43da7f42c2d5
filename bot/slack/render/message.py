"""A message for Slack, and the limits it must keep (Slack docs: reference/block-kit)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.slack.render import rich
from bot.slack.render.escape import line, plain
from bot.text import middle_cut

Block = rich.Block
T = TypeVar("T")

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 9_000
"""Slack bounds the characters of all blocks of a message together (`msg_blocks_too_long`) and does not say where: some
9,600 characters of text passed and 11,300 did not."""
MESSAGE_JSON = 15_000
"""The same rule seen from the outside: 15,561 characters of JSON passed and 17,694 did not."""
HEADER = 150
BUTTON = 75
BUTTON_VALUE = 2000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
RECORD_DIGITS = 32
ACTION_ELEMENTS = 5
"""Slack takes 25; more than five are not read."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: blocks, and the line that notifications and screen readers use instead."""

    text: str
    blocks: tuple[Block, ...]


def header(text: str) -> Block:
    """A long one without its middle: what is done stands at its beginning, and to what, or where to, at its end."""
    return {"type": "header", "text": plain(middle_cut(text, HEADER), HEADER)}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [plain(text, 300) for text in texts[:10]]}


def record(head: str) -> str:
    """The ledger's head (`18:3f…`, 64 digits) below a message, as `xenia ledger verify` finds it in a pasted text. Half
    of it is shown: nobody can make another row with the same 128 bits, and it is one line on a phone.
    """
    row, _, digest = head.partition(":")
    return f"record {row}:{digest[:RECORD_DIGITS]}"


def button(
    label: str, action_id: str, value: str = "", *, style: str = "", confirm: dict[str, Any] | None = None
) -> dict[str, Any]:
    """:raises ValueError: the value is too long for Slack; a cut one would do something else than it says."""
    if len(value) > BUTTON_VALUE:
        raise ValueError(f"a button's value has at most {BUTTON_VALUE} characters, not {len(value)}")
    made: dict[str, Any] = {"type": "button", "text": plain(label, BUTTON), "action_id": action_id}
    if value:
        made["value"] = value
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = confirm
    return made


def confirm(title: str, text: str, yes: str, no: str) -> dict[str, Any]:
    return {
        "title": plain(title, CONFIRM_TITLE),
        "text": plain(text, CONFIRM_TEXT),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }


def actions(buttons: Sequence[dict[str, Any]]) -> list[Block]:
    """The buttons in rows."""
    rows = range(0, len(buttons), ACTION_ELEMENTS)
    return [{"type": "actions", "elements": list(buttons[row : row + ACTION_ELEMENTS])} for row in rows]


def characters(blocks: Iterable[Block]) -> int:
    """Characters of text in the blocks."""

    def count(value: object) -> int:
        if isinstance(value, dict):
            return sum(
                len(item) if key == "text" and isinstance(item, str) else count(item) for key, item in value.items()
            )
        if isinstance(value, list):
            return sum(map(count, value))
        return 0

    return count(list(blocks))


def fits(blocks: Sequence[Block]) -> bool:
    """Whether Slack takes these blocks as one message."""
    return (
        len(blocks) <= MESSAGE_BLOCKS
        and characters(blocks) <= MESSAGE_CHARACTERS
        and len(json.dumps(blocks, ensure_ascii=False)) <= MESSAGE_JSON
    )


def cut(items: Sequence[T], most: int, show: Callable[[T], list[rich.Element]]) -> list[list[rich.Element]]:
    """At most `most` list items, the last saying how many more there are."""
    if len(items) <= most:
        return [show(item) for item in items]
    more = [rich.text(f"… and {len(items) - most + 1} more", italic=True)]
    return [*(show(item) for item in items[: most - 1]), more]


__all__ = [
    "Block",
    "Message",
    "actions",
    "button",
    "characters",
    "confirm",
    "context",
    "cut",
    "fits",
    "header",
    "line",
    "record",
]
