"""Every limit of Block Kit, at the limit and one beyond: the table here must name each one the workspace knows."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.slack.blockkit import LIMITS, check_blocks, check_view
from sandbox.slack.errors import ApiError
from tests.sandbox_slack.blocks import (
    card,
    cell,
    confirm,
    divider,
    groups,
    image,
    in_actions,
    in_input,
    mrkdwn,
    option,
    options,
    plain,
    rich,
    rich_list,
    select,
    table,
    task,
    x,
)
from tests.sandbox_slack.conftest import actions, button, modal, section, text_input

JSON = dict[str, Any]
Build = Callable[[int], Any]

LENGTH, COUNT, FIGURE = (
    "must be less than {over} characters",
    "no more than {limit} items allowed",
    "must be less than {over}",
)

# Limit → what builds a payload of that size, what Slack says one beyond it, and where.
IN_MESSAGES: dict[str, tuple[Build, str, str]] = {
    "message.blocks": (divider, COUNT, "/blocks"),
    "block_id": (lambda n: [{"type": "divider", "block_id": x(n)}], LENGTH, "/blocks/0/block_id"),
    "action_id": (lambda n: in_actions(button(x(n))), LENGTH, "/blocks/0/elements/0/action_id"),
    "section.text": (lambda n: [section(x(n))], LENGTH, "/blocks/0/text/text"),
    "section.fields": (
        lambda n: [{"type": "section", "fields": [mrkdwn("a")] * n}],
        COUNT,
        "/blocks/0/fields",
    ),
    "section.field": (lambda n: [{"type": "section", "fields": [mrkdwn(x(n))]}], LENGTH, "/blocks/0/fields/0/text"),
    "header.text": (lambda n: [{"type": "header", "text": plain(x(n))}], LENGTH, "/blocks/0/text/text"),
    "context.elements": (
        lambda n: [{"type": "context", "elements": [mrkdwn("a")] * n}],
        COUNT,
        "/blocks/0/elements",
    ),
    "context.text": (
        lambda n: [{"type": "context", "elements": [mrkdwn(x(n))]}],
        LENGTH,
        "/blocks/0/elements/0/text",
    ),
    "actions.elements": (
        lambda n: [actions(*[button(f"a{number}") for number in range(n)])],
        COUNT,
        "/blocks/0/elements",
    ),
    "image.image_url": (lambda n: [image(image_url=x(n))], LENGTH, "/blocks/0/image_url"),
    "image.alt_text": (lambda n: [image(alt_text=x(n))], LENGTH, "/blocks/0/alt_text"),
    "image.title": (lambda n: [image(title=plain(x(n)))], LENGTH, "/blocks/0/title/text"),
    "input.label": (lambda n: [text_input() | {"label": plain(x(n))}], LENGTH, "/blocks/0/label/text"),
    "input.hint": (lambda n: [text_input(hint=plain(x(n)))], LENGTH, "/blocks/0/hint/text"),
    "markdown.text": (lambda n: [{"type": "markdown", "text": x(n)}], LENGTH, "/blocks/0/text"),
    "table.rows": (lambda n: table([[cell()]] * n), COUNT, "/blocks/0/rows"),
    "table.columns": (lambda n: table([[cell()] * n]), COUNT, "/blocks/0/rows/0"),
    "table.column_settings": (
        lambda n: table([[cell()]], column_settings=[None, *[{"align": "right"}] * (n - 1)]),
        COUNT,
        "/blocks/0/column_settings",
    ),
    "plan.tasks": (
        lambda n: [{"type": "plan", "title": "a plan", "tasks": [task(number) for number in range(n)]}],
        COUNT,
        "/blocks/0/tasks",
    ),
    "card.title": (lambda n: card(title=mrkdwn(x(n))), LENGTH, "/blocks/0/title/text"),
    "card.subtitle": (lambda n: card(title=plain("t"), subtitle=plain(x(n))), LENGTH, "/blocks/0/subtitle/text"),
    "card.body": (lambda n: card(body=mrkdwn(x(n))), LENGTH, "/blocks/0/body/text"),
    "card.actions": (
        lambda n: card(actions=[button(f"a{number}") for number in range(n)]),
        COUNT,
        "/blocks/0/actions",
    ),
    "rich_text_list.indent": (lambda n: rich(rich_list(indent=n)), FIGURE, "/blocks/0/elements/0/indent"),
    "rich_text.border": (lambda n: rich(rich_list(border=n)), FIGURE, "/blocks/0/elements/0/border"),
    "button.text": (lambda n: in_actions(button(text=x(n))), LENGTH, "/blocks/0/elements/0/text/text"),
    "button.value": (lambda n: in_actions(button(value=x(n))), LENGTH, "/blocks/0/elements/0/value"),
    "button.url": (lambda n: in_actions(button(url=x(n))), LENGTH, "/blocks/0/elements/0/url"),
    "button.accessibility_label": (
        lambda n: in_actions(button(accessibility_label=x(n))),
        LENGTH,
        "/blocks/0/elements/0/accessibility_label",
    ),
    "placeholder": (
        lambda n: in_actions(select(options=options(1), placeholder=plain(x(n)))),
        LENGTH,
        "/blocks/0/elements/0/placeholder/text",
    ),
    "select.options": (lambda n: in_actions(select(options=options(n))), COUNT, "/blocks/0/elements/0/options"),
    "select.option_groups": (
        lambda n: in_actions(select(option_groups=groups(n))),
        COUNT,
        "/blocks/0/elements/0/option_groups",
    ),
    "overflow.options": (
        lambda n: in_actions({"type": "overflow", "options": options(n)}),
        COUNT,
        "/blocks/0/elements/0/options",
    ),
    "checkboxes.options": (
        lambda n: in_actions({"type": "checkboxes", "options": options(n)}),
        COUNT,
        "/blocks/0/elements/0/options",
    ),
    "radio_buttons.options": (
        lambda n: in_actions({"type": "radio_buttons", "options": options(n)}),
        COUNT,
        "/blocks/0/elements/0/options",
    ),
    "plain_text_input.min_length": (
        lambda n: in_input({"type": "plain_text_input", "min_length": n}),
        FIGURE,
        "/blocks/0/element/min_length",
    ),
    "plain_text_input.max_length": (
        lambda n: in_input({"type": "plain_text_input", "max_length": n}),
        FIGURE,
        "/blocks/0/element/max_length",
    ),
    "option.text": (
        lambda n: in_actions(select(options=[option(text=x(n))])),
        LENGTH,
        "/blocks/0/elements/0/options/0/text/text",
    ),
    "option.value": (
        lambda n: in_actions(select(options=[option(value=x(n))])),
        LENGTH,
        "/blocks/0/elements/0/options/0/value",
    ),
    "option.description": (
        lambda n: in_actions(select(options=[option(description=plain(x(n)))])),
        LENGTH,
        "/blocks/0/elements/0/options/0/description/text",
    ),
    "option.url": (
        lambda n: in_actions({"type": "overflow", "options": [option(url=x(n))]}),
        LENGTH,
        "/blocks/0/elements/0/options/0/url",
    ),
    "option_group.label": (
        lambda n: in_actions(select(option_groups=[{"label": plain(x(n)), "options": options(1)}])),
        LENGTH,
        "/blocks/0/elements/0/option_groups/0/label/text",
    ),
    "option_group.options": (
        lambda n: in_actions(select(option_groups=[{"label": plain("g"), "options": options(n)}])),
        COUNT,
        "/blocks/0/elements/0/option_groups/0/options",
    ),
    "confirm.title": (
        lambda n: in_actions(confirm(title=plain(x(n)))),
        LENGTH,
        "/blocks/0/elements/0/confirm/title/text",
    ),
    "confirm.text": (
        lambda n: in_actions(confirm(text=mrkdwn(x(n)))),
        LENGTH,
        "/blocks/0/elements/0/confirm/text/text",
    ),
    "confirm.confirm": (
        lambda n: in_actions(confirm(confirm=plain(x(n)))),
        LENGTH,
        "/blocks/0/elements/0/confirm/confirm/text",
    ),
    "confirm.deny": (lambda n: in_actions(confirm(deny=plain(x(n)))), LENGTH, "/blocks/0/elements/0/confirm/deny/text"),
}

IN_VIEWS: dict[str, tuple[Build, str, str]] = {
    "modal.blocks": (lambda n: modal(*divider(n)), COUNT, "/view/blocks"),
    "home.blocks": (lambda n: {"type": "home", "blocks": divider(n)}, COUNT, "/view/blocks"),
    "alert.text": (
        lambda n: modal({"type": "alert", "text": mrkdwn(x(n))}),
        LENGTH,
        "/view/blocks/0/text/text",
    ),
    "file_input.max_files": (
        lambda n: modal(text_input(element={"type": "file_input", "max_files": n})),
        FIGURE,
        "/view/blocks/0/element/max_files",
    ),
    "view.title": (lambda n: modal(title=x(n)), LENGTH, "/view/title/text"),
    "view.submit": (lambda n: modal(submit=x(n)), LENGTH, "/view/submit/text"),
    "view.close": (lambda n: modal(close=plain(x(n))), LENGTH, "/view/close/text"),
    "view.private_metadata": (lambda n: modal(private_metadata=x(n)), LENGTH, "/view/private_metadata"),
    "view.callback_id": (lambda n: modal(callback_id=x(n)), LENGTH, "/view/callback_id"),
    "view.external_id": (lambda n: modal(external_id=x(n)), LENGTH, "/view/external_id"),
}


def spread(count: int, kind: str) -> list[JSON]:
    """That many characters over several blocks, each within its own limit."""
    builders: dict[str, Callable[[str], JSON]] = {
        "section": section,
        "markdown": lambda text: {"type": "markdown", "text": text},
    }
    build = builders[kind]
    return [build(x(min(3000, count - start))) for start in range(0, count, 3000)]


# Limit → what builds a payload of that size, and the error's name: these are answered without a pointer.
BY_NAME: dict[str, tuple[Build, str]] = {
    "message.characters": (lambda n: spread(n, "section"), "msg_blocks_too_long"),
    "message.markdown": (lambda n: spread(n, "markdown"), "msg_blocks_too_long"),
    "table.per_message": (lambda n: [*table([[cell()]])] * n, "only_one_table_allowed"),
}

# A table's characters are bounded over its rows; the sum for the whole message is out of the way.
TABLE_CHARACTERS: dict[str, tuple[Build, str, str]] = {
    "table.characters": (lambda n: table([[cell(x(n))]]), LENGTH, "/blocks/0/rows"),
}


def test_every_limit_is_tried() -> None:
    assert set(IN_MESSAGES) | set(IN_VIEWS) | set(BY_NAME) | set(TABLE_CHARACTERS) == set(LIMITS)


def test_every_limit_has_a_source() -> None:
    assert all(limit.source for limit in LIMITS.values())


def reasons(error: ApiError) -> list[str]:
    return [str(one).removeprefix("[ERROR] ") for one in error.extra["response_metadata"]["messages"]]


def expected(words: str, key: str, pointer: str) -> str:
    limit = LIMITS[key].most
    return f"{words.format(limit=limit, over=limit + 1)} [json-pointer:{pointer}]"


@pytest.mark.parametrize("key", IN_MESSAGES)
def test_a_message_at_its_limit_and_beyond(key: str) -> None:
    build, words, pointer = IN_MESSAGES[key]
    check_blocks(build(LIMITS[key].most), "message", total_rule=False)
    with pytest.raises(ApiError) as refused:
        check_blocks(build(LIMITS[key].most + 1), "message", total_rule=False)
    assert refused.value.name == "invalid_blocks"
    assert expected(words, key, pointer) in refused.value.extra["errors"]
    assert reasons(refused.value) == refused.value.extra["errors"]


@pytest.mark.parametrize("key", IN_VIEWS)
def test_a_view_at_its_limit_and_beyond(key: str) -> None:
    build, words, pointer = IN_VIEWS[key]
    kind = "home" if key == "home.blocks" else "modal"
    check_view(build(LIMITS[key].most), kind)
    with pytest.raises(ApiError) as refused:
        check_view(build(LIMITS[key].most + 1), kind)
    assert refused.value.name == "invalid_arguments"
    assert expected(words, key, pointer) in reasons(refused.value)


@pytest.mark.parametrize("key", BY_NAME)
def test_limits_answered_by_name(key: str) -> None:
    build, name = BY_NAME[key]
    check_blocks(build(LIMITS[key].most), "message")
    with pytest.raises(ApiError) as refused:
        check_blocks(build(LIMITS[key].most + 1), "message")
    assert refused.value.name == name


def test_the_characters_of_a_table() -> None:
    build, words, pointer = TABLE_CHARACTERS["table.characters"]
    check_blocks(build(LIMITS["table.characters"].most), "message", total_rule=False)
    with pytest.raises(ApiError) as refused:
        check_blocks(build(LIMITS["table.characters"].most + 1), "message", total_rule=False)
    assert refused.value.extra["errors"] == [expected(words, "table.characters", pointer)]


def test_the_sum_of_characters_does_not_bind_response_urls() -> None:
    check_blocks(spread(20_000, "section"), "message", total_rule=False)


@pytest.mark.parametrize("key", [key for key, limit in LIMITS.items() if limit.switch])
def test_an_uncertain_limit_can_be_switched_off(key: str) -> None:
    off = frozenset({str(LIMITS[key].switch)})
    beyond = LIMITS[key].most + 1
    if key in IN_VIEWS:
        check_view(IN_VIEWS[key][0](beyond), "modal", off=off)
    else:
        build = (IN_MESSAGES | BY_NAME | TABLE_CHARACTERS)[key][0]
        check_blocks(build(beyond), "message", off=off | {"message.characters"})
