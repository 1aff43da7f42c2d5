"""`xenia cmd --wait --limit`: whoever waits is not kept for ever, and what was asked stays as it is."""

from __future__ import annotations

import pytest

from bot import cli
from bot.model import State
from tests.e2e.conftest import Town


def test_who_waits_for_a_decision_is_let_go_after_the_limit(lab_town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["cmd", "--as", "operator", "--wait", "--limit", "1", "vm migrate web-1 to xs2"]
    assert cli.main([*words, "--config", str(lab_town.config)]) == 3
    said = capsys.readouterr().out
    assert "Request X-1 has not ended yet" in said
    assert "request show X-1" in said
    assert lab_town.bot is not None
    found = lab_town.bot.store.request("X-1")
    assert found is not None
    assert found.state is State.WAITING
