"""A scheduled audit's message with its thread: everything found, and the files, each once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import text_of, town
from tests.e2e.people import done
from tests.e2e.scheduled import Ahead, told
from tests.waiting import eventually

FILES = {"csv", "json", "html", "png"}


@pytest.mark.timeout(180)
def test_a_scheduled_audit_brings_its_files_into_its_thread(tmp_path: Path) -> None:
    clock = Ahead()
    with town(tmp_path, clock=clock) as place:
        assert place.bot is not None
        done(place, "audit schedule compatibility every 15 minutes on lab in #infra")
        clock.by = timedelta(minutes=15)
        (message,) = eventually(lambda: told(place, "lab: 10 findings"), "the message")
        assert "vm eject files-1" in {button["text"]["text"] for button in buttons(message)}

        def with_files() -> list[dict[str, Any]]:
            thread = place.workspace.messages("#infra", "olga", message["ts"])
            return [one for one in thread if one.get("files")]

        (shown,) = eventually(with_files, "the files in the thread")
        assert "Audit 1 of lab as files" in text_of(shown)
        assert {file["name"].rpartition(".")[2] for file in shown["files"]} == FILES
        store = place.bot.store
        eventually(lambda: store.next_due() is None, "everything to be delivered")
        assert len(with_files()) == 1


def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for block in message["blocks"] for each in block.get("elements", ()) if each.get("type") == "button"]
