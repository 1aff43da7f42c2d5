"""Blocks, and the surfaces each may stand on (Slack docs: reference/block-kit/blocks)."""

from typing import Any

from sandbox.slack.blockkit.elements import ELEMENTS, in_actions, in_input, in_section
from sandbox.slack.blockkit.objects import SLACK_FILE, plain, text
from sandbox.slack.blockkit.rich_text import RICH_TEXT, characters
from sandbox.slack.blockkit.schema import (
    Check,
    Rule,
    choice,
    flag,
    items,
    nullable,
    number,
    one_of,
    shape,
    string,
    typed,
)

BLOCK: dict[str, Rule] = {"type": string(), "block_id": string("block_id")}


def _some(*keys: str) -> Rule:
    """At least one of the properties."""

    def rule(value: Any, pointer: str, check: Check) -> None:
        if not any(value.get(key) for key in keys):
            check.note(f"missing required field: {' or '.join(keys)}", pointer)

    return rule


def _table_fits(value: Any, pointer: str, check: Check) -> None:
    most_columns, most_characters = check.limit("table.columns"), check.limit("table.characters")
    total = 0
    for number_, row in enumerate(value["rows"]):
        if most_columns is not None and len(row) > most_columns:
            check.note(f"no more than {most_columns} items allowed", f"{pointer}/rows/{number_}")
        total += sum(len(cell["text"]) if cell.get("type") == "raw_text" else characters(cell) for cell in row)
    if most_characters is not None and total > most_characters:
        check.note(f"must be less than {most_characters + 1} characters", f"{pointer}/rows")


CELL = typed(
    {
        "raw_text": shape({"text": string(least=1)}, {"type": string()}),
        "raw_number": shape({"value": number()}, {"type": string(), "text": string()}),
        "rich_text": RICH_TEXT,
    }
)

CONTEXT_ITEM = typed(
    {
        "image": ELEMENTS["image"],
        "plain_text": text("context.text", "plain_text"),
        "mrkdwn": text("context.text", "mrkdwn"),
    }
)

URL_SOURCE = typed({"url": shape({"url": string(least=1), "text": string(least=1)}, {"type": string()})})
ONE_RICH_TEXT = typed({"rich_text": RICH_TEXT})
CARD_IMAGE = typed({"image": ELEMENTS["image"]})
CARD_BUTTON = typed({"button": ELEMENTS["button"]})

TASK_CARD = shape(
    {
        "task_id": string(least=1),
        "title": string(least=1),
        "status": choice("pending", "in_progress", "complete", "error"),
    },
    {**BLOCK, "details": ONE_RICH_TEXT, "output": ONE_RICH_TEXT, "sources": items(URL_SOURCE)},
)

BLOCKS: dict[str, Rule] = {
    "section": shape(
        {},
        {
            **BLOCK,
            "text": text("section.text"),
            "fields": items(text("section.field"), "section.fields", least=1),
            "accessory": typed(ELEMENTS, in_section, union=True),
            "expand": flag(),
        },
        _some("text", "fields"),
    ),
    "header": shape({"text": plain("header.text")}, BLOCK),
    "divider": shape({}, BLOCK),
    "context": shape({"elements": items(CONTEXT_ITEM, "context.elements", least=1)}, BLOCK),
    "actions": shape({"elements": items(typed(ELEMENTS, in_actions), "actions.elements", least=1)}, BLOCK),
    "image": shape(
        {"alt_text": string("image.alt_text", least=1)},
        {
            **BLOCK,
            "image_url": string("image.image_url", least=1),
            "slack_file": SLACK_FILE,
            "title": plain("image.title"),
        },
        one_of("image_url", "slack_file"),
    ),
    "input": shape(
        {"label": plain("input.label"), "element": typed(ELEMENTS, in_input, union=True)},
        {**BLOCK, "hint": plain("input.hint"), "optional": flag(), "dispatch_action": flag()},
    ),
    "rich_text": RICH_TEXT,
    "markdown": shape({"text": string("markdown.text", least=1)}, BLOCK),
    "table": shape(
        {"rows": items(items(CELL), "table.rows", least=1)},
        {
            **BLOCK,
            "column_settings": items(
                nullable(shape({}, {"align": choice("left", "center", "right"), "is_wrapped": flag()})),
                "table.column_settings",
            ),
        },
        _table_fits,
    ),
    "plan": shape(
        {"title": string(least=1)},
        {**BLOCK, "tasks": items(typed({"task_card": TASK_CARD}), "plan.tasks")},
    ),
    "task_card": TASK_CARD,
    "alert": shape(
        {"text": text("alert.text")},
        {**BLOCK, "level": choice("default", "info", "warning", "error", "success")},
    ),
    "card": shape(
        {},
        {
            **BLOCK,
            "hero_image": CARD_IMAGE,
            "icon": CARD_IMAGE,
            "title": text("card.title"),
            "subtitle": text("card.subtitle"),
            "body": text("card.body"),
            "actions": items(CARD_BUTTON, "card.actions", least=1),
        },
        _some("hero_image", "title", "body", "actions"),
    ),
}

EVERYWHERE = (
    "section",
    "header",
    "divider",
    "context",
    "actions",
    "image",
    "input",
    "rich_text",
    "card",
)
MESSAGE_ONLY = ("markdown", "table", "plan", "task_card")


def on_surface(check: Check) -> tuple[str, ...]:
    """The block types that a message, modal or Home takes."""
    alert = ("alert",) if check.surface == "modal" or "alert_modal_only" in check.off else ()
    return EVERYWHERE + (MESSAGE_ONLY if check.surface == "message" else ()) + alert


BLOCK_LISTS = {
    surface: items(typed(BLOCKS, on_surface), f"{surface}.blocks") for surface in ("message", "modal", "home")
}
