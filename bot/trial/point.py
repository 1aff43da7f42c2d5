"""One thing that was tried, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.errors import UserError
from bot.model import Level


@dataclass(frozen=True, slots=True)
class Point:
    """`level` is OK, WARN (something will not work as it could) or BAD (the bot cannot do its work)."""

    level: Level
    text: str
    remedy: str = ""

    @classmethod
    def of(cls, error: UserError) -> Point:
        evidence = f" ({'; '.join(error.evidence)})" if error.evidence else ""
        return cls(Level.BAD, f"{error.message}{evidence}", error.remedy)


def once(points: Iterable[Point]) -> Iterator[Point]:
    """Without those whose words another has said before: a password that cannot be read also keeps its pool away."""
    said: list[str] = []
    for point in points:
        if not any(point.text in each for each in said):
            said.append(point.text)
            yield point


def worst(points: Iterable[Point]) -> Level:
    """BAD, WARN or OK: the worst that there is."""
    found = {point.level for point in points}
    return next((level for level in (Level.BAD, Level.WARN) if level in found), Level.OK)
