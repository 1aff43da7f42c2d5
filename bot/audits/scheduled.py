"""What a scheduled audit tells its channel: what has changed there since its last message, whoever has audited the
pool in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.audits import report
from bot.audits.auditor import SILENT
from bot.findings import AuditBook, Audited
from bot.model import Attachment, Level, Line, Lines, Report, Suggestion
from bot.schedules import News, Schedule, Tell, Told
from bot.text import plural, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """How a run came about. Times are UTC; `zone` is the schedule's."""

    zone: ZoneInfo
    due_at: datetime
    next_at: datetime
    missed: int = 0
    """Times that passed before this run; it makes up for all of them."""
    down: tuple[datetime, datetime] | None = None
    """When no bot was running."""
    attempt: int = 1
    """Above 1: the bot stopped in the middle of it."""

    @property
    def unusual(self) -> str:
        """In words what was not as it should be; "" when all was."""
        told = []
        if self.missed:
            missed = f"{plural(self.missed, 'audit')} missed, made up for by this one"
            told.append(f"{self._away()}, {missed}")
        if self.attempt > 1:
            told.append(f"the bot stopped in the middle of the audit of {self._at(self.due_at)}; it was run again")
        return "; ".join(told)

    def _away(self) -> str:
        if self.down is None:
            return f"late since {self._at(self.due_at)}"
        begin, end = (each.astimezone(self.zone) for each in self.down)
        day = "" if begin.date() == end.date() else "%Y-%m-%d "
        return f"down {begin.strftime(f'{day}%H:%M')}–{end.strftime(f'{day}%H:%M')}"

    def _at(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M} {self.zone.key}"

    @property
    def next_time(self) -> str:
        return self._at(self.next_at)


Attach = Callable[[Audited], tuple[Attachment, ...]]
"""The files that go with an audit."""


def no_files(_: Audited) -> tuple[Attachment, ...]:
    return ()


def believed(audited: Audited, book: AuditBook) -> Audited:
    """The run; or, where it was overtaken by one that began later (whoever asked for that), the later one."""
    run = audited.run
    if not run.failure or any(story.drift.rule == SILENT for story in audited.open):
        return audited
    return next((each for each in book.audit_runs([run.pool], kind=run.kind, last=5) if not each.run.failure), audited)


def since_told(audited: Audited, told: Told | None, book: AuditBook) -> Audited:
    """The same findings, sorted by what the channel knows: new is what it has not been told, or what was muted then."""
    if told is None:
        return replace(audited, first=True, new=audited.open, still=(), resolved=())
    opened, resolved = book.audit_changes(replace(audited.run, number=told.run))
    fresh = {story.number for story in opened}
    muted = book.muted(audited.run.pool, told.at)

    def is_new(number: int, key: str) -> bool:
        return number in fresh or key in muted

    return replace(
        audited,
        first=False,
        new=tuple(story for story in audited.open if is_new(story.number, story.drift.key)),
        still=tuple(story for story in audited.open if not is_new(story.number, story.drift.key)),
        resolved=tuple(story for story in resolved if story.drift.key not in muted),
    )


def news(
    schedule: Schedule, how: Circumstances, found: Iterable[Audited], attach: Attach = no_files
) -> tuple[News, ...]:
    """One message for each pool of which there is something to tell, with everything in its thread. What was unusual
    about the run is always told.

    :param found: as :func:`since_told` gives them.
    """
    runs = list(found)
    always = schedule.asked.tell is Tell.ALWAYS
    telling = [each for each in runs if always or how.unusual or each.first or each.new or each.resolved]
    return tuple(_of_pool(schedule, how, each, attach) for each in telling)


def not_run(schedule: Schedule, why: str, remedy: str, how: Circumstances) -> News:
    """That a schedule came to nothing, and why."""
    return News(
        message=Report(
            title=f"Schedule {schedule.id}: no audit",
            level=Level.WARN,
            summary=why,
            parts=(Lines(lines=(Line(text=remedy), Line(text=_schedule(schedule, how)))),),
            suggestions=(Suggestion("Remove it", f"audit remove {schedule.id}"),),
        )
    )


def _of_pool(schedule: Schedule, how: Circumstances, audited: Audited, attach: Attach) -> News:
    unusual = f"{how.unusual[:1].upper()}{how.unusual[1:]}. " if how.unusual else ""
    short, whole = report.of_run(audited), report.of_run(audited, all_of_it=True)
    summary = f"{unusual}{short.summary}. {_schedule(schedule, how)}"
    files = attach(audited)
    title = f"Audit {audited.run.number} of {audited.run.pool} as files"
    thread = (replace(whole, suggestions=()), *((Report(title=title, attachments=files),) if files else ()))
    return News(message=replace(short, summary=summary), thread=thread)


def _schedule(schedule: Schedule, how: Circumstances) -> str:
    return f"{schedule.id}: {quoted(schedule.asked.recurrence)}, next {how.next_time}"
