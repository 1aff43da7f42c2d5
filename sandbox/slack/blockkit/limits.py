"""Every length and count of Block Kit, once, with where it comes from.

A limit with a `switch` is one that sources do not agree on or that Slack does not document; putting the switch's name
into `Switches.block_rules_off` stops it from being enforced.
"""

from dataclasses import dataclass

BLOCKS = "Slack docs: reference/block-kit/blocks"
ELEMENTS = "Slack docs: reference/block-kit/block-elements"
OBJECTS = "Slack docs: reference/block-kit/composition-objects"
VIEWS = "Slack docs: reference/views"
SDK = "slack_sdk 3.47 models.blocks"
MEASURED = "reported refusals (bolt-js issue 2867)"
MARKDOWN_SUM = "Slack docs: markdown block, 12,000 for all of a payload's markdown blocks together"


@dataclass(frozen=True)
class Limit:
    most: int
    source: str
    switch: str | None = None


LIMITS: dict[str, Limit] = {
    # whole payloads
    "message.blocks": Limit(50, BLOCKS),
    "modal.blocks": Limit(100, VIEWS),
    "home.blocks": Limit(100, VIEWS),
    "message.characters": Limit(9_597, MEASURED, "message.characters"),  # the largest sum seen to pass
    "message.markdown": Limit(12_000, MARKDOWN_SUM),
    # ids
    "block_id": Limit(255, BLOCKS),
    "action_id": Limit(255, ELEMENTS),
    # blocks
    "section.text": Limit(3000, BLOCKS),
    "section.fields": Limit(10, BLOCKS),
    "section.field": Limit(2000, BLOCKS),
    "header.text": Limit(150, BLOCKS),
    "context.elements": Limit(10, BLOCKS),
    "context.text": Limit(3000, OBJECTS),
    "actions.elements": Limit(25, BLOCKS),
    "image.image_url": Limit(3000, BLOCKS),
    "image.alt_text": Limit(2000, BLOCKS),
    "image.title": Limit(2000, BLOCKS),
    "input.label": Limit(2000, BLOCKS),
    "input.hint": Limit(2000, BLOCKS),
    "markdown.text": Limit(12_000, BLOCKS),
    "table.rows": Limit(100, BLOCKS),
    "table.columns": Limit(20, BLOCKS),
    "table.column_settings": Limit(20, BLOCKS),
    "table.characters": Limit(10_000, BLOCKS, "table.characters"),
    "table.per_message": Limit(1, BLOCKS, "table.per_message"),
    "plan.tasks": Limit(50, "slackblocks 3.0.0", "plan.tasks"),
    "alert.text": Limit(200, "slackblocks 3.0.0", "alert.text"),
    "card.title": Limit(150, SDK, "card.title"),
    "card.subtitle": Limit(150, SDK, "card.subtitle"),
    "card.body": Limit(200, SDK, "card.body"),
    "card.actions": Limit(3, "slackblocks 3.0.0", "card.actions"),
    "rich_text_list.indent": Limit(8, BLOCKS),
    "rich_text.border": Limit(1, BLOCKS),
    # elements
    "button.text": Limit(75, ELEMENTS),
    "button.value": Limit(2000, ELEMENTS),
    "button.url": Limit(3000, ELEMENTS),
    "button.accessibility_label": Limit(75, ELEMENTS),
    "placeholder": Limit(150, ELEMENTS),
    "select.options": Limit(100, ELEMENTS),
    "select.option_groups": Limit(100, ELEMENTS),
    "overflow.options": Limit(5, ELEMENTS),
    "checkboxes.options": Limit(10, ELEMENTS),
    "radio_buttons.options": Limit(10, ELEMENTS),
    "plain_text_input.min_length": Limit(3000, ELEMENTS),
    "plain_text_input.max_length": Limit(3000, ELEMENTS),
    "file_input.max_files": Limit(10, ELEMENTS),
    # composition objects
    "option.text": Limit(75, OBJECTS),
    "option.value": Limit(150, OBJECTS),
    "option.description": Limit(75, OBJECTS),
    "option.url": Limit(3000, OBJECTS),
    "option_group.label": Limit(75, OBJECTS),
    "option_group.options": Limit(100, OBJECTS),
    "confirm.title": Limit(100, OBJECTS),
    "confirm.text": Limit(300, OBJECTS),
    "confirm.confirm": Limit(30, OBJECTS),
    "confirm.deny": Limit(30, OBJECTS),
    # views
    "view.title": Limit(24, VIEWS),
    "view.submit": Limit(24, VIEWS),
    "view.close": Limit(24, VIEWS),
    "view.private_metadata": Limit(3000, VIEWS),
    "view.callback_id": Limit(255, VIEWS),
    "view.external_id": Limit(255, VIEWS),
}

# Rules without a figure that are least certain, and can be switched off by the same means.
RULE_SWITCHES: dict[str, str] = {
    "multi_select_in_actions": "multi-selects may stand in an actions block (newer docs); off: refused",
    "alert_modal_only": "alert blocks in modals only (slackblocks 3.0.0)",
}


def switches() -> frozenset[str]:
    """Every name that `Switches.block_rules_off` may hold."""
    return frozenset(limit.switch for limit in LIMITS.values() if limit.switch) | frozenset(RULE_SWITCHES)
