"""When schedules are due: the words, cron's text, and the days on which the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rules import calendar

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


def local(text: str, after: datetime, count: int, zone: ZoneInfo = AMSTERDAM) -> list[str]:
    """The next times as the clock of the zone shows them, with its distance from UTC."""
    found, at = [], after
    recurrence = calendar.parse(text)
    for _ in range(count):
        following = recurrence.next(at, zone)
        assert following is not None
        assert following > at
        at = following
        found.append(at.astimezone(zone).strftime("%a %m-%d %H:%M %z"))
    return found


@pytest.mark.parametrize(
    ("text", "said", "times"),
    [
        ("daily 07:00", "daily 07:00", ["Tue 11-24 07:00", "Wed 11-25 07:00"]),
        ("Every day at 7:05", "daily 07:05", ["Tue 11-24 07:05", "Wed 11-25 07:05"]),
        ("weekdays 07:00", "weekdays 07:00", ["Tue 11-24 07:00", "Wed 11-25 07:00"]),
        ("weekends 09:30", "weekends 09:30", ["Sat 11-28 09:30", "Sun 11-29 09:30"]),
        ("mondays 07:00", "mondays 07:00", ["Mon 11-30 07:00", "Mon 12-07 07:00"]),
        (
            "thu, mondays and Friday 07:00",
            "mondays, thursdays and fridays 07:00",
            ["Thu 11-26 07:00", "Fri 11-27 07:00"],
        ),
        ("every 15 minutes", "every 15 minutes", ["Mon 11-23 12:15", "Mon 11-23 12:30"]),
        ("hourly", "hourly", ["Mon 11-23 13:00", "Mon 11-23 14:00"]),
        ("every hour", "hourly", ["Mon 11-23 13:00", "Mon 11-23 14:00"]),
        ("every 6 hours", "every 6 hours", ["Mon 11-23 18:00", "Tue 11-24 00:00"]),
        ('cron "0 7 * * 1-5"', 'cron "0 7 * * 1-5"', ["Tue 11-24 07:00", "Wed 11-25 07:00"]),
        ("cron 30 6 1 * *", 'cron "30 6 1 * *"', ["Tue 12-01 06:30", "Fri 01-01 06:30"]),
        ('cron "0 7 * * 0"', 'cron "0 7 * * 0"', ["Sun 11-29 07:00", "Sun 12-06 07:00"]),
        ('cron "0 7 * * 7"', 'cron "0 7 * * 7"', ["Sun 11-29 07:00", "Sun 12-06 07:00"]),
        ('cron "0 7 * * fri-sun"', 'cron "0 7 * * fri-sun"', ["Fri 11-27 07:00", "Sat 11-28 07:00"]),
        ('cron "0 7 * * */3"', 'cron "0 7 * * */3"', ["Wed 11-25 07:00", "Sat 11-28 07:00"]),
        ('cron "0 0 13 * 5"', 'cron "0 0 13 * 5"', ["Fri 11-27 00:00", "Fri 12-04 00:00"]),
        ('cron "0 0 29 2 *"', 'cron "0 0 29 2 *"', ["Tue 02-29 00:00", "Sun 02-29 00:00"]),
    ],
)
def test_words_and_cron_text_mean_what_people_mean(text: str, said: str, times: list[str]) -> None:
    assert calendar.parse(text).text == said
    assert calendar.parse(said) == calendar.parse(text)
    assert [each[:-6] for each in local(text, SINCE, 2, ZoneInfo("UTC"))] == times


def test_either_kind_of_day_is_enough_in_cron_text() -> None:
    """The 13th, and every Friday besides (crontab(5))."""
    days = [each[:9] for each in local('cron "0 0 13 * 5"', SINCE, 4)]
    assert days == ["Fri 11-27", "Fri 12-04", "Fri 12-11", "Sun 12-13"]


def test_a_time_that_comes_twice_is_taken_once() -> None:
    assert local("daily 02:30", datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "Sun 10-25 02:30 +0200",
        "Mon 10-26 02:30 +0100",
    ]


def test_a_time_that_is_left_out_is_taken_an_hour_later() -> None:
    assert local("daily 02:30", datetime(2026, 3, 27, 12, tzinfo=UTC), 3) == [
        "Sat 03-28 02:30 +0100",
        "Sun 03-29 03:30 +0200",
        "Mon 03-30 02:30 +0200",
    ]


def test_times_of_every_hour_go_by_what_the_clock_shows() -> None:
    assert local("every 30 minutes", datetime(2026, 10, 25, 0, 10, tzinfo=UTC), 5) == [
        "Sun 10-25 02:30 +0200",
        "Sun 10-25 02:00 +0100",
        "Sun 10-25 02:30 +0100",
        "Sun 10-25 03:00 +0100",
        "Sun 10-25 03:30 +0100",
    ]
    assert local("hourly", datetime(2026, 3, 29, 0, 10, tzinfo=UTC), 2) == [
        "Sun 03-29 03:00 +0200",
        "Sun 03-29 04:00 +0200",
    ]


def test_a_time_that_is_left_out_is_not_lost_behind_one_that_comes_before_it() -> None:
    """02:30 becomes 03:30, later than the 03:00 of the same text."""
    assert local('cron "0,30 2,3 * * *"', datetime(2026, 3, 28, 12, tzinfo=UTC), 3) == [
        "Sun 03-29 03:00 +0200",
        "Sun 03-29 03:30 +0200",
        "Mon 03-30 02:00 +0200",
    ]


def test_the_zone_decides_when_it_is_due() -> None:
    daily = calendar.parse("daily 07:00")
    due = {name: daily.next(SINCE, ZoneInfo(name)) for name in ("UTC", "Europe/Amsterdam", "Asia/Kolkata")}
    assert {name: at.hour * 60 + at.minute for name, at in due.items() if at} == {
        "UTC": 420,
        "Europe/Amsterdam": 360,
        "Asia/Kolkata": 90,
    }


def test_times_between_are_counted_with_the_last_and_without_the_first() -> None:
    hourly = calendar.parse("hourly")
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert len(hourly.between(noon, noon + timedelta(hours=3), AMSTERDAM)) == 3
    assert len(hourly.between(noon, noon + timedelta(days=400), AMSTERDAM, most=50)) == 50


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('cron "0 0 31 2 *"', "never comes"),
        ('cron "0 0 30 2 *"', "never comes"),
        ("every 4 minutes", "is the least"),
        ("every minute", "is the least"),
        ('cron "* * * * *"', "is the least"),
        ('cron "0,2 7 * * *"', "is the least"),
        ("every 7 minutes", "take one of 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30"),
        ("every 5 hours", "take one of 1, 2, 3, 4, 6, 8, 12"),
        ("every 0 hours", "does not go evenly"),
        ("daily 24:00", "no time of day"),
        ("daily", "is no schedule"),
        ("caturdays 07:00", "is no schedule"),
        ("", "is no schedule"),
        ('cron "0 7 * *"', "five fields"),
        ('cron "60 7 * * *"', "no cron text"),
        ('cron "0 7 * * 8"', "no day of the week"),
        ('cron "0 7 * * fri-tue"', "ends before it begins"),
        ('cron "0 7 * * */0"', "a step is 1 or more"),
        ('cron "0 7 last * *"', "no day of the month"),
        ('cron "0 7 * foo *"', "no month"),
        ('cron "0 7 * * 1;2"', "no day of the week"),
        ('cron "*/0 7 * * *"', "no cron text"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        calendar.parse(text)


def test_a_zone_that_does_not_exist_is_refused() -> None:
    for name in ("Europe/Atlantis", "", "../etc/passwd", "Europe"):
        with pytest.raises(ValueError, match="no time zone"):
            calendar.time_zone(name)


FIXED = ("daily 00:00", "daily 02:30", "mondays 02:00", 'cron "15 1-4 * * *"', "every 2 hours")


@settings(max_examples=60, deadline=None)
@given(
    text=st.sampled_from((*FIXED, "hourly", "every 20 minutes")),
    zone=st.sampled_from(("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "UTC")),
    minutes=st.integers(0, 60 * 24 * 365),
)
def test_the_next_time_is_the_same_from_anywhere_before_it(text: str, zone: str, minutes: int) -> None:
    recurrence, there = calendar.parse(text), ZoneInfo(zone)
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    first = recurrence.next(start, there)
    assert first is not None
    assert recurrence.next(first - timedelta(seconds=1), there) == first
    second = recurrence.next(first, there)
    assert second is not None
    assert recurrence.between(start, second, there) == (first, second)
