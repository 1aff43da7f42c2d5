"""When a change is to be made, as people say it: `22:00`, `tomorrow 06:30`, `2026-03-01 22:00`, each with or without a
time zone.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.errors import Refused
from bot.model import Plan, Window
from bot.text import quoted

FARTHEST = timedelta(days=14)
"""An approval for something later would be of a pool that nobody knows yet."""
GRACE = timedelta(hours=1)
"""What could not begin by then is not done: those who expected it at its time have stopped looking."""

_WHEN = re.compile(
    r"(?:(?P<day>today|tonight|tomorrow|\d{4}-\d{2}-\d{2})[ T])?(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?: (?P<zone>[A-Za-z][\w+-]*(?:/[\w+-]+)*))?\Z",
    re.IGNORECASE,
)
_FORMS = "For example: at 22:00, at tomorrow 06:30, at 2026-03-01 22:00, at 22:00 Europe/Amsterdam."


def if_meant(name: str) -> str:
    """What to do about a name that is not there and ends as if it were followed by a time; "" for any other."""
    found = re.search(r" at (\S.*)\Z", name, re.IGNORECASE)
    return f"If {quoted(found[1])} was to be a time, it is none that can be kept. {_FORMS}" if found else ""


def window(text: str, now: datetime, zone: str) -> Window:
    """The window that begins at the appointed time: a time alone is the next such time; `zone` (IANA) holds where the
    text names none. A time that comes twice because the clocks are set back is the first of the two.

    :raises Refused: it is no time, there is no such time on that day, it is past, or too far away.
    """
    found = _WHEN.match(" ".join(text.split()))
    if found is None:
        raise Refused(f"{quoted(text)} is no time that I know.", remedy=_FORMS)
    where = _zone(found["zone"] or zone)
    here = now.astimezone(where)
    day, clock = (found["day"] or "").casefold(), (int(found["hour"]), int(found["minute"]))
    try:
        date = here.date() if day in ("", "today", "tonight") else _date(day, here)
        at = datetime(date.year, date.month, date.day, *clock, tzinfo=where)
    except ValueError:
        raise Refused(f"{quoted(text)} is not on any clock or calendar.", remedy=_FORMS) from None
    if not day and at <= here:
        at += timedelta(days=1)
    try:
        moment = at.astimezone(UTC)
    except OverflowError:
        raise Refused(f"{quoted(text)} is on no calendar of another zone.", remedy=_FORMS) from None
    if moment.astimezone(where).replace(tzinfo=None) != at.replace(tzinfo=None):
        raise Refused(
            f"There is no {at:%H:%M} on {at:%Y-%m-%d} in {where.key}: the clocks are set forward then.",
            remedy="Name a time before or after that hour.",
        )
    if moment <= now:
        raise Refused(
            f"{at:%Y-%m-%d %H:%M} {where.key} is past.",
            remedy="Leave “at …” out to have it done as soon as it is approved.",
        )
    if moment - now > FARTHEST:
        raise Refused(
            f"{at:%Y-%m-%d %H:%M} {where.key} is more than {FARTHEST.days} days away.",
            remedy="Ask nearer to the time: who approves should know the pool as it is.",
        )
    return Window(not_before=moment, not_after=moment + GRACE)


def check(plan: Plan) -> None:
    """:raises Refused: approvers confirm a fact for it, which they know of now and not of its appointed time."""
    names = {text for each in plan.touches for text in (each.name, each.uuid)}
    if plan.window.not_before is not None and plan.confirm and plan.confirm not in names:
        raise Refused(
            f"Whoever approves this confirms: “{plan.confirm}”. What is so now may not be so at another time.",
            remedy="Leave “at …” out, and ask for it when it is to be done.",
        )


def decided_by(when: Window, now: datetime, seconds: int) -> datetime:
    """Until when a request made now can be decided: it has `seconds`, or until its appointed time if that is later."""
    usual = now + timedelta(seconds=seconds)
    if when.not_before is None or when.not_after is None:
        return usual
    return max(when.not_before, min(usual, when.not_after))


def begun_by(when: Window, now: datetime, seconds: int) -> datetime:
    """Until when a request approved now must have begun."""
    return when.not_after or max(now, when.not_before or now) + timedelta(seconds=seconds)


def _date(day: str, here: datetime) -> datetime:
    return here + timedelta(days=1) if day == "tomorrow" else datetime.fromisoformat(day)


def _zone(name: str) -> ZoneInfo:
    known = next((each for each in zoneinfo.available_timezones() if each.casefold() == name.casefold()), None)
    if known is None:
        raise Refused(f"There is no time zone {quoted(name)}.", remedy="Give its name, as Europe/Amsterdam or UTC.")
    return ZoneInfo(known)
