"""`audit schedule`: let an audit run by itself, and tell a channel what has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot import actions
from bot.audits.timetable import check_room, described, moment, recurrence, reported_in
from bot.errors import Choice, NotFound, Refused
from bot.findings import Kind
from bot.grammar import near
from bot.model import ObjectId, Plan, Report, Risk
from bot.ports import Context
from bot.registry import Scope, command
from bot.rules import calendar
from bot.schedules import EVERY_POOL, NewSchedule, Tell
from bot.text import quoted


@dataclass(frozen=True)
class Arguments:
    choice: str
    when: str
    pools: str | None = None
    channel: str | None = None
    quietly: bool = False
    always: bool = False


@command(
    "audit schedule compatibility|clock|candidates WHEN [on POOLS] [in CHANNEL] [quietly] [always]",
    scope=Scope.NAMED,
    risk=Risk.ROUTINE,
    summary="Let an audit run by itself and tell a channel what has changed.",
    details=(
        "WHEN is “daily 07:00”, “weekdays 07:00”, “mondays 07:00”, “every 15 minutes”, “hourly”, or cron text as"
        ' cron "0 7 * * 1-5"; a time zone can follow (Europe/Amsterdam), else it is the bot\'s own.',
        "“on POOL”, or “on all”: every pool that may be spoken of in the channel. Without it, the pool that is meant"
        " here.",
        "“in #CHANNEL”: where it is told; without it, here. The bot has to be a member, and nobody from outside.",
        "It posts only when something is new or resolved since its last message; with “always”, each time.",
        "When clocks are put forward, a time that is left out is taken as much later; one that comes twice is taken"
        " the first time. A run missed while the bot was down is made up for once.",
    ),
    examples=(
        "audit schedule compatibility daily 07:00",
        "audit schedule clock on lab every 15 minutes in #infra",
        'audit schedule compatibility on all cron "0 7 * * 1-5" always',
    ),
)
def plan(arguments: Arguments, context: Context) -> Plan | Report:
    if arguments.quietly and arguments.always:
        raise Refused("It cannot post always and quietly.", remedy="Leave one of the two out; quietly is the default.")
    pool = _pool(arguments, context)
    when, zone = recurrence(arguments.when)
    channel = _channel(arguments, context)
    asked = NewSchedule(
        kind=Kind(arguments.choice),
        pool=pool,
        recurrence=when.text,
        zone=zone,
        team=context.place.team,
        channel=channel,
        tell=Tell.ALWAYS if arguments.always else Tell.CHANGES,
    )
    there = context.schedules.alike(asked)
    if there is not None:
        raise Refused(
            f"Schedule {there.id} does that already{', but is paused' if there.paused else ''}.",
            remedy=f"“audit {'resume' if there.paused else 'pause'} {there.id}”, or “audit remove {there.id}”.",
        )
    check_room(context)
    checks = reported_in(asked, context)
    told = described(asked, context)
    first = when.next(context.clock.now(), calendar.time_zone(zone or context.timezone))
    pinned = [("choice", arguments.choice), ("when", f"{when.text} {zone}".strip()), ("pools", pool)]
    pinned += [("channel", channel), ("always" if arguments.always else "quietly", "yes")]
    return Plan(
        command="audit schedule",
        arguments=tuple(pinned),
        pool=ObjectId("pool", "", pool),
        risk=Risk.ROUTINE,
        title=f"audit {told}",
        findings=checks,
        elsewhere=actions.pools_of(asked, context),
        steps=(
            actions.change(
                actions.ADD_SCHEDULE,
                f"Keep the schedule: {told}",
                actions.schedule_is(ObjectId("schedule", asked.key, "the schedule"), "on"),
                *(str(asked.kind), pool, when.text, zone, channel, str(asked.tell)),
            ),
        ),
        impact=(f"It runs for the first time at {moment(first, zone or context.timezone)}.",) if first else (),
        go_back="“audit schedules” lists it with its number; “audit remove” removes it.",
    )


def _pool(arguments: Arguments, context: Context) -> str:
    """The pool that is meant, by the configuration's name."""
    typed, names = arguments.pools, [pool.name for pool in context.pools]
    if typed is None:
        try:
            return context.pool.name
        except RuntimeError:
            raise Refused("Which pool is to be audited?", remedy="Say “on POOL”, or “on all”.") from None
    if typed.casefold() in ("all", EVERY_POOL):
        return EVERY_POOL
    for name in names:
        if name.casefold() == typed.casefold():
            return name
    slips = near(typed, names) or tuple(names[:5])
    raise NotFound(
        f"There is no pool called {quoted(typed)} here.",
        remedy="These pools can be named here:" if slips else "“pool list” shows the pools.",
        choices=tuple(Choice(name, _line(replace(arguments, pools=name))) for name in slips),
    )


def _channel(arguments: Arguments, context: Context) -> str:
    """The id of the channel that is told."""
    if not arguments.channel:
        return context.place.channel
    try:
        return context.channels.find(arguments.channel)
    except NotFound as error:
        near_ones = [choice.label for choice in error.choices]
        error.choices = tuple(Choice(name, _line(replace(arguments, channel=name))) for name in near_ones)
        raise


def _line(arguments: Arguments) -> str:
    """The command as it would be typed."""
    pools = f" on {arguments.pools}" if arguments.pools else ""
    channel = f" in {arguments.channel}" if arguments.channel else ""
    how = " always" if arguments.always else " quietly" if arguments.quietly else ""
    return f"audit schedule {arguments.choice} {arguments.when}{pools}{channel}{how}"
