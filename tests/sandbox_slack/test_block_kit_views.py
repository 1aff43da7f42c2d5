"""What a view may be, and what Slack fills in."""

from typing import Any

import pytest

from sandbox.slack.blockkit import check_view, complete_blocks, complete_view
from sandbox.slack.errors import ApiError
from tests.sandbox_slack.blocks import mrkdwn, plain
from tests.sandbox_slack.conftest import modal, section, text_input

JSON = dict[str, Any]


def view_refusal(view: Any, kind: str = "modal") -> list[str]:
    with pytest.raises(ApiError) as refused:
        check_view(view, kind)
    assert refused.value.name == "invalid_arguments"
    return [str(one).removeprefix("[ERROR] ") for one in refused.value.extra["response_metadata"]["messages"]]


WRONG_VIEWS: list[tuple[str, Any, str, str]] = [
    ("no title", {"type": "modal", "blocks": []}, "modal", "missing required field: title [json-pointer:/view]"),
    (
        "no blocks",
        {"type": "modal", "title": plain("a")},
        "modal",
        "missing required field: blocks [json-pointer:/view]",
    ),
    (
        "a home as a modal",
        {"type": "home", "blocks": []},
        "modal",
        "must be a valid enum value [json-pointer:/view/type]",
    ),
    (
        "unknown property",
        modal(submit_disabled=True),
        "modal",
        "invalid additional property: submit_disabled [json-pointer:/view]",
    ),
    (
        "a home with a title",
        {"type": "home", "blocks": [], "title": plain("a")},
        "home",
        "invalid additional property: title [json-pointer:/view]",
    ),
    (
        "an input without submit",
        modal(text_input(), submit=None),
        "modal",
        "must define `submit` to use `input` block [json-pointer:/view/blocks/0/input]",
    ),
    (
        "two in focus",
        modal(
            text_input("a", element={"type": "plain_text_input", "focus_on_load": True}),
            text_input("b", element={"type": "plain_text_input", "focus_on_load": True}),
        ),
        "modal",
        "only one element may have `focus_on_load` [json-pointer:/view/blocks]",
    ),
    ("no object", "a view", "modal", "must provide an object [json-pointer:/view]"),
    (
        "numbers the wrong way round",
        modal(
            text_input(element={"type": "number_input", "is_decimal_allowed": True, "min_value": "3", "max_value": "2"})
        ),
        "modal",
        "min_value must not be more than max_value [json-pointer:/view/blocks/0/element/min_value]",
    ),
    (
        "a number without is_decimal_allowed",
        modal(text_input(element={"type": "number_input"})),
        "modal",
        "missing required field: is_decimal_allowed [json-pointer:/view/blocks/0/element]",
    ),
]


@pytest.mark.parametrize(
    ("view", "kind", "reason"), [one[1:] for one in WRONG_VIEWS], ids=[one[0] for one in WRONG_VIEWS]
)
def test_what_a_view_may_not_be(view: Any, kind: str, reason: str) -> None:
    assert reason in view_refusal(view, kind)


def test_what_slack_fills_in() -> None:
    given: list[JSON] = [
        {"type": "section", "text": mrkdwn("a"), "accessory": {"type": "button", "text": plain("b")}},
        text_input(block_id="kept", element={"type": "plain_text_input"}),
        {"type": "markdown", "text": "a", "block_id": "lost"},
        {"type": "context", "elements": [plain("c") | {"emoji": False}]},
    ]
    before = [dict(one) for one in given]
    done = complete_blocks(given)
    assert given == before
    assert done[0]["text"]["verbatim"] is False
    assert done[0]["accessory"]["text"]["emoji"] is True
    assert done[0]["accessory"]["action_id"]
    assert done[1]["block_id"] == "kept"
    assert (done[1]["optional"], done[1]["dispatch_action"]) == (False, False)
    assert done[2]["block_id"] != "lost"
    assert done[3]["elements"][0]["emoji"] is False
    assert len({one["block_id"] for one in done}) == 4


def test_a_views_words_are_completed_too() -> None:
    done = complete_view(modal(section(), close=plain("No")))
    assert (done["title"]["emoji"], done["submit"]["emoji"], done["close"]["emoji"]) == (True, True, True)
