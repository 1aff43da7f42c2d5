"""Windows of local time: every week (`Fri 18:00 – Mon 08:00 Europe/Amsterdam`) or once (`2026-12-19 00:00 – 2027-01-04
08:00 Europe/Amsterdam`).

Where the clocks are changed, an hour that comes twice and one that never comes are taken so that the window is longest:
whoever freezes changes would rather have an hour too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_DAY = r"(?P<{0}_day>[A-Za-z]{{3,9}}|\d{{4}}-\d{{2}}-\d{{2}})\s+(?P<{0}_time>\d{{1,2}}:\d{{2}})"
_WINDOW = re.compile(rf"\s*{_DAY.format('from')}\s*(?:–|—|-|to)\s*{_DAY.format('to')}\s+(?P<zone>[\w+/-]+)\s*\Z")
_EXAMPLE = "write it as “Fri 18:00 – Mon 08:00 Europe/Amsterdam” or “2026-12-19 00:00 – 2027-01-04 08:00 UTC”"
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Window:
    """`start` and `end` are a weekday (0 is Monday) or a date, each with a time of day in `zone`. The start belongs to
    the window, the end does not.
    """

    start: int | date
    start_time: time
    end: int | date
    end_time: time
    zone: str

    @classmethod
    def parse(cls, text: str) -> Window:
        """:raises ValueError: it is no window; the words say what is wrong with it."""
        found = _WINDOW.match(text)
        if found is None:
            raise ValueError(f"“{text}” is no window of time: {_EXAMPLE}")
        start, end = _day(found["from_day"]), _day(found["to_day"])
        if isinstance(start, int) is not isinstance(end, int):
            raise ValueError(f"“{text}” mixes a weekday with a date: {_EXAMPLE}")
        window = cls(start, _time(found["from_time"]), end, _time(found["to_time"]), _zone(found["zone"]))
        if (start, window.start_time) == (end, window.end_time):
            raise ValueError(f"“{text}” ends where it begins")
        dates = isinstance(start, date) and isinstance(end, date)
        if dates and (start, window.start_time) > (end, window.end_time):
            raise ValueError(f"“{text}” ends before it begins")
        return window

    def __str__(self) -> str:
        first, last = f"{_name(self.start)} {self.start_time:%H:%M}", f"{_name(self.end)} {self.end_time:%H:%M}"
        return f"{first} – {last} {self.zone}"

    def ends(self, now: datetime) -> datetime | None:
        """When the window that `now` is in ends (UTC); None outside of it."""
        running = [end for start, end in self._around(now) if start <= now < end]
        return max(running, default=None)

    def begins(self, now: datetime) -> datetime | None:
        """When the next one begins (UTC); None when there is none to come."""
        return min((start for start, _ in self._around(now) if start > now), default=None)

    def is_over(self, now: datetime) -> bool:
        """It can never hold again."""
        return self.ends(now) is None and self.begins(now) is None

    def local(self, moment: datetime) -> str:
        """A moment as people of this window's zone say it: `Mon 08:00`, or with the date when that is far from now."""
        there = moment.astimezone(self._zone)
        day = DAYS[there.weekday()]
        return f"{day} {there:%H:%M}" if isinstance(self.start, int) else f"{day} {there:%Y-%m-%d %H:%M}"

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def _around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Its occurrences (UTC) about `now`: the one that may hold, and the next."""
        if isinstance(self.start, date) and isinstance(self.end, date):
            yield min(self._moments(self.start, self.start_time)), max(self._moments(self.end, self.end_time))
            return
        assert isinstance(self.start, int)
        assert isinstance(self.end, int)
        today = now.astimezone(self._zone).date()
        length = timedelta(days=(self.end - self.start) % 7)
        if not length and self.end_time < self.start_time:
            length = _WEEK
        first = today - timedelta(days=(today.weekday() - self.start) % 7)
        for week in (-1, 0, 1):
            day = first + week * _WEEK
            yield min(self._moments(day, self.start_time)), max(self._moments(day + length, self.end_time))

    def _moments(self, day: date, at: time) -> tuple[datetime, ...]:
        """A local time as UTC: two readings, which differ only where the clocks are changed."""
        local = datetime.combine(day, at, self._zone)
        return tuple(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _day(text: str) -> int | date:
    if text[0].isdigit():
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"{text} is no date") from error
    for number, name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")):
        if name.startswith(text.casefold()):
            return number
    raise ValueError(f"“{text}” is no day of the week: {', '.join(DAYS)}")


def _time(text: str) -> time:
    hours, minutes = map(int, text.split(":"))
    try:
        return time(hours, minutes)
    except ValueError as error:
        raise ValueError(f"{text} is no time of day (00:00 to 23:59)") from error


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:  # not found, a directory, a name with dots
        raise ValueError(f"there is no time zone {name} (as in Europe/Amsterdam or UTC)") from error
    return name


def _name(day: int | date) -> str:
    return DAYS[day] if isinstance(day, int) else day.isoformat()
