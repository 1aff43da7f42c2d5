"""What a person sees of blocks: helpers for looking at rendered messages in tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

JSON = dict[str, Any]


def walk(value: object) -> Iterator[JSON]:
    """Every dictionary within blocks, outermost first."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk(item)


def words(blocks: object) -> str:
    """All text in the blocks, in order, without any marks between."""
    made = []
    for item in walk(blocks):
        if isinstance(item.get("text"), str):
            made.append(item["text"])
        elif item.get("type") == "user":
            made.append(f"@{item['user_id']}")
        elif item.get("type") == "channel":
            made.append(f"#{item['channel_id']}")
    return "".join(made)


def buttons(blocks: object) -> dict[str, JSON]:
    """The buttons by their text."""
    return {item["text"]["text"]: item for item in walk(blocks) if item.get("type") == "button"}


def preformatted(blocks: object) -> list[list[str]]:
    """The lines of each preformatted part."""
    parts = [item for item in walk(blocks) if item.get("type") == "rich_text_preformatted"]
    return ["".join(each["text"] for each in part["elements"]).split("\n") for part in parts]
