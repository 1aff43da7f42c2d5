"""Answers of read-only commands, for any medium."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Level(StrEnum):
    """How a line is meant to strike the eye."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell. With `bar` (0 to 1) a bar is drawn before the text."""

    text: str
    level: Level = Level.NONE
    bar: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is found, what more there is to know of it, and what to do."""

    text: str
    level: Level = Level.NONE
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    heading: str = ""
    lines: tuple[Line, ...] = ()
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    heading: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    more: int = 0
    """Rows that were left out."""
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    heading: str = ""
    pairs: tuple[tuple[str, Cell], ...] = ()
    kind: Literal["facts"] = "facts"


Part = Lines | Table | Facts


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A command that the reader may want next."""

    label: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a report. `alt` says what a picture shows."""

    name: str
    title: str
    content: str
    """In base64, so that it can be kept with the report."""
    alt: str = ""

    @classmethod
    def of(cls, name: str, title: str, data: bytes, alt: str = "") -> Attachment:
        return cls(name=name, title=title, content=base64.b64encode(data).decode(), alt=alt)

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer of a read-only command, for any medium."""

    title: str
    level: Level = Level.NONE
    summary: str = ""
    parts: tuple[Part, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    attachments: tuple[Attachment, ...] = ()
