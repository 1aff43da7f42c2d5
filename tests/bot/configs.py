"""A configuration file for tests, read as the bot reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import config

BASE = """\
[slack]
bot_token = "env:XENIA_TEST_BOT_TOKEN"
app_token = "env:XENIA_TEST_APP_TOKEN"
team = "T0EXAMPLE"

[policy]
operators = ["U0OLGA"]
approvers = ["U0ANA", "S0APPROVERS"]
readers = ["everyone"]

[pools.lab]
hosts = ["10.0.0.101"]
password = "env:XENIA_TEST_PASSWORD"

[pools.production]
hosts = ["10.0.1.101"]
password = "env:XENIA_TEST_PASSWORD"
"""


def load(text: str, folder: Path) -> config.Settings:
    path = folder / "xenia.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def mistakes(text: str, folder: Path) -> tuple[str, ...]:
    with pytest.raises(config.ConfigError) as raised:
        load(text, folder)
    assert f"{len(raised.value.evidence)} mistake" in raised.value.message
    return raised.value.evidence
