"""A report as a message: what `pool status` and its like answer with."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Cell, Facts, Level, Line, Lines, Part, Report, Suggestion, Table
from bot.slack.render import rich, table
from bot.slack.render.escape import fallback
from bot.slack.render.ids import run_button
from bot.slack.render.message import BUTTON_VALUE, Block, Message, actions, context, cut, fits, header, record

_ROWS = (100, 64, 40, 25, 15, 10, 6, 3)
"""Rows shown of each part: the first of these with which everything fits."""
_SUGGESTIONS = 10
_LEVEL_WORDS = {Level.BAD: "Needs attention", Level.WARN: "Warning"}


def message(report: Report, head: str = "") -> Message:
    """With the ledger's `head` below it, where one is to be kept."""
    text = fallback(_LEVEL_WORDS.get(report.level, ""), report.title, report.summary)
    return Message(text, tuple(blocks(report, head)))


def blocks(report: Report, head: str = "") -> list[Block]:
    """The report's blocks, cut to what Slack takes as one message."""
    top = [header(report.title)]
    if report.summary:
        top.append(
            rich.block(rich.section([*rich.mark(report.level), rich.text(report.summary, bold=_strikes(report.level))]))
        )
    bottom = [*suggestions(report.suggestions), *([context(record(head))] if head else [])]
    for rows in _ROWS:
        made = [*top, *(part(each, rows) for each in report.parts), *bottom]
        if fits(made):
            return made
    kept = list(report.parts)
    while kept:
        kept.pop()
        left_out = len(report.parts) - len(kept)
        more = rich.block(rich.section([rich.text(f"… and {left_out} more parts, too long for Slack.", italic=True)]))
        made = [*top, *(part(each, _ROWS[-1]) for each in kept), more, *bottom]
        if fits(made):
            return made
    return [*top, *bottom]


def part(shown: Part, rows: int) -> Block:
    heading = [rich.section([rich.text(shown.heading, bold=True)])] if shown.heading else []
    match shown:
        case Table():
            made = table.lines(shown, rows)
            body = rich.preformatted(made) if made else rich.section([rich.text("none", italic=True)])
        case Lines():
            items = cut(shown.lines, rows, _line)
            body = rich.listing(items) if items else rich.section([rich.text("none", italic=True)])
        case Facts():
            items = cut(shown.pairs, rows, _pair)
            body = rich.listing(items) if items else rich.section([rich.text("none", italic=True)])
    return rich.block(*heading, body)


def suggestions(offered: Sequence[Suggestion]) -> list[Block]:
    """Buttons that run a command; one that Slack cannot carry whole is left out."""
    usable = [each for each in offered if len(each.command) <= BUTTON_VALUE][:_SUGGESTIONS]
    return actions([run_button(number, each.label, each.command) for number, each in enumerate(usable)])


def _line(shown: Line) -> list[rich.Element]:
    elements = [*rich.mark(shown.level), rich.text(shown.text, bold=_strikes(shown.level))]
    if shown.detail:
        elements.append(rich.text(f"{' ' if shown.text.endswith('.') else ' – '}{shown.detail}"))
    return [*elements, *rich.remedy(shown.remedy)]


def _pair(pair: tuple[str, Cell]) -> list[rich.Element]:
    name, cell = pair
    return [rich.text(f"{name}: ", bold=True), *rich.mark(cell.level), *_bar(cell.bar), rich.text(cell.text)]


def _bar(fraction: float | None) -> list[rich.Element]:
    return [] if fraction is None else [rich.text(table.bar(fraction, 10) + " ")]


def _strikes(level: Level) -> bool:
    return level is Level.BAD
