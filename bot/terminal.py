"""Answers in a terminal: tables, colours and bars where it can show them, plain lines where it cannot, JSON for
programs.

Every string is data: it goes through :func:`bot.text.one_line` and is never read as markup or as a terminal's control
sequence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any

from pydantic import ConfigDict, TypeAdapter
from rich.console import Console, JustifyMethod, OverflowMethod
from rich.table import Table as RichTable
from rich.text import Text

from bot.answers import Answer, Bug, NeedsForm, Opened, Problem, Repeated, Shown, Voted
from bot.model import Cell, Facts, Level, Lines, Part, Report, Table
from bot.text import one_line

_MARKS = {Level.OK: ("✓", "green"), Level.INFO: ("•", "cyan"), Level.WARN: ("!", "yellow"), Level.BAD: ("✗", "red")}
_BAR_CELLS = 10
_ROOM_FOR_BARS = 76
"""Columns; in a narrower terminal the figures alone are shown."""
_FILE_WIDTH = 1000
"""A file or a pipe has no edge to fold lines at."""


def as_json(answer: Answer) -> str:
    """The answer as one JSON object; `kind` says which it is."""
    data: Any = TypeAdapter(type(answer)).dump_python(answer, mode="json")
    return json.dumps(data, ensure_ascii=True, indent=2)


def schema() -> dict[str, Any]:
    """The JSON Schema of what :func:`as_json` writes: every field is there, also those that are empty."""
    always = ConfigDict(json_schema_serialization_defaults_required=True)
    answers: TypeAdapter[Any] = TypeAdapter(Answer, config=always)
    return {"title": "An answer of xenia cmd --json", **answers.json_schema(mode="serialization")}


def status_of(answer: Answer) -> int:
    """A process's exit status: 0 when it was answered or opened; 1 when it is refused, incomplete, or went wrong."""
    refused = isinstance(answer, Shown) and answer.refused
    return 1 if refused or isinstance(answer, NeedsForm | Problem | Bug) else 0


class Terminal:
    """Writes answers to a stream. Colours only on a terminal that has them."""

    def __init__(self, stream: IO[str], width: int | None = None) -> None:
        if width is None and not stream.isatty():
            width = _FILE_WIDTH
        self._console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)

    def show(self, answer: Answer) -> int:
        """Write the answer; returns the process's exit status, as :func:`status_of` has it."""
        match answer:
            case Shown(report):
                self.report(report)
            case Opened():
                state = "was open already" if answer.existing else "is open"
                self.line(f"Request {answer.request_id} {state}: {answer.title}", "bold")
                self.line(
                    f"“request show {answer.request_id}” says what would be done, and who is still to approve it."
                )
                if answer.then:
                    self.line(answer.then)
            case Voted(text):
                self.line(text)
            case NeedsForm(form):
                missing = [_inside(each.label) for each in form.fields if each.required and not each.value]
                are = "is" if len(missing) == 1 else "are"
                self.line(f"{form.command}: {' and '.join(missing)} {are} missing", "bold")
                self.line(f"“help {form.command}” says how it is asked.")
            case Problem():
                self._problem(answer)
            case Bug(reference):
                self.line(f"That is a defect of the bot. Its log has the details under {reference}.", "red")
            case Repeated():
                self.line("That was answered already.")
        return status_of(answer)

    def report(self, report: Report) -> None:
        mark, colour = _MARKS.get(report.level, ("", ""))
        self.line(f"{mark} {report.title}".strip(), f"bold {colour}".strip())
        if report.summary:
            self.line(report.summary)
        for part in report.parts:
            self._console.print()
            self._part(part)

    def _problem(self, problem: Problem) -> None:
        self.line(problem.message, "bold red")
        if problem.text:
            shown = one_line(problem.text)
            self.line(f"  {shown}")
            self.line(f"  {' ' * problem.start}{'^' * max(problem.end - problem.start, 1)}", "red")
        for line in problem.evidence:
            self.line(f"  {line}")
        if problem.remedy:
            self.line(problem.remedy)
        for choice in problem.choices:
            self.line(f"  {choice.label}: {choice.command}")

    def _part(self, part: Part) -> None:
        if part.heading:
            self.line(part.heading, "bold")
        match part:
            case Lines():
                for line in part.lines:
                    mark, colour = _MARKS.get(line.level, ("", ""))
                    self.line(f"{mark} {line.text}".strip(), colour)
                    if line.detail:
                        self.line(f"    {line.detail}", "dim")
                    if line.remedy:
                        self.line(f"    → {line.remedy}")
            case Facts():
                grid = RichTable.grid(padding=(0, 2))
                for name, cell in part.pairs:
                    grid.add_row(Text(one_line(name), "dim"), self._cell(cell))
                self._console.print(grid)
            case Table():
                table = RichTable(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
                # A name that is folded in the first column would begin a line that looks like another row.
                for place, column in enumerate(part.columns):
                    widest = None if place else self._console.width // 2
                    # Elsewhere nothing is cut: half an address is none.
                    overflow: OverflowMethod = "fold" if place else "ellipsis"
                    justify: JustifyMethod = "right" if _numbers(part.rows, place) else "left"
                    title = Text(one_line(column))
                    table.add_column(title, no_wrap=not place, max_width=widest, overflow=overflow, justify=justify)
                for row in part.rows:
                    table.add_row(*map(self._cell, row))
                self._console.print(table)
                if part.more:
                    self.line(f"… and {part.more} more")

    def line(self, text: str, style: str = "") -> None:
        # One line of data stays one line of output; the terminal may fold it.
        self._console.print(Text(one_line(text), style), soft_wrap=True)

    def _cell(self, cell: Cell) -> Text:
        """The text behind its mark, for whoever sees no colours, and behind its bar where there is room."""
        mark, colour = _MARKS.get(cell.level, ("", ""))
        text = Text(one_line(f"{mark} {cell.text}" if mark and cell.text else cell.text), colour)
        if cell.bar is None or self._console.width < _ROOM_FOR_BARS:
            return text
        filled = round(min(max(cell.bar, 0.0), 1.0) * _BAR_CELLS)
        return Text("█" * filled + "░" * (_BAR_CELLS - filled) + " ", "cyan") + text


def _numbers(rows: Sequence[Sequence[Cell]], place: int) -> bool:
    """Whether a column holds nothing but counts: those are read from the right."""
    texts = [row[place].text for row in rows if place < len(row) and row[place].text not in ("", "–")]
    return bool(texts) and all(text.isdecimal() for text in texts)


def _inside(label: str) -> str:
    """A label within a sentence: `host`, but `VM`."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label
