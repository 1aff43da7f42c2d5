"""Audits in words: a verdict, what is new, still open and resolved, and the runs so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot import remedies
from bot.audits.clock_report import clocks
from bot.findings import Audited, Followed, gravity, worst
from bot.model import Cell, Level, Line, Lines, Part, Report, Suggestion, Table
from bot.text import duration, plural, quoted

MOST_LINES = 15
"""Findings of one heading; the gravest come first, and the rest is counted."""


def of_run(audited: Audited, *, all_of_it: bool = False) -> Report:
    """One audit of one pool: the verdict first, then the top findings, or with `all_of_it` every one."""
    run = audited.run
    parts = (*_parts(audited, None if all_of_it else MOST_LINES), *clocks(audited))
    took = duration((run.ended_at - run.started_at).total_seconds())
    suggestions = [
        Suggestion("Everything found", f"audit show {run.number}"),
        Suggestion("Earlier audits", f"audit history in {quoted(run.pool)}"),
        Suggestion("As files", f"audit files {run.number}"),
    ]
    offered = remedies.commands((story.drift.remedy for story in audited.open), run.pool)
    suggestions = [*offered, *(suggestions[1:] if all_of_it else suggestions)]
    return Report(
        title=f"{run.pool}: {verdict(audited)}",
        level=audited.level,
        summary=f"Audit {run.number}, {run.kind}, {_when(run.ended_at)} UTC, {took}, by {quoted(run.actor.name)}",
        parts=parts,
        suggestions=tuple(suggestions),
    )


def of_runs(runs: Sequence[Audited]) -> Report:
    """Several pools' audits: one row each, the worst first, and under it what is grave or new."""
    ordered = sorted(runs, key=lambda each: (-gravity(each.level), each.run.pool, each.run.kind))
    rows = tuple(_row(each) for each in ordered)
    lines = tuple(
        _line(story, f"{each.run.pool}: ")
        for each in ordered
        for story in each.open
        if story.drift.level is Level.BAD or (story in each.new and not each.first)
    )
    shown = lines[:MOST_LINES]
    parts: list[Part] = []
    if shown:
        parts.append(Lines(heading=_counted("Grave or new", len(shown), len(lines)), lines=shown))
    parts.append(Table(heading="Audits", columns=_COLUMNS, rows=rows))
    well = sum(not each.open for each in runs)
    return Report(
        title=f"{plural(len(runs), 'audit')}: {well} found nothing",
        level=worst(each.level for each in runs),
        parts=tuple(parts),
    )


def history(runs: Sequence[Audited]) -> Report:
    """Audits so far, newest first."""
    if not runs:
        return Report(title="No audit has been run yet", suggestions=(Suggestion("Run one", "audit run"),))
    rows = tuple((Cell(_when(each.run.ended_at)), *_row(each)) for each in runs)
    return Report(
        title=f"The last {plural(len(runs), 'audit')}" if len(runs) > 1 else "One audit so far",
        parts=(Table(columns=("When (UTC)", *_COLUMNS), rows=rows),),
        suggestions=(Suggestion("The newest", f"audit show {runs[0].run.number}"),),
    )


def changes(pool: str, since: Audited, opened: Sequence[Followed], resolved: Sequence[Followed]) -> Report:
    """What is different from how it was at run `since`."""
    new, gone = plural(len(opened), "new finding"), f"{len(resolved) or 'none'} resolved"
    parts = [
        Lines(heading=heading, lines=tuple(lines))
        for heading, lines in (
            ("New since then", [_line(story) for story in _ordered(opened)]),
            ("Resolved since then", [_resolved(story) for story in _ordered(resolved)]),
        )
        if lines
    ]
    return Report(
        title=f"{pool}: {f'{new}, {gone}' if parts else 'nothing has changed'}",
        level=worst(story.drift.level for story in opened),
        summary=f"Since audit {since.run.number} of {_when(since.run.ended_at)} UTC",
        parts=tuple(parts),
    )


def verdict(audited: Audited) -> str:
    """The result in a few words, as the title tells it."""
    if audited.run.failure:
        return "it could not be audited"
    muted = f", {len(audited.muted)} muted" if audited.muted else ""
    if not audited.open:
        return "nothing found" + (f", {len(audited.resolved)} resolved" if audited.resolved else "") + muted
    told = plural(len(audited.open), "finding")
    if audited.first:
        return f"{told} (first audit){muted}"
    differences = [
        f"{count} {word}" for count, word in ((len(audited.new), "new"), (len(audited.resolved), "resolved")) if count
    ]
    return f"{told}, {', '.join(differences) if differences else 'none of them new'}{muted}"


def _parts(audited: Audited, most: int | None) -> tuple[Part, ...]:
    new = "Found" if audited.first else "New"
    still = "Open before; nobody could look" if audited.run.failure else "Still open"
    headed = (
        (new, [_line(story) for story in _ordered(audited.new)]),
        (still, [_line(story, since=True) for story in _ordered(audited.still)]),
        ("Resolved", [_resolved(story) for story in _ordered(audited.resolved)]),
        ("Muted", [_muted(story) for story in _ordered(audited.muted)]),
    )
    parts = []
    for heading, lines in headed:
        shown = lines[:most]
        if shown:
            parts.append(Lines(heading=_counted(heading, len(shown), len(lines)), lines=tuple(shown)))
    return tuple(parts)


def _counted(heading: str, shown: int, there: int) -> str:
    return heading if shown == there else f"{heading}: the gravest {shown} of {there}"


def _ordered(stories: Sequence[Followed]) -> list[Followed]:
    return sorted(stories, key=lambda story: -gravity(story.drift.level))


def _line(story: Followed, before: str = "", *, since: bool = False) -> Line:
    drift = story.drift
    open_since = f" (since {story.opened_at:%Y-%m-%d})" if since else ""
    again = f" – for the {_ordinal(story.times)} time" if story.times > 1 else ""
    named = f"({story.id})" if story.number else ""
    detail = " ".join(part for part in (drift.evidence, named) if part)
    return Line(text=f"{before}{drift.text}{open_since}{again}", level=drift.level, detail=detail, remedy=drift.remedy)


def _muted(story: Followed) -> Line:
    mute = story.mute
    assert mute is not None
    why = f"until {_when(mute.until)} UTC, by {quoted(mute.actor.name)}: {mute.reason} ({story.id})"
    return Line(text=story.drift.text, level=Level.NONE, detail=why)


def _resolved(story: Followed) -> Line:
    until = story.resolved_at or story.seen_at
    lasted = duration((until - story.opened_at).total_seconds())
    return Line(text=story.drift.text, level=Level.OK, detail=f"it was open for {lasted}")


def _ordinal(number: int) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{suffix}"


_COLUMNS = ("Audit", "Pool", "Kind", "Result", "Open", "New", "Resolved")


def _row(audited: Audited) -> tuple[Cell, ...]:
    run = audited.run
    result = "not audited" if run.failure else {Level.OK: "well", Level.BAD: "grave"}.get(audited.level, "findings")
    return (
        Cell(str(run.number)),
        Cell(run.pool),
        Cell(str(run.kind)),
        Cell(result, audited.level),
        Cell(str(len(audited.open))),
        Cell(str(len(audited.new))),
        Cell(str(len(audited.resolved))),
    )


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")
