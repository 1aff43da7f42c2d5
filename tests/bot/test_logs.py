"""Nothing that is quoted in the log can look like a line of it."""

from __future__ import annotations

import io
import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from bot.logs import Json, OneLine, about, carried, to_stderr
from bot.withheld import WITHHELD

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


def test_a_line_says_when_wherever_it_is_read() -> None:
    time, _, message = formatted(OneLine("%(asctime)s|%(message)s"), "begun").partition("|")
    assert message == "begun"
    assert abs(datetime.fromisoformat(time) - datetime.now(UTC)) < timedelta(hours=1)


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


def formatted(formatter: logging.Formatter, message: str, *args: object) -> str:
    return formatter.format(logging.LogRecord("bot.x", logging.WARNING, "", 1, message, args, None))


def test_what_a_message_is_about_stands_before_it_also_in_another_thread() -> None:
    plain = OneLine("%(levelname)s %(message)s")
    with ThreadPoolExecutor(1) as threads, about(ask="1a2b"), about(request="X-7", pool="lab"):
        assert formatted(plain, "begun") == "WARNING ask 1a2b: request X-7: pool lab: begun"
        carried_along = threads.submit(carried(lambda: formatted(plain, "there"))).result(10)
        assert carried_along == "WARNING ask 1a2b: request X-7: pool lab: there"
        assert threads.submit(lambda: formatted(plain, "alone")).result(10) == "WARNING alone"
    assert formatted(plain, "after") == "WARNING after"


def test_as_json_it_is_one_object_a_line() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        record = logging.LogRecord("bot.x", logging.ERROR, "", 1, "bug: %s", (FORGED,), sys.exc_info())
    with about(request="X-7"):
        line = Json().format(record)
    assert line.isascii()
    assert "\n" not in line
    told = json.loads(line)
    assert told["message"].startswith("bug: x⏎2026-03-01")
    assert (told["level"], told["logger"], told["request"]) == ("ERROR", "bot.x", "X-7")
    assert datetime.fromisoformat(told["at"]).utcoffset() == timedelta(0)
    assert "ValueError" in told["exception"]
    assert "pool" not in told


@pytest.mark.parametrize("formatter", [OneLine("%(message)s"), Json()], ids=["plain", "json"])
def test_what_looks_like_a_secret_is_withheld(formatter: logging.Formatter) -> None:
    for secret in ("OpaqueRef:12-ab", "xoxb-1-a", "xapp-1-A0-b", "https://hooks.slack.com/commands/T0/1"):
        line = formatted(formatter, "it said %s", secret)
        assert secret not in line
        assert WITHHELD in line


def test_the_style_can_be_changed_once_the_configuration_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.RootLogger(logging.WARNING)
    monkeypatch.setattr(logging, "root", root)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    to_stderr(logging.INFO)
    to_stderr(logging.INFO, "json")
    root.info("once")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "once"
