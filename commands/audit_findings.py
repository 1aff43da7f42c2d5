"""`audit findings`: what is open, since when, and how often it has come."""

from __future__ import annotations

from dataclasses import dataclass

from bot.findings import Traced, gravity, worst
from bot.model import Cell, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import Scope, command
from bot.text import plural, quoted


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "audit findings",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="What audits found and is still open: on which object, since when, how often, and what is muted.",
    details=("Tells what the audits on record found; “audit run” looks anew.",),
    examples=("audit findings", "audit findings in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:  # noqa: ARG001 - it takes none
    found = context.audits.book.open_findings(pool.name for pool in context.pools)
    heard = [each for each in found if each.story.mute is None]
    ordered = sorted(found, key=lambda each: (each.story.mute is not None, -gravity(each.story.drift.level)))
    columns = ("Finding", "Pool", "What", "On", "Since", "Times", "Muted until (UTC)")
    muted = f", {len(found) - len(heard)} muted" if len(found) > len(heard) else ""
    return Report(
        title=f"{plural(len(heard), 'finding')} open{muted}",
        level=worst(each.story.drift.level for each in heard),
        parts=(Table(columns=columns, rows=tuple(map(_row, ordered))),) if found else (),
        suggestions=() if found else (Suggestion("Look now", "audit run all"),),
    )


def _row(found: Traced) -> tuple[Cell, ...]:
    story = found.story
    return (
        Cell(story.id),
        Cell(found.pool),
        Cell(story.drift.text, story.drift.level),
        Cell(f"{story.drift.subject.cls} {quoted(story.drift.subject.name)}"),
        Cell(f"{story.opened_at:%Y-%m-%d}"),
        Cell(str(story.times)),
        Cell(f"{story.mute.until:%Y-%m-%d %H:%M}" if story.mute else ""),
    )
