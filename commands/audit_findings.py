"""`audit findings`: what is open, since when, and how often it has come."""

from __future__ import annotations

from dataclasses import dataclass

from bot.findings import Traced, gravity, worst
from bot.model import Level, Line, Lines, Report, Risk, Suggestion
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
    muted = f", {len(found) - len(heard)} muted" if len(found) > len(heard) else ""
    return Report(
        title=f"{plural(len(heard), 'finding')} open{muted}",
        level=worst(each.story.drift.level for each in heard),
        parts=(Lines(lines=tuple(map(_line, ordered))),) if found else (),
        suggestions=() if found else (Suggestion("Look now", "audit run all"),),
    )


def _line(found: Traced) -> Line:
    story, subject = found.story, found.story.drift.subject
    often = f", {story.times} times so far" if story.times > 1 else ""
    muted = f"; muted until {story.mute.until:%Y-%m-%d %H:%M} UTC" if story.mute else ""
    about = f"{subject.cls} {quoted(subject.name)}"
    return Line(
        text=f"{story.id} {found.pool}: {story.drift.text}",
        level=Level.NONE if story.mute else story.drift.level,
        detail=f"{about}, since {story.opened_at:%Y-%m-%d}{often}{muted}",
    )
