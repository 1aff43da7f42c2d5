"""Block elements, and where each may stand (Slack docs: reference/block-kit/block-elements)."""

from typing import Any

from sandbox.slack.blockkit.objects import (
    CONFIRM,
    DISPATCH,
    FILTER,
    OPTION_GROUP,
    PLAIN_OPTION,
    RICH_OPTION,
    SLACK_FILE,
    initial_is_an_option,
    option,
    plain,
)
from sandbox.slack.blockkit.rich_text import RICH_TEXT
from sandbox.slack.blockkit.schema import (
    Check,
    Rule,
    choice,
    flag,
    items,
    one_of,
    shape,
    string,
    typed,
    whole,
)

TYPE = string()
DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
TIME = r"([01]\d|2[0-3]):[0-5]\d"
NUMBER = r"-?\d+(\.\d+)?"
EPOCH_LEAST, EPOCH_MOST = 1_000_000_000, 9_999_999_999  # datetimepicker: ten digits

ACTION: dict[str, Rule] = {"type": TYPE, "action_id": string("action_id"), "confirm": CONFIRM}
FIELD: dict[str, Rule] = {"type": TYPE, "action_id": string("action_id"), "focus_on_load": flag()}
PICKER: dict[str, Rule] = {**FIELD, "confirm": CONFIRM, "placeholder": plain("placeholder")}
TYPED: dict[str, Rule] = {**FIELD, "placeholder": plain("placeholder"), "dispatch_action_config": DISPATCH}
MOST: dict[str, Rule] = {"max_selected_items": whole(least=1)}

# On `external_select` and the lists of people and channels there is nothing to compare an initial value with.
OPTIONS: dict[str, Rule] = {
    "options": items(PLAIN_OPTION, "select.options", least=1),
    "option_groups": items(OPTION_GROUP, "select.option_groups", least=1),
}
EITHER = one_of("options", "option_groups")


def _epoch(value: Any, pointer: str, check: Check) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        check.note("must provide an integer", pointer)
    elif not EPOCH_LEAST <= value <= EPOCH_MOST:
        check.note("must be a 10 digit UNIX timestamp", pointer)


def _lengths_in_order(value: Any, pointer: str, check: Check) -> None:
    if value.get("min_length", 0) > value.get("max_length", 3000):
        check.note("min_length must not be more than max_length", f"{pointer}/min_length")


def _values_in_order(value: Any, pointer: str, check: Check) -> None:
    if "min_value" in value and "max_value" in value and float(value["min_value"]) > float(value["max_value"]):
        check.note("min_value must not be more than max_value", f"{pointer}/min_value")


def _list_of(what: str, *, several: bool, more: dict[str, Rule]) -> Rule:
    """users_select and its like: no options of their own."""
    initial = {f"initial_{what}s": items(string())} if several else {f"initial_{what}": string()}
    return shape({}, {**PICKER, **initial, **more, **(MOST if several else {})})


ANSWERING: dict[str, Rule] = {"response_url_enabled": flag()}
CONVERSATIONS: dict[str, Rule] = {"filter": FILTER, "default_to_current_conversation": flag()}

ELEMENTS: dict[str, Rule] = {
    "button": shape(
        {"text": plain("button.text")},
        {
            **ACTION,
            "url": string("button.url"),
            "value": string("button.value"),
            "style": choice("primary", "danger"),
            "accessibility_label": string("button.accessibility_label"),
        },
    ),
    "overflow": shape(
        {"options": items(option("plain_text", url=True), "overflow.options", least=1)},
        ACTION,
    ),
    "image": shape(
        {"alt_text": string("image.alt_text", least=1)},
        {"type": TYPE, "image_url": string("image.image_url", least=1), "slack_file": SLACK_FILE},
        one_of("image_url", "slack_file"),
    ),
    "checkboxes": shape(
        {"options": items(RICH_OPTION, "checkboxes.options", least=1)},
        {**FIELD, "confirm": CONFIRM, "initial_options": items(RICH_OPTION, least=1)},
        initial_is_an_option,
    ),
    "radio_buttons": shape(
        {"options": items(RICH_OPTION, "radio_buttons.options", least=1)},
        {**FIELD, "confirm": CONFIRM, "initial_option": RICH_OPTION},
        initial_is_an_option,
    ),
    "static_select": shape({}, {**PICKER, **OPTIONS, "initial_option": PLAIN_OPTION}, EITHER, initial_is_an_option),
    "multi_static_select": shape(
        {},
        {**PICKER, **OPTIONS, **MOST, "initial_options": items(PLAIN_OPTION, least=1)},
        EITHER,
        initial_is_an_option,
    ),
    "external_select": shape({}, {**PICKER, "initial_option": PLAIN_OPTION, "min_query_length": whole(least=0)}),
    "multi_external_select": shape(
        {},
        {**PICKER, **MOST, "initial_options": items(PLAIN_OPTION, least=1), "min_query_length": whole(least=0)},
    ),
    "users_select": _list_of("user", several=False, more={}),
    "multi_users_select": _list_of("user", several=True, more={}),
    "conversations_select": _list_of("conversation", several=False, more={**CONVERSATIONS, **ANSWERING}),
    "multi_conversations_select": _list_of("conversation", several=True, more=CONVERSATIONS),
    "channels_select": _list_of("channel", several=False, more=ANSWERING),
    "multi_channels_select": _list_of("channel", several=True, more={}),
    "datepicker": shape({}, {**PICKER, "initial_date": string(pattern=DATE)}),
    "timepicker": shape({}, {**PICKER, "initial_time": string(pattern=TIME), "timezone": string(least=1)}),
    "datetimepicker": shape({}, {**FIELD, "confirm": CONFIRM, "initial_date_time": _epoch}),
    "plain_text_input": shape(
        {},
        {
            **TYPED,
            "initial_value": string(),
            "multiline": flag(),
            "min_length": whole("plain_text_input.min_length", least=0),
            "max_length": whole("plain_text_input.max_length", least=1),
        },
        _lengths_in_order,
    ),
    "number_input": shape(
        {"is_decimal_allowed": flag()},
        {
            **TYPED,
            "initial_value": string(pattern=NUMBER),
            "min_value": string(pattern=NUMBER),
            "max_value": string(pattern=NUMBER),
        },
        _values_in_order,
    ),
    "email_text_input": shape({}, {**TYPED, "initial_value": string()}),
    "url_text_input": shape({}, {**TYPED, "initial_value": string()}),
    "rich_text_input": shape({}, {**TYPED, "initial_value": typed({"rich_text": RICH_TEXT})}),
    "file_input": shape(
        {},
        {
            "type": TYPE,
            "action_id": string("action_id"),
            "filetypes": items(string(least=1), least=1),
            "max_files": whole("file_input.max_files", least=1),
        },
    ),
}

SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)
CHOICES = ("checkboxes", "radio_buttons", "datepicker", "timepicker")
MODAL_INPUTS = ("number_input", "email_text_input", "url_text_input", "file_input")

# An action without an id of its own gets one; an image is looked at, not used.
WITHOUT_ACTION = ("image",)


def in_section(_: Check) -> tuple[str, ...]:
    return ("button", "overflow", "image", *SELECTS, *MULTI_SELECTS, *CHOICES)


def in_actions(check: Check) -> tuple[str, ...]:
    multi = () if "multi_select_in_actions" in check.off else MULTI_SELECTS
    return ("button", "overflow", *SELECTS, *CHOICES, "datetimepicker", *multi)


def in_input(check: Check) -> tuple[str, ...]:
    modal = MODAL_INPUTS if check.surface == "modal" else ()
    everywhere = (*SELECTS, *MULTI_SELECTS, *CHOICES, "datetimepicker", "plain_text_input", "rich_text_input")
    return everywhere + modal
