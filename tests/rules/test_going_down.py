"""When a host that was told to go down counts as going: at once, when it is missed, and when it has been away."""

from __future__ import annotations

import pytest

from bot.inventory import CLASSES, Host, Inventory
from bot.rules import conditions

BEFORE = "1700000000."


@pytest.mark.parametrize(
    ("operations", "live", "boot_time", "goes"),
    [
        ({}, True, BEFORE, False),
        ({"OpaqueRef:t": "shutdown"}, True, BEFORE, True),
        ({"OpaqueRef:t": "reboot"}, True, BEFORE, True),
        ({"OpaqueRef:t": "vm_migrate"}, True, BEFORE, False),
        ({}, False, BEFORE, True),
        ({}, True, "1700009999.", True),
        ({}, True, None, False),
    ],
    ids=["nothing", "shutdown", "reboot", "something else", "not heard from", "started anew", "no boot time"],
)
def test_it_shows(operations: dict[str, str], live: bool, boot_time: str | None, goes: bool) -> None:
    records: dict[str, dict[str, dict[str, object]]] = {kind.cls: {} for kind in CLASSES}
    records["pool"]["p"] = {"uuid": "p", "name_label": "lab", "master": "h"}
    records["host_metrics"]["m"] = {"uuid": "m", "live": live}
    config = {} if boot_time is None else {"boot_time": boot_time}
    records["host"]["h"] = {
        "uuid": "h", "name_label": "xs1", "metrics": "m", "other_config": config, "current_operations": operations,
    }  # fmt: skip
    inventory = Inventory(records=records, read_at=0.0)
    host = inventory.by_uuid(Host, "h")
    assert host is not None
    assert conditions.holds(conditions.LEAVING, host.id, inventory, BEFORE)[0] is goes


def test_a_condition_that_there_is_not_is_a_bug() -> None:
    records = {"host": {"h": {"uuid": "h"}}, "pool": {"p": {"uuid": "p"}}}
    inventory = Inventory(records=records, read_at=0.0)
    host = inventory.by_uuid(Host, "h")
    assert host is not None
    with pytest.raises(LookupError):
        conditions.holds("host.dances", host.id, inventory)
