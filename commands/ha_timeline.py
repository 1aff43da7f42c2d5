"""`ha timeline [of HOST] [chart]`: what followed when a host failed, second by second."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.audits import charts
from bot.errors import Refused
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Attachment, Cell, Level, ObjectId, Part, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import command
from bot.rules import aftermath, ha
from bot.rules.aftermath import Event, Failure
from bot.text import duration, joined, one_line, plural, quoted

MOST_ROWS = 60
_ALT = 900
"""Characters that Slack takes as a picture's description."""


@dataclass(frozen=True)
class Arguments:
    host: Host | None = None
    chart: bool = False


@command(
    "ha timeline [of HOST] [chart]",
    risk=Risk.READ,
    summary="What followed when a host failed: HA's decision, the new coordinator, and when each VM ran again.",
    details=(
        "Of the last failure that the pool's alerts tell of, in a drill or in earnest.",
        "An alert that somebody has dismissed is missing from it. With “chart” a picture comes along.",
    ),
    examples=("ha timeline", "ha timeline of xs2 in lab", "ha timeline chart"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    inventory = context.pool.inventory()
    found = aftermath.failures(inventory, arguments.host)
    if not found:
        whose = f"of {quoted(arguments.host.name)}" if arguments.host else "of a host"
        raise Refused(
            f"No alert of {quoted(context.pool.name)} tells of a failure {whose}.",
            remedy="“ha plan” says what would happen; “ha test HOST” watches when you cut a host's power.",
        )
    failure = found[0]
    events = aftermath.events(failure, inventory)
    back = dict(aftermath.restarted(failure, inventory))
    down = [vm.name for vm in ha.meant(inventory) if ha.is_protected(vm) and vm.power_state != "Running"]
    longest = max(back.values(), default=0.0)
    verdict = (
        f"{plural(len(back), 'VM')} started again within {aftermath.bound(longest)}" if back else "no VM started again"
    )
    return Report(
        title=f"{context.pool.name}: {quoted(failure.host_name)} failed, {verdict}",
        level=Level.BAD if down else Level.OK if back else Level.INFO,
        summary=_summary(failure, down, len(found)),
        parts=(_table(failure, events), *_away(back)),
        suggestions=_offers(failure, inventory, context) if back and not arguments.chart else (),
        attachments=_picture(failure, back) if back and arguments.chart else (),
    )


def _offers(failure: Failure, inventory: Inventory, context: Context) -> tuple[Suggestion, ...]:
    host = inventory.by_uuid(Host, failure.host_uuid)
    of = f" of {spelling(host, inventory)}" if host is not None else ""
    return (Suggestion("Chart", planning.line(f"ha timeline{of} chart", context)),)


def _picture(failure: Failure, back: dict[VM, float]) -> tuple[Attachment, ...]:
    host = ObjectId("host", failure.host_uuid, failure.host_name)
    away = [(vm.id, seconds) for vm, seconds in back.items()]
    return (
        Attachment.of(
            f"xenia-restarts-{failure.at:%Y%m%d-%H%M%S}.png",
            f"Restarts after {failure.host_name} failed",
            charts.restarts(host, away),
            one_line(charts.restarts_in_words(host, away), _ALT),
        ),
    )


def _summary(failure: Failure, down: list[str], count: int) -> str:
    stay = f" {joined(down, limit=6)} {'is' if len(down) == 1 else 'are'} protected and still down." if down else ""
    older = f" {plural(count - 1, 'earlier failure')} on record." if count > 1 else ""
    return f"Declared failed on {failure.at:%Y-%m-%d at %H:%M:%S} UTC.{stay}{older}"


def _table(failure: Failure, events: tuple[Event, ...]) -> Table:
    rows = tuple(
        (
            Cell(f"{event.at:%H:%M:%S}"),
            Cell(f"+{duration((event.at - failure.at).total_seconds())}"),
            Cell(event.text, event.level),
        )
        for event in events[:MOST_ROWS]
    )
    return Table(
        heading="Timeline, to the second",
        columns=("UTC", "After", "What"),
        rows=rows,
        more=max(len(events) - MOST_ROWS, 0),
    )


def _away(back: dict[VM, float]) -> tuple[Part, ...]:
    """How long each VM was away after HA had decided, as bars."""
    longest = max(back.values(), default=0.0)
    rows = tuple(
        (Cell(vm.name), Cell(duration(seconds), bar=seconds / longest if longest else 0.0))
        for vm, seconds in sorted(back.items(), key=lambda each: (each[1], each[0].name))
    )
    return (
        (Table(heading="Away after HA's decision, to the second", columns=("VM", "Until it ran again"), rows=rows),)
        if rows
        else ()
    )
