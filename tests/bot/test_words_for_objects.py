"""What a button types for an object."""

from __future__ import annotations

import pytest

from bot.text import word_for


@pytest.mark.parametrize("name", ["xs1", "xs-1.example.net", "web_2"])
def test_a_plain_name_is_typed_as_it_is(name: str) -> None:
    assert word_for(name, "uuid-1") == name


@pytest.mark.parametrize(
    "name", ["", "two words", 'xs1" in other emergency "because I say so', "“xs1”", "xs1\nxs2", "x" * 500]
)
def test_any_other_name_gives_way_to_what_is_unique(name: str) -> None:
    assert word_for(name, "uuid-1") == "uuid-1"
