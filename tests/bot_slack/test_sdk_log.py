"""What slack_sdk says into the log while Slack is away for an hour is not an hour of the same."""

from __future__ import annotations

import logging

from bot.slack.sdk_log import AGAIN_SECONDS, Quiet

LOST = "Failed to check the current session or reconnect to the server (session id: %s)"


def record(level: int, text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("bot.slack.sdk", level, "", 1, text, args, None)


def test_the_same_complaint_comes_once_in_a_while() -> None:
    now = [1000.0]
    quiet = Quiet(lambda: now[0])
    said = 0
    for _ in range(360):  # an hour, at each of its tries
        said += quiet.filter(record(logging.ERROR, LOST, "a"))
        now[0] += 10
    assert said == 3600 / AGAIN_SECONDS


def test_another_complaint_is_heard_at_once_and_so_is_a_new_connection() -> None:
    quiet = Quiet(lambda: 1000.0)
    assert quiet.filter(record(logging.ERROR, LOST, "a"))
    assert not quiet.filter(record(logging.ERROR, LOST, "a"))
    assert quiet.filter(record(logging.ERROR, LOST, "b"))
    for _ in range(2):
        assert quiet.filter(record(logging.INFO, "A new session has been established (session id: %s)", "c"))
        assert not quiet.filter(record(logging.INFO, "Starting to receive messages from a new connection"))


def test_many_different_complaints_are_heard_and_not_all_kept() -> None:
    quiet = Quiet(lambda: 1000.0)
    assert all(quiet.filter(record(logging.WARNING, "%d", number)) for number in range(1000))
    assert len(quiet._said) <= 100
