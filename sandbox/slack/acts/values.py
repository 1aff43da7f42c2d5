"""What a control holds: how a person's choice becomes the part of a payload that belongs to its element type."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.slack.blockkit import elements_of
from sandbox.slack.errors import Refused

JSON = dict[str, Any]

# Element type → the key its value has in `state.values` and in an action (Slack docs: interaction payloads).
KEYS = {
    "button": "value",
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "rich_text_input": "rich_text_value",
    "file_input": "files",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
STATELESS = ("button", "overflow", "image")
LISTS = ("selected_options", "selected_users", "selected_conversations", "selected_channels", "files")
INITIAL = {
    "value": "initial_value",
    "rich_text_value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_conversation": "initial_conversation",
    "selected_conversations": "initial_conversations",
    "selected_channel": "initial_channel",
    "selected_channels": "initial_channels",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}


@dataclass(frozen=True)
class Control:
    """An element where it stands."""

    block: JSON
    element: JSON

    @property
    def type(self) -> str:
        return str(self.element["type"])

    @property
    def action_id(self) -> str:
        return str(self.element["action_id"])

    @property
    def block_id(self) -> str:
        return str(self.block["block_id"])

    @property
    def key(self) -> str:
        return KEYS[self.type]

    def options(self) -> list[JSON]:
        grouped = [one for group in self.element.get("option_groups") or [] for one in group["options"]]
        return list(self.element.get("options") or []) + grouped


def controls(blocks: list[JSON]) -> Iterator[Control]:
    for block in blocks:
        for _, element in elements_of(block):
            if element["type"] in KEYS:
                yield Control(block, element)


def find_control(blocks: list[JSON], action_id: str | None, text: str | None, block_id: str | None) -> Control:
    """By action_id, or by a button's words; block_id when that is not enough. Raises Refused."""
    found = [
        one
        for one in controls(blocks)
        if (action_id is None or one.action_id == action_id)
        and (text is None or (one.element.get("text") or {}).get("text") == text)
        and (block_id is None or one.block_id == block_id)
    ]
    wanted = action_id or text
    if wanted is None:
        raise Refused("say which control: its action_id, or a button's text")
    if not found:
        there = ", ".join(
            sorted({str((one.element.get("text") or {}).get("text") or one.action_id) for one in controls(blocks)})
        )
        raise Refused(f"there is no {wanted!r} here; there is: {there or 'nothing to press'}", 404)
    if len(found) > 1:
        raise Refused(f"{wanted!r} is there {len(found)} times: name the block_id too")
    return found[0]


def state_value(control: Control, given: Any) -> JSON:
    """`{"type", key: value}` from a state value, or from a plain value (an option's value, a date, a text).

    Raises Refused for a choice that is not offered.
    """
    key = control.key
    if isinstance(given, dict) and ("type" in given or key in given) and not _is_option(given):
        given = given.get(key)
    if key in LISTS and given is not None and not isinstance(given, list):
        given = [given]
    if key == "selected_option" and given is not None:
        given = _option(control, given)
    elif key == "selected_options" and given is not None:
        given = [_option(control, one) for one in given]
    elif key == "value" and given is not None and control.type != "button":
        given = str(given)
    if given is None and key in LISTS:
        given = []
    return {"type": control.type, key: given}


def filled_in(body: JSON) -> dict[str, JSON]:
    """The `values` of a request: block_id → action_id → what is given. Raises Refused for another shape."""
    values = body.get("values") or {}
    if not isinstance(values, dict) or not all(isinstance(actions, dict) for actions in values.values()):
        raise Refused("values is an object: block_id → action_id → value")
    return values


def initial_state(blocks: list[JSON]) -> dict[str, dict[str, JSON]]:
    """state.values of blocks nobody touched: initial values, null where there is none."""
    values: dict[str, dict[str, JSON]] = {}
    for control in controls(blocks):
        if control.type in STATELESS:
            continue
        value = control.element.get(INITIAL.get(control.key, ""))
        if value is None and control.key in LISTS:
            value = []
        values.setdefault(control.block_id, {})[control.action_id] = {"type": control.type, control.key: value}
    return values


def current_state(blocks: list[JSON], touched: dict[str, dict[str, JSON]]) -> dict[str, dict[str, JSON]]:
    """Initial values, overlaid with what a person has entered where the control is still there."""
    values = initial_state(blocks)
    for block_id, actions in touched.items():
        for action_id, value in actions.items():
            there = values.get(block_id, {}).get(action_id)
            if there is not None and there["type"] == value["type"]:
                values[block_id][action_id] = value
    return values


def _is_option(value: JSON) -> bool:
    return "text" in value and "value" in value


def _option(control: Control, given: Any) -> JSON:
    """The option meant: the whole, its value, or its words. An external select's option is taken as it is given."""
    if control.type.endswith("external_select"):
        if isinstance(given, dict) and _is_option(given):
            return given
        raise Refused("choose one of the options that the app offered")
    value = given.get("value") if isinstance(given, dict) else given
    for one in control.options():
        if value in (one["value"], one["text"]["text"]):
            return one
    raise Refused(f"{value!r} is not one of the options")
