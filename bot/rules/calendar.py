"""When something recurs: plain words or cron text, read by the clock of a time zone.

Where the clocks are changed:

- *Fixed times* (`daily 02:30`) come once for each time that the clock on the wall is meant to show. One that comes
  twice is taken the first time. One that is left out is taken as much later as the clock was put forward: at 03:30.
- *Times of every hour* (`every 15 minutes`, `hourly`, cron text whose hour is `*`) go by what the clock really shows:
  in the hour that comes twice they come twice, and in the one that is left out not at all.

Cron text has five fields, read as cron does: Sunday is 0 and 7; where both the day of the month and that of the week
are limited, either is enough (crontab(5)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

LEAST = timedelta(minutes=5)
"""What recurs does so no more often."""
HORIZON = timedelta(days=9 * 366)
"""What does not come within this never does: the rarest day, 29 February, comes at least every eight years."""
_SHIFT = timedelta(hours=3)
"""No clock is put back or forward by more."""
_LOOKED_AT = 60
"""How many times are looked at for two that are too close."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT = tuple(day[:3] for day in _DAYS)
_CRON_DAYS = (_SHORT[6], *_SHORT)
"""Cron's days by number: 0 and 7 are Sunday."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_EVERY = re.compile(r"every (?:(\d{1,4}) )?(minute|hour)s?")
_CRON = re.compile(r"cron\s+(.*)", re.IGNORECASE)
_ITEM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?")
EXAMPLES = '“daily 07:00”, “weekdays 07:00”, “mondays 07:00”, “every 15 minutes”, “hourly” or “cron "0 7 * * 1-5"”'


@dataclass(frozen=True)
class Recurrence:
    """`text` says it as people read it, and :func:`parse` reads it back. `crontab` is the same as cron's five fields,
    with the days of the week as names.
    """

    text: str
    crontab: str

    def next(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """The first time later than `after` (UTC); None when it never comes."""
        found: datetime | None = None
        until: datetime | None = None
        for wall in self._walls(after.astimezone(zone).replace(tzinfo=None) - _SHIFT):
            if until is not None and wall > until:
                break
            for instant in self._instants(wall, zone):
                if instant > after and (found is None or instant < found):
                    # Where a clock is put forward, a later reading may be an earlier time.
                    found, until = instant, until or wall + _SHIFT
        return found

    def between(self, after: datetime, until: datetime, zone: ZoneInfo, most: int = 1000) -> tuple[datetime, ...]:
        """The times later than `after` up to and with `until`, `most` of them at most."""
        found: list[datetime] = []
        at = self.next(after, zone)
        while at is not None and at <= until and len(found) < most:
            found.append(at)
            at = self.next(at, zone)
        return tuple(found)

    @cached_property
    def _by_the_hour(self) -> bool:
        return self.crontab.split()[1] == "*"

    def _instants(self, wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
        """When the clock of the zone shows this, or would: see the module."""
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if not self._by_the_hour:
            return (first,)
        if first.astimezone(zone).replace(tzinfo=None) != wall:
            return ()
        return (first,) if first == second else (first, second)

    def _walls(self, since: datetime) -> Iterator[datetime]:
        """What the clock on the wall shows each time, in order. The calendar is reckoned in UTC, where no reading is
        left out or comes twice: what APScheduler makes of changed clocks is not what is stated above.
        """
        last = since + HORIZON
        triggers = [_trigger(crontab, last) for crontab in _either(self.crontab)]
        at: datetime | None = since.replace(tzinfo=UTC)
        while at is not None:
            coming = [trigger.get_next_fire_time(None, at) for trigger in triggers]
            at = min((each for each in coming if each is not None), default=None)
            if at is not None:
                yield at.replace(tzinfo=None)
                at += timedelta(microseconds=1)


def parse(text: str) -> Recurrence:
    """Read plain words or cron text.

    :raises ValueError: it is none, never comes, or comes more often than every five minutes; the words say which.
    """
    typed = " ".join(text.split())
    cron = _CRON.fullmatch(typed)
    found = _of_cron(cron[1]) if cron else _of_words(typed.casefold())
    if found is None:
        raise ValueError(f"“{typed}” is no schedule; write {EXAMPLES}")
    _check(found)
    return found


def time_zone(name: str) -> ZoneInfo:
    """:raises ValueError: there is no such time zone."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:  # not found, a directory, a name with dots
        raise ValueError(f"there is no time zone “{name}” (as in Europe/Amsterdam or UTC)") from error


def _check(found: Recurrence) -> None:
    """:raises ValueError: it never comes, or comes too often."""
    start = datetime(2027, 1, 1)  # any will do: in UTC one day is as the other
    walls = [wall for wall, _ in zip(found._walls(start), range(_LOOKED_AT), strict=False)]
    if not walls:
        raise ValueError(f"“{found.text}” never comes: there is no such day")
    for one, other in pairwise(walls):
        if other - one < LEAST:
            least = round(LEAST.total_seconds() / 60)
            raise ValueError(f"“{found.text}” is more often than every {least} minutes, which is the least")


# --- plain words ------------------------------------------------------------------------------------------------------


def _of_words(words: str) -> Recurrence | None:
    if words in ("hourly", "every hour"):
        return Recurrence("hourly", "0 * * * *")
    if every := _EVERY.fullmatch(words):
        return _every(int(every[1] or 1), every[2])
    days, _, clock = words.rpartition(" ")
    at = _TIME.fullmatch(clock)
    named = _days(days.removesuffix(" at")) if at else None
    if at is None or named is None:
        return None
    hour, minute = int(at[1]), int(at[2])
    if hour > 23 or minute > 59:
        raise ValueError(f"{clock} is no time of day (00:00 to 23:59)")
    text, crontab = named
    return Recurrence(f"{text} {hour:02}:{minute:02}", f"{minute} {hour} * * {crontab}")


def _every(number: int, unit: str) -> Recurrence:
    """:raises ValueError: it does not go evenly into an hour or a day, so that the times would not stay the same."""
    whole, of = (60, "an hour") if unit == "minute" else (24, "a day")
    if not 0 < number < whole or whole % number:
        fitting = ", ".join(str(each) for each in range(1, whole) if whole % each == 0)
        raise ValueError(f"every {number} {unit}s does not go evenly into {of}; take one of {fitting}")
    text = f"every {number} {unit}s" if number > 1 else "hourly" if unit == "hour" else "every minute"
    return Recurrence(
        text, f"*/{number} * * * *" if unit == "minute" else f"0 {f'*/{number}' if number > 1 else '*'} * * *"
    )


def _days(words: str) -> tuple[str, str] | None:
    """Which days, as they are said and as cron has them."""
    if words in ("daily", "every day"):
        return "daily", "*"
    if words in ("weekdays", "every weekday"):
        return "weekdays", ",".join(_SHORT[:5])
    if words in ("weekends", "every weekend"):
        return "weekends", ",".join(_SHORT[5:])
    found = set()
    for word in words.removeprefix("every ").replace(",", " ").replace(" and ", " ").split():
        number = next((n for n, day in enumerate(_DAYS) if word in (day, day + "s", day[:3])), None)
        if number is None:
            return None
        found.add(number)
    if not found:
        return None
    said = [f"{_DAYS[number]}s" for number in sorted(found)]
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1]))), ",".join(_SHORT[n] for n in sorted(found))


# --- cron text --------------------------------------------------------------------------------------------------------


def _of_cron(text: str) -> Recurrence:
    """:raises ValueError: it is not cron's five fields; the words say which is wrong."""
    fields = text.strip().strip("\"'").split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            "cron text has five fields (minute, hour, day of the month, month, day of the week),"
            f" this has {len(fields)}"
        )
    for name, field in zip(_FIELDS, fields, strict=True):
        if not all(_ITEM.fullmatch(item) for item in field.split(",")):
            raise ValueError(f"“{field}” is no {name} of cron: *, numbers, ranges as 1-5, steps as */2, lists as 1,3")
    minute, hour, day, month, weekday = (field.casefold() for field in fields)
    if hour == "*/1":
        hour = "*"
    crontab = " ".join((minute, hour, day, month, _weekdays(weekday)))
    for each in _either(crontab):
        _trigger(each, datetime(2027, 1, 1))
    return Recurrence(f'cron "{" ".join(fields)}"', crontab)


def _weekdays(field: str) -> str:
    """Cron's days of the week as names: APScheduler counts from Monday, cron from Sunday."""
    if field == "*":
        return field
    found: set[int] = set()
    for item in field.split(","):
        match = _ITEM.fullmatch(item)
        assert match is not None
        first, last, step = match[1], match[2], int(match[3] or 1)
        if step < 1:
            raise ValueError(f"“{item}” is no day of the week of cron: a step is 1 or more")
        start = 0 if first is None else _cron_day(first)
        end = 6 if first is None else _cron_day(last) if last else 6 if match[3] else start
        if last and end == 0 and start:
            end = 7  # fri-sun
        if end < start:
            raise ValueError(f"“{item}” is no range of days: it ends before it begins")
        found.update(number % 7 for number in range(start, end + 1, step))
    return ",".join(_CRON_DAYS[number] for number in sorted(found, key=lambda number: (number - 1) % 7))


def _cron_day(text: str) -> int:
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    if text in _SHORT:
        return _CRON_DAYS.index(text)
    raise ValueError(f"“{text}” is no day of the week of cron: 0 to 7 (0 and 7 are Sunday) or {', '.join(_SHORT)}")


def _either(crontab: str) -> tuple[str, ...]:
    """Where cron limits both kinds of day, either is enough: two calendars. A `*` with a step counts as no limit."""
    minute, hour, day, month, weekday = crontab.split()
    if day.startswith("*") or weekday == "*":
        return (crontab,)
    return f"{minute} {hour} {day} {month} *", f"{minute} {hour} * {month} {weekday}"


def _trigger(crontab: str, until: datetime) -> CronTrigger:
    """:raises ValueError: a value of a field is not in its range."""
    minute, hour, day, month, weekday = crontab.split()
    for name, field in (("day of the month", day), ("month", month)):
        if re.search(r"[a-z]", field) and not (name == "month" and set(re.findall(r"[a-z]+", field)) <= set(_MONTHS)):
            raise ValueError(f"“{field}” is no {name} of cron")
    try:
        return CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month,
            day_of_week=weekday,
            end_date=until.replace(tzinfo=UTC),
            timezone=UTC,
        )
    except ValueError as error:
        raise ValueError(f"“{crontab}” is no cron text: {error}") from error
