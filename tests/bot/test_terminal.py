"""Answers in a terminal: what is written, and the exit status that goes with it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from bot.answers import Answer, Bug, Form, FormField, NeedsForm, Opened, Problem, Repeated, Shown, Voted
from bot.model import Cell, Level, Line, Lines, Place, Report, Table
from bot.terminal import Terminal, as_json, schema, status_of

REPORT = Report(title="lab: well")


def written(answer: Answer) -> str:
    stream = io.StringIO()
    Terminal(stream).show(answer)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Shown(REPORT), 0),
        (Shown(Report(title="not possible", level=Level.BAD), refused=True), 1),
        (Shown(Report(title="a host is dead", level=Level.BAD)), 0),
        (Opened("X-1", Place(kind="terminal"), "move web-1"), 0),
        (Voted("counted"), 0),
        (Repeated(), 0),
        (NeedsForm(Form(command="vm show", title="vm show", summary="One VM.", fields=())), 1),
        (Problem(error="denied", message="No."), 1),
        (Bug("b-1"), 1),
    ],
    ids=["report", "refused", "bad news", "opened", "voted", "repeated", "incomplete", "problem", "defect"],
)
def test_the_exit_status_tells_programs_what_became_of_it(answer: Answer, status: int) -> None:
    assert status_of(answer) == status
    assert Terminal(io.StringIO()).show(answer) == status


def test_what_is_missing_is_named_as_in_a_sentence() -> None:
    fields = (
        FormField(name="host", label="Host that is in no pool yet", object_class="", required=True),
        FormField(name="vm", label="VM", object_class="VM", required=True),
        FormField(name="sr", label="Storage repository", object_class="SR", required=True, value="nfs"),
    )
    told = written(NeedsForm(Form(command="host add", title="host add", summary="", fields=fields)))
    assert told.startswith("host add: host that is in no pool yet and VM are missing\n")
    told = written(NeedsForm(Form(command="vm show", title="vm show", summary="", fields=fields[1:])))
    assert told.startswith("vm show: VM is missing\n")


@pytest.mark.parametrize(
    "answer",
    [
        Shown(
            Report(
                title="lab", parts=(Table(columns=("Host",), rows=((Cell("xs1"),),)), Lines(lines=(Line(text="x"),)))
            )
        ),
        Opened("X-7", Place(kind="terminal"), "move web-1"),
        Problem(error="denied", message="No."),
        Bug("b-1"),
    ],
    ids=["report", "opened", "problem", "defect"],
)
def test_what_programs_read_is_as_the_schema_says(answer: Answer) -> None:
    described = schema()["$defs"]

    def same(value: object, told: dict[str, Any]) -> None:
        ways = [described[each["$ref"].rpartition("/")[2]] for each in told.get("anyOf", [told]) if "$ref" in each]
        if isinstance(value, dict):
            fitting = [way for way in ways if set(way["properties"]) == set(value) == set(way["required"])]
            assert fitting, (value, ways)
            for name, inner in value.items():
                same(inner, fitting[0]["properties"][name])
        elif isinstance(value, list):
            for each in value:
                same(each, told.get("items") or next(way["items"] for way in told["anyOf"] if "items" in way))

    read = json.loads(as_json(answer))
    assert read["kind"] == answer.kind
    same(read, {"anyOf": schema()["anyOf"]})


def test_what_to_do_stands_on_a_line_of_its_own() -> None:
    line = Line(text="nfs-1 is unplugged", level=Level.BAD, detail="on xs2", remedy="Plug it.")
    told = written(Shown(Report(title="lab", parts=(Lines(lines=(line,)),))))
    assert "✗ nfs-1 is unplugged\n    on xs2\n    → Plug it.\n" in told


def test_where_an_opened_request_is_shown() -> None:
    told = written(Opened("X-7", Place(kind="terminal"), "move web-1"))
    assert told.startswith("Request X-7 is open: move web-1\n“request show X-7”")


HOSTS = Table(
    columns=("Host", "Address", "State", "Memory", "VMs"),
    rows=(
        (Cell("xs31"), Cell("10.200.100.131"), Cell("enabled", Level.OK), Cell("98 of 256 GiB", bar=0.4), Cell("3")),
        (Cell("xs32"), Cell("10.200.100.132"), Cell("dead", Level.BAD), Cell("0 of 256 GiB", bar=0.0), Cell("12")),
    ),
)


def test_a_table_says_without_colours_what_is_wrong_and_lines_counts_up() -> None:
    told = written(Shown(Report(title="lab", parts=(HOSTS,))))
    assert "✓ enabled" in told
    assert "✗ dead" in told
    first, second = (line.rstrip() for line in told.splitlines() if line.startswith("xs3"))
    assert first.endswith("  3")
    assert second.endswith(" 12")
    assert len(first) == len(second)


@pytest.mark.parametrize("width", [40, 60])
def test_nothing_is_cut_off_in_a_narrow_terminal(width: int) -> None:
    stream = io.StringIO()
    Terminal(stream, width=width).show(Shown(Report(title="lab", parts=(HOSTS,))))
    told = stream.getvalue()
    assert "…" not in told
    assert all(len(line.rstrip()) <= width for line in told.splitlines())
    assert "█" not in told
    assert "".join(told.split()).count("GiB") == 2
