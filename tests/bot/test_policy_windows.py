"""Windows of local time, also where the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy import Window

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
WEEKEND = Window.parse("Fri 18:00 – Mon 08:00 Europe/Amsterdam")


def at(text: str, zone: ZoneInfo = AMSTERDAM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-20 17:59", False),
        ("2026-11-20 18:00", True),
        ("2026-11-22 12:00", True),
        ("2026-11-23 07:59", True),
        ("2026-11-23 08:00", False),
        ("2026-11-25 12:00", False),
    ],
)
def test_it_holds_from_its_start_until_before_its_end(moment: str, inside: bool) -> None:
    assert (WEEKEND.ends(at(moment)) is not None) == inside


def test_it_says_when_it_ends_and_when_the_next_begins() -> None:
    assert WEEKEND.ends(at("2026-11-21 03:00")) == at("2026-11-23 08:00")
    assert WEEKEND.begins(at("2026-11-21 03:00")) == at("2026-11-27 18:00")
    assert WEEKEND.begins(at("2026-11-25 03:00")) == at("2026-11-27 18:00")
    assert WEEKEND.local(at("2026-11-23 08:00").astimezone(UTC)) == "Mon 08:00"


@pytest.mark.parametrize(
    "text", ["fri 18:00 - mon 8:00 Europe/Amsterdam", "Friday 18:00 to Monday 08:00 Europe/Amsterdam"]
)
def test_other_ways_to_write_the_same(text: str) -> None:
    assert Window.parse(text) == WEEKEND
    assert str(WEEKEND) == "Fri 18:00 – Mon 08:00 Europe/Amsterdam"


def test_within_one_day_and_around_a_whole_week() -> None:
    noon = Window.parse("Wed 12:00 – Wed 13:00 UTC")
    assert noon.ends(at("2026-11-25 12:30", ZoneInfo("UTC")))
    assert not noon.ends(at("2026-11-26 12:30", ZoneInfo("UTC")))
    almost = Window.parse("Wed 13:00 – Wed 12:00 UTC")
    assert not almost.ends(at("2026-11-25 12:30", ZoneInfo("UTC")))
    assert almost.ends(at("2026-11-25 11:59", ZoneInfo("UTC")))
    assert almost.ends(at("2026-11-26 12:30", ZoneInfo("UTC")))


def test_once() -> None:
    year_end = Window.parse("2026-12-19 00:00 – 2027-01-04 08:00 Europe/Amsterdam")
    assert year_end.begins(at("2026-12-01 00:00")) == at("2026-12-19 00:00")
    assert year_end.ends(at("2026-12-31 23:59")) == at("2027-01-04 08:00")
    assert not year_end.is_over(at("2026-12-31 23:59"))
    assert year_end.is_over(at("2027-01-04 08:00"))
    assert not WEEKEND.is_over(at("2030-01-04 08:00"))


def test_an_hour_that_comes_twice_or_never_makes_it_longer_never_shorter() -> None:
    # 2026-10-25 03:00 CEST becomes 02:00 CET: 02:30 comes twice. The second ends it.
    ends = Window.parse("Sat 22:00 – Sun 02:30 Europe/Amsterdam")
    assert ends.ends(datetime(2026, 10, 25, 0, 45, tzinfo=UTC)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    begins = Window.parse("Sun 02:30 – Sun 06:00 Europe/Amsterdam")
    assert begins.ends(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    # 2026-03-29 02:00 CET becomes 03:00 CEST: 02:30 never comes.
    assert begins.ends(datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    assert ends.ends(datetime(2026, 3, 29, 1, 29, tzinfo=UTC)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("weekends", "no window"),
        ("Fri 18:00 – Mon 08:00", "no window"),
        ("Fri 18:00 – Mon 08:00 Europe/Amsterdm", "no time zone"),
        ("Fri 18:00 – Mon 08:00 Europe", "no time zone"),
        ("Fri 18:00 – Mon 08:00 ../etc/passwd", "no window"),
        ("Fry 18:00 – Mon 08:00 UTC", "no day"),
        ("Fri 24:00 – Mon 08:00 UTC", "no time of day"),
        ("Fri 18:00 – Fri 18:00 UTC", "ends where it begins"),
        ("Fri 18:00 – 2026-12-24 08:00 UTC", "mixes"),
        ("2026-13-24 08:00 – 2026-12-24 08:00 UTC", "no date"),
        ("2026-12-25 08:00 – 2026-12-24 08:00 UTC", "before it begins"),
    ],
)
def test_what_is_no_window_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Window.parse(text)


MINUTES = st.integers(0, 7 * 24 * 60 - 1)


def _text(minute: int) -> str:
    day, rest = divmod(minute, 24 * 60)
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[day]} {rest // 60:02}:{rest % 60:02}"


@given(MINUTES, MINUTES, st.integers(0, 400 * 24 * 60))
def test_in_utc_it_is_arithmetic_of_minutes_of_the_week(start: int, end: int, offset: int) -> None:
    if start == end:
        return
    window = Window.parse(f"{_text(start)} – {_text(end)} UTC")
    now = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=offset)  # a Monday
    minute = offset % (7 * 24 * 60)
    expected = start <= minute < end if start < end else minute >= start or minute < end
    ends = window.ends(now)
    assert (ends is not None) == expected
    if ends:
        assert ends - now == timedelta(minutes=(end - minute) % (7 * 24 * 60))
    else:
        begins = window.begins(now)
        assert begins
        assert begins - now == timedelta(minutes=(start - minute) % (7 * 24 * 60))
