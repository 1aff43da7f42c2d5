"""Whatever tells people to type something, tells them something that can be typed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests import told, xe
from tests.told import REGISTRY, SOURCES

PAGES = sorted(page for page in (*told.ROOTS[0].parent.glob("*.md"), *told.ROOTS[0].parent.glob("docs/*.md")))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@cache
def commands_of(path: Path) -> set[str]:
    return {command for text in told.texts(path) for command in told.quoted(text.text)} | built(path)


@cache
def built(path: Path) -> set[str]:
    return set(told.built(path))


@pytest.mark.parametrize("path", [path for path in SOURCES if commands_of(path)], ids=name_of)
def test_every_command_that_is_named_can_be_typed(path: Path) -> None:
    assert [
        problem
        for command in sorted(commands_of(path))
        if (problem := told.problem(command, whole=command not in built(path)))
    ] == []


@pytest.mark.parametrize("path", [path for path in SOURCES if "xe " in path.read_text("utf-8")], ids=name_of)
def test_every_line_for_the_toolstack_can_be_typed(path: Path) -> None:
    problems = [
        problem
        for text in told.texts(path)
        for name, given in xe.lines(text.text)
        if (problem := xe.problem(name, given, whole=not text.docstring))
    ]
    assert problems == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_pages_name_only_lines_that_exist(page: Path) -> None:
    lines = list(xe.lines(page.read_text(encoding="utf-8")))
    assert [problem for name, given in lines if (problem := xe.problem(name, given, whole=False))] == []


def test_the_search_finds_what_it_should() -> None:
    everything = {command for path in SOURCES for command in commands_of(path)}
    assert {"host maintenance … on", "vm eject …", "sr repair …", "ha status", "pool backup"} <= everything
    lines = {name for path in SOURCES for text in told.texts(path) for name, _ in xe.lines(text.text)}
    assert {"pool-dump-database", "pif-reconfigure-ip", "host-param-set"} <= lines


@pytest.mark.parametrize("command", ["host maintenance …", "host maintenance … of", "vm ejct …", "pool backup now"])
def test_what_cannot_be_typed_is_found(command: str) -> None:
    assert told.problem(command)


@pytest.mark.parametrize(
    "text",
    [
        "xe pool-designate-master host-uuid=…",
        "xe pool-eject",
        "xe pool-eject uuid=…",
        "xe host-disable",
        "xe host-param-set multipathing=true",
        "xe host-param-set uuid=… multipath=true",
    ],
)
def test_a_wrong_line_for_the_toolstack_is_found(text: str) -> None:
    assert [xe.problem(name, given) for name, given in xe.lines(text)] != [""]


def test_every_example_is_a_whole_command() -> None:
    for command in REGISTRY:
        for example in command.examples:
            parsed = REGISTRY.parse(example)
            assert parsed[0].name == command.name, example
            assert not parsed[1].missing, example
