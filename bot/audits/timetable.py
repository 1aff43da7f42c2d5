"""What the commands about schedules and mutes have in common: which one is meant, when it is, and where it is told."""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta

from bot.errors import NotFound, Refused, Unavailable
from bot.findings import Traced
from bot.model import Finding, ObjectId, Verdict
from bot.ports import Context
from bot.rules import calendar
from bot.schedules import EVERY_POOL, NewSchedule, Schedule, Tell
from bot.text import joined, quoted

LONGEST_MUTE = timedelta(days=366)
MOST_SCHEDULES = 200
"""So many can be carried out every five minutes, a few at a time; nobody reads more."""

_ZONE = re.compile(r"(?:[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+|UTC)\Z")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}):(\d{2}))?\Z")
_LENGTH = re.compile(r"(?:in )?(\d{1,3}) (hour|day|week)s?\Z", re.IGNORECASE)
_DATES = "Write a date (2027-01-31), one with a time (2027-01-31 18:00), or a length (3 days, 2 weeks)."


def recurrence(typed: str) -> tuple[calendar.Recurrence, str]:
    """When it recurs, and the time zone behind it ("" where none was typed).

    :raises Refused: it is no schedule, or never comes.
    """
    words, _, last = typed.strip().rpartition(" ")
    zone = last if words and _ZONE.match(last) else ""
    try:
        if zone:
            calendar.time_zone(zone)
        return calendar.parse(words if zone else typed), zone
    except ValueError as error:
        told = str(error)
        raise Refused(
            f"{told[:1].upper()}{told[1:]}.", remedy="“help audit schedule” shows what can be written."
        ) from error


def check_room(context: Context) -> None:
    """:raises Refused: there are as many schedules as can be: each reads its pools and may post."""
    if len(context.schedules.schedules()) >= MOST_SCHEDULES:
        raise Refused(
            f"There are {MOST_SCHEDULES} schedules already; no more are kept.",
            remedy="“audit schedules” lists them, “audit remove” removes one. One “on all” does for every pool.",
        )


def described(asked: NewSchedule, context: Context) -> str:
    """What a schedule does."""
    zone = f" {asked.zone}" if asked.zone else ""
    told = f", told in {called(asked.channel, context)}{' always' if asked.tell is Tell.ALWAYS else ''}"
    return f"{asked.kind} of {asked.pool} {asked.recurrence}{zone}{told}"


def called(channel: str, context: Context) -> str:
    """What to call a channel; its id where nobody can be asked."""
    try:
        return context.channels.name(channel)
    except Unavailable:
        return channel


def moment(at: datetime, zone: str) -> str:
    return f"{at.astimezone(calendar.time_zone(zone)):%a %Y-%m-%d %H:%M} {zone}"


def reported_in(asked: NewSchedule, context: Context) -> tuple[Finding, ...]:
    """Whether the schedule's channel may and can be told."""
    if not asked.channel:
        raise Refused("A schedule needs a channel to tell.", remedy="End the command with “in #CHANNEL”.")
    channel = ObjectId("channel", asked.channel, called(asked.channel, context))
    cannot = context.channels.cannot_post(asked.channel)
    there = context.pools_in(asked.channel)
    allowed = bool(there) if asked.pool == EVERY_POOL else asked.pool in there
    limited = f"it is limited to {joined(there)}" if there else "no pool at all may be named there"
    return (
        Finding(
            id="schedule.channel",
            verdict=Verdict.BLOCK if cannot else Verdict.PASS,
            subject=channel,
            title=f"the bot can post in {called(asked.channel, context)}",
            evidence=cannot,
            remedy="Invite the bot to the channel, or name another." if cannot else "",
        ),
        Finding(
            id="schedule.pool",
            verdict=Verdict.PASS if allowed else Verdict.BLOCK,
            subject=channel,
            title=f"{asked.pool} may be spoken of in {called(asked.channel, context)}",
            evidence="" if allowed else limited,
            remedy="" if allowed else "Name another channel, or a pool that may be named there.",
        ),
    )


def one_schedule(typed: str, context: Context) -> Schedule:
    """The schedule called so (`S-3`, `3`), if its pool may be seen here.

    :raises NotFound: there is none.
    """
    number = typed.strip().upper().removeprefix("S-")
    found = context.schedules.schedule(int(number)) if number.isdecimal() and len(number) < 10 else None
    if found is None or found.removed or not seen(found, context):
        raise NotFound(f"There is no schedule {quoted(typed)} here.", remedy="“audit schedules” lists them.")
    return found


def seen(schedule: Schedule, context: Context) -> bool:
    """Whether a schedule may be spoken of here: its pool may; one of all pools also where it tells."""
    names = {pool.name for pool in context.pools}
    return bool(names) if schedule.asked.pool == EVERY_POOL else schedule.asked.pool in names


def one_finding(typed: str, context: Context) -> Traced:
    """The finding called so (`F-12`, `12`), of a pool that may be seen here.

    :raises NotFound: there is none.
    """
    number = typed.strip().upper().removeprefix("F-")
    found = context.audits.book.finding(int(number)) if number.isdecimal() and len(number) < 10 else None
    if found is None or found.pool not in {pool.name for pool in context.pools}:
        raise NotFound(f"There is no finding {quoted(typed)} here.", remedy="“audit findings” lists what is open.")
    return found


def until(typed: str, now: datetime, zone: str) -> datetime:
    """When a mute ends (UTC): a date is its first moment in the bot's time zone; a time that is left out when clocks
    are put forward is as much later, and one that comes twice is the first.

    :raises Refused: it is no date, is past, or further away than a year.
    """
    text = " ".join(typed.split())
    length, date = _LENGTH.match(text), _DATE.match(text)
    if length:
        at = now + int(length[1]) * timedelta(**{f"{length[2].casefold()}s": 1})
    elif date:
        try:
            day = datetime.fromisoformat(date[1])
            local = day.replace(hour=int(date[2] or 0), minute=int(date[3] or 0), tzinfo=calendar.time_zone(zone))
            at = local.astimezone(UTC)
            if at.year in (MINYEAR, MAXYEAR):
                raise OverflowError
        except (ValueError, OverflowError):  # the first and the last day there are may be none in another zone
            raise Refused(f"{quoted(text)} is not on any clock or calendar.", remedy=_DATES) from None
    else:
        raise Refused(f"{quoted(text)} is no date that I know.", remedy=_DATES)
    at = at.replace(second=0, microsecond=0)
    if at <= now:
        raise Refused(f"{moment(at, zone)} is past.", remedy="A mute ends some time from now: “3 days”, or a date.")
    if at - now > LONGEST_MUTE:
        raise Refused(
            f"{moment(at, zone)} is more than a year away.",
            remedy="What nobody looks at for so long is forgotten: take a nearer date.",
        )
    return at
