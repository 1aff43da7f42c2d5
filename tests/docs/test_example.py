"""The command that docs/adding-a-command.md shows: dropped into the bot, it is found, asked for, approved and done."""

from __future__ import annotations

from pathlib import Path

import pytest

import commands
from bot.model import State
from docs.generate import EXAMPLE
from tests.e2e.conftest import text_of, town
from tests.waiting import eventually


def test_it_works_as_a_reader_would_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(EXAMPLE.parent)])
    with town(tmp_path) as place:
        assert "vm rename VM as TEXT" in place.say("help vm rename")
        assert "is called web-1 already" in place.say("vm rename web-1 as web-1")
        request_id = place.ask("vm rename web-1 as web-2")
        card = place.card(request_id)
        assert card is not None
        assert "another VM is called web-2" in text_of(card)
        assert "approved" in place.press("Approve", request_id)
        ended = place.ended(request_id)
        assert ended.state is State.SUCCEEDED
        assert len(place.xenapi().VM.get_by_name_label("web-2")) == 2
        assert place.xenapi().VM.get_by_name_label("web-1") == []
        back = eventually(lambda: place.ask(ended.plan.go_back), "the way back")
        place.press("Approve", back)
        assert place.ended(back).state is State.SUCCEEDED
        assert len(place.xenapi().VM.get_by_name_label("web-1")) == 1


def test_the_page_shows_the_file_itself() -> None:
    page = (EXAMPLE.parents[1] / "adding-a-command.md").read_text(encoding="utf-8")
    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```" in page
