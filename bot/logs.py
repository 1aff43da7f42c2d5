"""The log of a process, on standard error: one line a message, whatever names and words it quotes."""

from __future__ import annotations

import logging
import sys

from bot.text import one_line

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class OneLine(logging.Formatter):
    """Messages as :func:`bot.text.one_line`: what somebody typed cannot look like a line of the log, nor move a
    terminal's cursor. Below a message, a traceback's lines are indented.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).splitlines()  # type: ignore[arg-type]
        return "\n".join(f"    {one_line(line)}" for line in lines)


def to_stderr(level: int) -> None:
    """Log to standard error from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(_FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
