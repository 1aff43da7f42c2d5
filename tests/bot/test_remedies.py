"""What a remedy tells to type can be pressed: which commands are found in it, and for which pool."""

from __future__ import annotations

import pytest

from bot import remedies
from bot.text import joined, quoted


@pytest.mark.parametrize(
    ("remedy", "expected"),
    [
        (
            "Take the ISO out: “vm eject files-1”. Or “vm shutdown files-1”.",
            ["vm eject files-1", "vm shutdown files-1"],
        ),
        ('Move it: “vm disk move build-1/0 to "NFS storage"”', ['vm disk move build-1/0 to "NFS storage"']),
        ("“ha test HOST” watches; “vm show VM” says more.", []),
        ("Once dealt with: xe message-destroy uuid=1", []),
        ("“request show X-1” says more.", []),
    ],
)
def test_the_commands_that_a_remedy_names_are_offered(remedy: str, expected: list[str]) -> None:
    assert [each.label for each in remedies.commands([remedy], "lab")] == expected


@pytest.mark.parametrize(
    "name", ["ha disable", "pool shutdown", "host shutdown “xs1”", "vm list ’s", "sr forget x" * 40]
)
def test_no_name_becomes_a_button(name: str) -> None:
    assert remedies.commands([f"Free space on {quoted(name)}, or move {joined([name, name])}."], "lab") == ()


def test_each_is_offered_once_for_its_pool_and_not_too_many_are() -> None:
    found = remedies.commands(
        ["“vm eject a”", "“vm eject a”", "“host add b in lab”", *(f"“vm eject v{n}”" for n in range(9))], "lab"
    )
    assert [each.command for each in found] == [
        "vm eject a in lab",
        "host add b in lab",
        "vm eject v0 in lab",
        "vm eject v1 in lab",
    ]
