"""The log of a process, on standard error: one line a message, plain or as JSON, whatever names and words it quotes.

What a message is about – the request, the pool, the delivery that asked – is said once, by :func:`about`, and stands
beside every message logged meanwhile, also by a library. A thread starts with nothing; :func:`carried` takes it along.
"""

from __future__ import annotations

import contextvars
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal, ParamSpec, TypeVar

from bot.text import one_line
from bot.withheld import redacted_text

P = ParamSpec("P")
T = TypeVar("T")

Style = Literal["plain", "json"]

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_NOTHING: Mapping[str, str] = {}
_subjects: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("subjects", default=_NOTHING)


@contextmanager
def about(*, ask: str = "", request: str = "", pool: str = "") -> Iterator[None]:
    """What is logged within the block is about this: the question (a delivery's id), the request, the pool. What is not
    given stays as it was.
    """
    given = {name: value for name, value in (("ask", ask), ("request", request), ("pool", pool)) if value}
    token = _subjects.set({**_subjects.get(), **given})
    try:
        yield
    finally:
        _subjects.reset(token)


def subjects() -> Mapping[str, str]:
    """What is logged here and now is about."""
    return _subjects.get()


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """`work` for another thread, whose messages are about the same as this one's."""
    mine = _subjects.get()

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        token = _subjects.set(mine)
        try:
            return work(*args, **kwargs)
        finally:
            _subjects.reset(token)

    return run


class OneLine(logging.Formatter):
    """Messages as :func:`bot.text.one_line`: what somebody typed cannot look like a line of the log, nor move a
    terminal's cursor. Below a message, a traceback's lines are indented. What looks like a secret is withheld.
    """

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        """By this machine's clock, with how far it is from UTC: who is on call may sit elsewhere."""
        # Name and parameters are those of logging.Formatter; there is one format here, so `datefmt` says nothing.
        return datetime.fromtimestamp(record.created, UTC).astimezone().isoformat(" ", "milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        told = "".join(f"{name} {_clean(value)}: " for name, value in _subjects.get().items())
        record.message = told + _clean(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).splitlines()  # type: ignore[arg-type]  # logging passes what it was given
        return "\n".join(f"    {_clean(line)}" for line in lines)


class Json(logging.Formatter):
    """One object a line, ASCII: `at` (UTC), `level`, `logger`, `thread`, `message`, what it is about (`ask`, `request`,
    `pool`), and for an exception `exception`, its traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "thread": record.threadName,
            "message": _clean(record.getMessage()),
            **{name: _clean(value) for name, value in _subjects.get().items()},
        }
        if record.exc_info:
            line["exception"] = redacted_text(self.formatException(record.exc_info))
        return json.dumps(line)


def to_stderr(level: int, style: Style = "plain") -> None:
    """Log to standard error from `level` on. Said again, it changes how what is set up already writes."""
    formatter = Json() if style == "json" else OneLine(_FORMAT)
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, OneLine | Json):
            handler.setFormatter(formatter)
            return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler])


def _clean(text: str) -> str:
    return one_line(redacted_text(text))
