"""What the bot writes into a configuration file is read back as what was meant."""

from __future__ import annotations

import tomllib

import pytest

from bot.config.spelling import toml


@pytest.mark.parametrize(
    "value", ["lab", 'a "quoted" \\ path', "tab\tand\nline", "Büro ☃ 𝄞", "del\x7f", "", ["a", "b\x7f"]], ids=repr
)
def test_a_value_comes_back_as_it_was(value: str | list[str]) -> None:
    assert tomllib.loads(f"key = {toml(value)}") == {"key": value}
