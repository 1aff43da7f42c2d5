"""Tables as monospaced lines, readable in Slack's code blocks (which wrap beyond some ninety characters)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.model import Cell, Level, Table
from bot.slack.render.escape import line
from bot.text import one_line

WIDTH = 88
NARROWEST = 8
"""No column is made narrower than this to fit."""
_BAR = 6
_GAP = "  "
_MARKS = {Level.OK: "✓ ", Level.WARN: "! ", Level.BAD: "✗ ", Level.INFO: "· ", Level.NONE: ""}
_MARK_WIDTH = 2
_NUMBER = re.compile(r"[-+]?\d[\d.,:/]*(\s?(%|[KMGT]i?B|B|s|min|h|days?))?")


def bar(fraction: float, width: int, full: str = "█", empty: str = "░") -> str:
    """How much of `width` is filled; anything above nothing shows, and only everything fills it."""
    share = min(max(fraction, 0.0), 1.0)
    filled = min(max(int(share * width), 1 if share > 0 else 0), width if share >= 1 else width - 1)
    return full * filled + empty * (width - filled)


def display_width(text: str) -> int:
    """Columns that a line takes: two for wide characters, none for combining ones."""
    return sum(_columns(character) for character in text)


def clip(text: str, width: int) -> str:
    """The text in at most `width` columns, ending in "…" when cut."""
    if display_width(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        columns = _columns(character)
        if used + columns > width - 1:
            break
        kept.append(character)
        used += columns
    return "".join(kept) + "…"


def lines(table: Table, rows: int, width: int = WIDTH) -> list[str]:
    """The table's first `rows` rows under its column names; a last line counts rows left out, here or before."""
    shown = table.rows[:rows]
    count = max([len(table.columns), *(len(row) for row in shown)], default=0)
    if not count:
        return []
    cells = [[row[i] if i < len(row) else Cell("") for row in shown] for i in range(count)]
    titles = [one_line(table.columns[i]) if i < len(table.columns) else "" for i in range(count)]
    texts = [_column(column) for column in cells]
    widths = _fit([max(map(display_width, [titles[i], *texts[i]])) for i in range(count)], width)
    right = [bool(column) and all(not cell.text or _NUMBER.fullmatch(cell.text) for cell in column) for column in cells]

    def joined(parts: Sequence[str]) -> str:
        return _GAP.join(_pad(clip(part, widths[i]), widths[i], right[i]) for i, part in enumerate(parts)).rstrip()

    made = [joined(titles), "─" * (sum(widths) + len(_GAP) * (count - 1))] if any(titles) else []
    made += [joined([texts[i][row] for i in range(count)]) for row in range(len(shown))]
    left_out = len(table.rows) - len(shown) + table.more
    if left_out:
        made.append(f"… and {left_out} more")
    return made


def _column(cells: Sequence[Cell]) -> list[str]:
    """The texts of one column, each behind its mark and bar, or behind the room that others' marks and bars take."""
    marked = any(cell.level is not Level.NONE for cell in cells)
    barred = any(cell.bar is not None for cell in cells)
    made = []
    for cell in cells:
        before = _MARKS[cell.level].ljust(_MARK_WIDTH) if marked else ""
        if barred:
            before += (bar(cell.bar, _BAR) if cell.bar is not None else " " * _BAR) + " "
        made.append((before + line(cell.text, WIDTH) if cell.text else before).rstrip())
    return made


def _fit(widths: list[int], total: int) -> list[int]:
    """Widths that make a line of at most `total`: all wide columns are cut to the same width, short ones are kept."""
    room = total - len(_GAP) * (len(widths) - 1)
    most = max(widths)
    while sum(min(width, most) for width in widths) > room and most > NARROWEST:
        most -= 1
    fitted = [min(width, most) for width in widths]
    for i, width in enumerate(widths):  # what the last cut was too much
        fitted[i] += max(0, min(width - fitted[i], room - sum(fitted)))
    return fitted


def _pad(text: str, width: int, right: bool) -> str:
    room = " " * (width - display_width(text))
    return room + text if right else text + room


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
