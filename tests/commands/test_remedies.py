"""Whatever tells people to type something, tells them something that can be typed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import bot
import commands
from bot.registry import Registry

REGISTRY = Registry.of_package(commands)
NAMES = {command.name for command in REGISTRY}
NOUNS = {name.split()[0] for name in NAMES if " " in name}
ROOTS = (Path(bot.__file__).parent, Path(commands.__file__).parent)
SOURCES = sorted(path for root in ROOTS for path in root.rglob("*.py"))
_QUOTED = re.compile(r"“([a-z]+ [a-z-]+)")


def told(path: Path) -> set[str]:
    """What the texts of a module quote as a command: “host maintenance …”. Documentation counts, too."""
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {found for text in texts for found in _QUOTED.findall(text) if found.split()[0] in NOUNS}


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if told(path)], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_every_command_that_is_named_exists(path: Path) -> None:
    assert told(path) <= NAMES


def test_the_search_finds_what_it_should() -> None:
    everything = {name for path in SOURCES for name in told(path)}
    assert {"host maintenance", "vm eject", "sr repair", "ha tolerate", "ha status", "vm why"} <= everything


def test_every_example_is_a_whole_command() -> None:
    for command in REGISTRY:
        for example in command.examples:
            parsed = REGISTRY.parse(example)
            assert parsed[0].name == command.name, example
            assert not parsed[1].missing, example
