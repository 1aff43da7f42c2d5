from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.store import SqliteStore
from bot.store.redaction import redacted, redacted_error
from bot.withheld import WITHHELD
from tests.bot_store.helpers import entry


@pytest.mark.parametrize(
    ("body", "kept", "places"),
    [
        ({"vm": "web-1", "n": 1}, {"vm": "web-1", "n": 1}, ()),
        ({"session": "abc"}, {"session": WITHHELD}, ("session",)),
        ({"session_id": "abc"}, {"session_id": WITHHELD}, ("session_id",)),
        ({"sessions": 3}, {"sessions": 3}, ()),
        ({"config": {"chappassword": "x"}}, {"config": {"chappassword": WITHHELD}}, ("config.chappassword",)),
        ({"a": [{"Password": "x"}]}, {"a": [{"Password": WITHHELD}]}, ("a[0].Password",)),
        ({"api-token": {"deep": ["x"]}}, {"api-token": WITHHELD}, ("api-token",)),
        ({"token": "", "has_password": True, "secret": None}, {"token": "", "has_password": True, "secret": None}, ()),
        ({"error": "gone: OpaqueRef:1a-2b, again"}, {"error": f"gone: {WITHHELD}, again"}, ("error",)),
        ({"ref": "OpaqueRef:NULL"}, {"ref": "OpaqueRef:NULL"}, ()),
        ({"x": ["xoxb-12-ab", "xapp-1-A-b"]}, {"x": [WITHHELD, WITHHELD]}, ("x[0]", "x[1]")),
        ({"url": "https://hooks.slack.com/commands/T/1/z"}, {"url": WITHHELD}, ("url",)),
        ({"sr": "smb://bob:pw@nas/x"}, {"sr": f"smb://{WITHHELD}@nas/x"}, ("sr",)),
    ],
)  # fmt: skip
def test_what_is_withheld(body: dict[str, Any], kept: dict[str, Any], places: tuple[str, ...]) -> None:
    assert redacted(body) == (kept, places)


def test_long_texts_are_kept_as_hash_and_beginning() -> None:
    clean, places = redacted({"xml": "ab" * 3000})
    assert places == ()
    assert (clean["xml"]["characters"], clean["xml"]["begins"]) == (6000, "ab" * 100)
    assert len(clean["xml"]["sha256"]) == 64


def test_only_the_session_of_an_error_array() -> None:
    assert redacted_error(("VM_BAD_POWER_STATE", "OpaqueRef:1", "halted")) == (
        "VM_BAD_POWER_STATE",
        "OpaqueRef:1",
        "halted",
    )
    assert redacted_error(("SESSION_INVALID", "OpaqueRef:1")) == ("SESSION_INVALID", WITHHELD)
    assert redacted_error(()) == ()


def test_the_secret_is_nowhere_and_the_defect_is_logged(
    store: SqliteStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.record(entry("sr.create", body={"device_config": {"password": "hunter2", "target": "10.0.0.112"}}))
    store.close()
    assert b"hunter2" not in b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert "hunter2" not in caplog.text
    assert "device_config.password" in caplog.text
    assert caplog.records[0].levelname == "ERROR"
