"""Objects that share their name: who is warned, and that both are told apart."""

from __future__ import annotations

from typing import Any

import pytest

from bot.inventory import CLASSES, Inventory
from bot.model import ObjectId, Verdict
from bot.rules import namesakes

UUIDS = {"a": "aaaaaaaa-0000-4000-8000-000000000001", "b": "bbbbbbbb-0000-4000-8000-000000000002",
         "c": "cccccccc-0000-4000-8000-000000000003"}  # fmt: skip


def pool_of(cls: str, *rows: dict[str, Any]) -> Inventory:
    records: dict[str, dict[str, dict[str, Any]]] = {kind.cls: {} for kind in CLASSES}
    records["pool"]["p"] = {"uuid": "p", "name_label": "lab", "master": "OpaqueRef:NULL"}
    for ref, row in zip(UUIDS, rows, strict=False):
        records[cls][ref] = {"uuid": UUIDS[ref], "power_state": "Halted", **row}
    return Inventory(records=records, read_at=0.0)


def touching(inventory: Inventory, cls: str, *refs: str) -> list[tuple[str, str]]:
    found = list(namesakes.of_touched([ObjectId(cls, UUIDS[ref], "x") for ref in refs], inventory))
    assert all(each.verdict is Verdict.WARN and each.id == "name.shared" for each in found)
    return [(each.title, each.evidence) for each in found]


def test_a_vm_that_has_a_namesake_is_told_apart_by_the_head_of_its_uuid() -> None:
    inventory = pool_of("VM", {"name_label": "jenkins"}, {"name_label": "Jenkins "}, {"name_label": "web-1"})
    assert touching(inventory, "VM", "a") == [
        (
            "another VM of lab is called jenkins too",
            "meant is jenkins halted (aaaaaaaa); not “Jenkins ” halted (bbbbbbbb)",
        )
    ]
    assert touching(inventory, "VM", "c") == []


@pytest.mark.parametrize(
    ("cls", "row", "warned"),
    [
        ("host", {}, True),
        ("SR", {"shared": True}, True),
        ("SR", {"shared": False}, False),
        ("VM", {"is_a_template": True}, False),
        ("VDI", {"managed": True}, False),
    ],
    ids=["host", "shared storage", "storage of one host", "template", "disk"],
)
def test_only_what_is_known_by_its_name_alone_is_warned_of(cls: str, row: dict[str, Any], warned: bool) -> None:
    inventory = pool_of(cls, *[{"name_label": "same", **row}] * 2)
    assert bool(touching(inventory, cls, "a")) is warned


@pytest.mark.parametrize("other", ["web\u00a01", "web  1", " WEB 1", "ｗeb 1", "web １"])
def test_who_can_hardly_be_told_apart_is_a_namesake_too(other: str) -> None:
    inventory = pool_of("VM", {"name_label": "web 1"}, {"name_label": other}, {"name_label": "web 11"})
    assert len(touching(inventory, "VM", "a")) == 1
    assert touching(inventory, "VM", "c") == []


def test_where_all_of_one_name_are_meant_nobody_is_warned() -> None:
    inventory = pool_of("VM", *[{"name_label": "same"}] * 2)
    assert touching(inventory, "VM", "a", "b") == []


def test_of_many_a_few_are_told() -> None:
    rows = {f"v{n}": {"uuid": f"{n:08}-0000", "name_label": "same", "power_state": "Halted"} for n in range(9)}
    records: dict[str, dict[str, dict[str, Any]]] = {kind.cls: {} for kind in CLASSES}
    records |= {"pool": {"p": {"uuid": "p", "name_label": "lab"}}, "VM": rows}
    (found,) = namesakes.of_touched([ObjectId("VM", "00000004-0000", "same")], Inventory(records=records, read_at=0.0))
    assert found.evidence.startswith("meant is same halted (00000004); not same halted (00000000); ")
    assert found.evidence.endswith("; 5 more")
