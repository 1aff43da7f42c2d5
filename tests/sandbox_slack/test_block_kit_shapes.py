"""What Block Kit takes where: required and unknown properties, types, surfaces, uniqueness."""

from typing import Any

import pytest

from sandbox.slack.blockkit import check_blocks
from sandbox.slack.blockkit.schema import Surface
from sandbox.slack.errors import ApiError
from tests.sandbox_slack.blocks import (
    PNG,
    card,
    cell,
    confirm,
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
)
from tests.sandbox_slack.conftest import actions, button, section, text_input

JSON = dict[str, Any]


def refusal(blocks: list[Any], surface: Surface = "message") -> list[str]:
    with pytest.raises(ApiError) as refused:
        check_blocks(blocks, surface)
    assert refused.value.name == "invalid_blocks"
    found: list[str] = refused.value.extra["errors"]
    return found


WRONG: list[tuple[str, list[Any], str]] = [
    ("no type", [{}], "missing required field: type [json-pointer:/blocks/0]"),
    ("no object", ["a"], "must provide an object [json-pointer:/blocks/0]"),
    ("unknown block", [{"type": "sectoin"}], "unsupported type: sectoin [json-pointer:/blocks/0/type]"),
    ("unknown property", [section(colour="red")], "invalid additional property: colour [json-pointer:/blocks/0]"),
    ("empty section", [{"type": "section"}], "missing required field: text or fields [json-pointer:/blocks/0]"),
    ("empty text", [section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ("text as string", [{"type": "header", "text": "a"}], "must provide an object [json-pointer:/blocks/0/text]"),
    (
        "mrkdwn header",
        [{"type": "header", "text": mrkdwn("a")}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    (
        "emoji on mrkdwn",
        [{"type": "section", "text": mrkdwn("a") | {"emoji": True}}],
        "invalid additional property: emoji [json-pointer:/blocks/0/text]",
    ),
    (
        "no elements",
        [{"type": "actions", "elements": []}],
        "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]",
    ),
    (
        "unknown element",
        in_actions({"type": "knob"}),
        "unsupported type: knob [json-pointer:/blocks/0/elements/0/type]",
    ),
    (
        "text input in actions",
        in_actions({"type": "plain_text_input"}),
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
    (
        "date and time in a section",
        [section(accessory={"type": "datetimepicker"})],
        "unsupported type: datetimepicker [json-pointer:/blocks/0/accessory/type]",
    ),
    (
        "button in an input",
        in_input(button()),
        "unsupported type: button [json-pointer:/blocks/0/element/type]",
    ),
    (
        "number input in a message",
        in_input({"type": "number_input", "is_decimal_allowed": False}),
        "unsupported type: number_input [json-pointer:/blocks/0/element/type]",
    ),
    (
        "alert in a message",
        [{"type": "alert", "text": plain("a")}],
        "unsupported type: alert [json-pointer:/blocks/0/type]",
    ),
    (
        "button style",
        in_actions(button(style="warning")),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    (
        "button disabled",
        in_actions(button(disabled=True)),
        "invalid additional property: disabled [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "options and groups",
        in_actions(select(options=options(1), option_groups=[{"label": plain("g"), "options": options(1)}])),
        "only one of options, option_groups allowed [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "neither options nor groups",
        in_actions(select()),
        "missing required field: options or option_groups [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "an initial option that is none",
        in_actions(select(options=options(2), initial_option=option("option 1", "2"))),
        "must be one of the provided options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    (
        "initial options that are none",
        in_actions({"type": "checkboxes", "options": options(2), "initial_options": [option("x", "x")]}),
        "must be one of the provided options [json-pointer:/blocks/0/elements/0/initial_options]",
    ),
    (
        "url in a select's option",
        in_actions(select(options=[option(url=PNG)])),
        "invalid additional property: url [json-pointer:/blocks/0/elements/0/options/0]",
    ),
    (
        "mrkdwn in a select's option",
        in_actions(select(options=[{"text": mrkdwn("a"), "value": "1"}])),
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/options/0/text/type]",
    ),
    (
        "a date that is none",
        in_actions({"type": "datepicker", "initial_date": "2026-13-01"}),
        "must match the expected format [json-pointer:/blocks/0/elements/0/initial_date]",
    ),
    (
        "a time that is none",
        in_actions({"type": "timepicker", "initial_time": "24:00"}),
        "must match the expected format [json-pointer:/blocks/0/elements/0/initial_time]",
    ),
    (
        "an instant in milliseconds",
        in_actions({"type": "datetimepicker", "initial_date_time": 1_700_000_000_000}),
        "must be a 10 digit UNIX timestamp [json-pointer:/blocks/0/elements/0/initial_date_time]",
    ),
    (
        "lengths the wrong way round",
        in_input({"type": "plain_text_input", "min_length": 5, "max_length": 4}),
        "min_length must not be more than max_length [json-pointer:/blocks/0/element/min_length]",
    ),
    (
        "an image from nowhere",
        [{"type": "image", "alt_text": "a"}],
        "missing required field: image_url or slack_file [json-pointer:/blocks/0]",
    ),
    ("no alt text", [{"type": "image", "image_url": PNG}], "missing required field: alt_text [json-pointer:/blocks/0]"),
    (
        "half a confirmation",
        in_actions(confirm(deny=None)),
        "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]",
    ),
    (
        "the same action twice in a block",
        [actions(button("go"), button("go"))],
        '`action_id` "go" already exists for block_id "buttons" [json-pointer:/blocks/0/elements/1/action_id]',
    ),
    (
        "the same block twice",
        [section(block_id="a"), section(block_id="a")],
        '`block_id` "a" already exists [json-pointer:/blocks/1/block_id]',
    ),
    ("an empty cell", table([[cell("")]]), "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]"),
    ("a cell of mrkdwn", table([[mrkdwn("a")]]), "unsupported type: mrkdwn [json-pointer:/blocks/0/rows/0/0/type]"),
    (
        "a column to the middle",
        table([[cell()]], column_settings=[{"align": "middle"}]),
        "must be a valid enum value [json-pointer:/blocks/0/column_settings/0/align]",
    ),
    ("a task's status", [task() | {"status": "done"}], "must be a valid enum value [json-pointer:/blocks/0/status]"),
    (
        "an empty card",
        card(subtitle=plain("a")),
        "missing required field: hero_image or title or body or actions [json-pointer:/blocks/0]",
    ),
    (
        "a list's style",
        rich(rich_list(style="roman")),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    (
        "a list of texts",
        rich(rich_list(elements=[{"type": "text", "text": "a"}])),
        "unsupported type: text [json-pointer:/blocks/0/elements/0/elements/0/type]",
    ),
    (
        "a broadcast to nobody",
        rich({"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "all"}]}),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/elements/0/range]",
    ),
]


@pytest.mark.parametrize(("blocks", "reason"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_what_a_message_may_not_hold(blocks: list[Any], reason: str) -> None:
    assert reason in refusal(blocks)


def test_all_reasons_are_given_and_unions_say_so_first() -> None:
    found = refusal([section("x" * 3001), {"type": "nothing"}])
    assert found == [
        "failed to match all allowed schemas [json-pointer:/blocks/0/text]",
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        "unsupported type: nothing [json-pointer:/blocks/1/type]",
    ]


ALL_BLOCKS: dict[str, JSON] = {
    "section": section(accessory=button("accessory")),
    "header": {"type": "header", "text": plain("a")},
    "divider": {"type": "divider"},
    "context": {"type": "context", "elements": [mrkdwn("a"), plain("b"), image()]},
    "actions": actions(button()),
    "image": image(),
    "input": text_input(),
    "rich_text": rich(rich_list())[0],
    "card": card(title=plain("a"))[0],
    "markdown": {"type": "markdown", "text": "*a*"},
    "table": table([[cell(), {"type": "raw_number", "value": 1}, rich(rich_list())[0]]])[0],
    "plan": {"type": "plan", "title": "a", "tasks": [task()]},
    "task_card": task(),
    "alert": {"type": "alert", "text": mrkdwn("a"), "level": "warning"},
}
EVERYWHERE = {"section", "header", "divider", "context", "actions", "image", "input", "rich_text", "card"}
SURFACES: dict[str, set[str]] = {
    "message": EVERYWHERE | {"markdown", "table", "plan", "task_card"},
    "modal": EVERYWHERE | {"alert"},
    "home": EVERYWHERE,
}


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", ALL_BLOCKS)
def test_which_block_stands_on_which_surface(name: str, surface: Surface) -> None:
    block = ALL_BLOCKS[name]
    if name in SURFACES[surface]:
        check_blocks([block], surface)
    else:
        assert f"unsupported type: {name} [json-pointer:/blocks/0/type]" in refusal([block], surface)


SELECTS = ["static_select", "external_select", "users_select", "conversations_select", "channels_select"]
MULTI = [f"multi_{name}" for name in SELECTS]
SHARED = [*SELECTS, *MULTI, "radio_buttons", "checkboxes", "datepicker", "timepicker"]
PLACES: dict[str, list[str]] = {
    "section": ["button", "overflow", "image", *SHARED],
    "actions": ["button", "overflow", "datetimepicker", *SHARED],
    "input": [*SHARED, "datetimepicker", "plain_text_input", "rich_text_input"],
    "modal input": [
        *SHARED,
        "datetimepicker",
        "plain_text_input",
        "rich_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "file_input",
    ],
}
EVERY_ELEMENT = sorted({name for names in PLACES.values() for name in names})


def element(kind: str) -> JSON:
    needs: dict[str, JSON] = {
        "button": button(),
        "image": image(),
        "number_input": {"is_decimal_allowed": True},
        **{name: {"options": options(2)} for name in ("static_select", "multi_static_select", "overflow")},
        **{name: {"options": options(2)} for name in ("radio_buttons", "checkboxes")},
    }
    return {**needs.get(kind, {}), "type": kind}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", EVERY_ELEMENT)
def test_which_element_stands_where(kind: str, place: str) -> None:
    surface: Surface = "modal" if place == "modal input" else "message"
    block = {
        "section": section(accessory=element(kind)),
        "actions": actions(element(kind)),
    }.get(place, text_input(element=element(kind)))
    if kind in PLACES[place]:
        check_blocks([block], surface)
    else:
        assert any(one.startswith(f"unsupported type: {kind} ") for one in refusal([block], surface))


def test_switches_of_uncertain_places() -> None:
    several = in_actions({"type": "multi_users_select"})
    with pytest.raises(ApiError):
        check_blocks(several, "message", off=frozenset({"multi_select_in_actions"}))
    check_blocks([ALL_BLOCKS["alert"]], "message", off=frozenset({"alert_modal_only"}))
