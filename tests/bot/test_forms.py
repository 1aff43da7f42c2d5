"""Forms say how each argument is written."""

from __future__ import annotations

from typing import cast

import commands
from bot import forms
from bot.forms import Forms
from bot.ports import Pools
from bot.registry import Registry
from bot.scope import Scopes
from bot.slack.render.forms import filled

REGISTRY = Registry.of_package(commands)
FORMS = Forms(pools=cast(Pools, None), scopes=Scopes())  # a form is made without reading anything


def hints(line: str) -> dict[str, str]:
    return {field.name: field.hint for field in FORMS.of(*REGISTRY.parse(line)).fields if field.hint}


def test_a_time_a_date_and_a_number_are_shown_by_example() -> None:
    assert any("2 weeks" in hint for hint in hints("audit mute").values())
    assert "tomorrow 06:30" in hints("vm start")["at"]
    assert "daily 07:00" in " ".join(hints("audit schedule").values())


def test_the_same_word_means_what_its_command_says() -> None:
    """WHEN is a moment after `at`, and a recurrence for a schedule."""
    assert hints("vm start")["at"] not in hints("audit schedule").values()


def test_every_hint_belongs_to_an_argument() -> None:
    keys = {f"{slot.keyword} {slot.placeholder}".strip() for command in REGISTRY for slot in command.slots}
    assert set(forms._HINTS) <= keys


def test_the_modal_shows_it_beneath_its_field() -> None:
    shown = filled(FORMS.of(*REGISTRY.parse("request show")), "")
    (field,) = (block for block in shown["blocks"] if block["type"] == "input")
    assert field["hint"]["text"] == "Its number, as X-7."
