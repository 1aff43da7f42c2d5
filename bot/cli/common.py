"""What several commands of the command line share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from bot import trial
from bot.model import Level
from bot.terminal import Terminal
from bot.trial import Point

Parsers = argparse._SubParsersAction
MARKS = {Level.OK: ("✓", "green"), Level.WARN: ("!", "yellow"), Level.BAD: ("✗", "red")}


def show(points: Iterator[Point], terminal: Terminal) -> Level:
    """Write each point as it comes; returns the worst."""
    found = []
    for point in trial.once(points):
        mark, colour = MARKS[point.level]
        terminal.line(f"{mark} {point.text}", "" if point.level is Level.OK else colour)
        if point.remedy:
            terminal.line(f"    {point.remedy}")
        found.append(point)
    return trial.worst(found)
