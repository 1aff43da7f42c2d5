"""Alerts in people's words."""

from __future__ import annotations

from typing import Any

import pytest

from bot.inventory import CLASSES, Inventory, Message
from bot.rules import alert_words

USAGE = (
    'value: 0.962031\nconfig:\n<variable>\n<name value="cpu_usage"/>\n<alarm_trigger_level value="0.95"/>\n</variable>'
)


def alert(name: str, body: str = "") -> Message:
    records: dict[str, dict[str, dict[str, Any]]] = {kind.cls: {} for kind in CLASSES}
    records["message"]["a"] = {"uuid": "a", "name": name, "body": body}
    (found,) = Inventory(records=records, read_at=0.0).all(Message)
    return found


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("HOST_CLOCK_SKEW_DETECTED", "", "its clock differs from the coordinator's by minutes"),
        ("FROM_A_LATER_VERSION", "", "FROM_A_LATER_VERSION"),
        ("ALARM", USAGE, "cpu_usage was 0.962, the limit is 0.95"),
        ("ALARM", 'value: nan\n<name value="x"/>', "x was nan"),
        ("ALARM", "value: 1e9\n<name value='quoted otherwise'/>", "a measurement passed its limit (ALARM)"),
        ("ALARM", "", "a measurement passed its limit (ALARM)"),
        ("A\nB", "", "A⏎B"),
    ],
    ids=["known", "unknown", "measured", "no number", "another form", "no body", "hostile"],
)
def test_what_happened(name: str, body: str, told: str) -> None:
    assert alert_words.words(alert(name, body)) == told
