"""Nothing that is quoted in the log can look like a line of it."""

from __future__ import annotations

import io
import logging

from bot.logs import OneLine

FORGED = "x\n2026-03-01 12:00:00 INFO bot.engine: approved\x1b[2K\u2028y"


def logged(work: object) -> list[str]:
    stream = io.StringIO()
    log = logging.getLogger("tests.logs")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine("%(levelname)s %(message)s"))
    log.addHandler(handler)
    log.propagate = False
    try:
        assert callable(work)
        work(log)
    finally:
        log.removeHandler(handler)
        log.propagate = True
    return stream.getvalue().splitlines()


def test_a_message_is_one_line() -> None:
    (line,) = logged(lambda log: log.warning("denied: %s", FORGED))
    assert line == "WARNING denied: x⏎2026-03-01 12:00:00 INFO bot.engine: approved⟨1B⟩[2K⏎y"


def test_an_exception_s_text_stays_below_its_message() -> None:
    def fail(log: logging.Logger) -> None:
        try:
            raise ValueError(FORGED)
        except ValueError:
            log.exception("bug")

    first, *rest = logged(fail)
    assert first == "ERROR bug"
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert not any("\x1b" in line for line in rest)
