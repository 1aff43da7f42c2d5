"""An audit as files: CSV and JSON for programs, one HTML page and charts for people."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum

from bot.audits import charts
from bot.audits.html import page
from bot.audits.report import verdict
from bot.findings import AuditBook, Audited, Followed
from bot.model import Attachment
from bot.text import one_line

log = logging.getLogger(__name__)

MOST_EARLIER = 60
"""Audits that the chart of findings goes back."""
_ALT = 900
_FORMULA = re.compile(r"""(^|;)(?=[\s"']*[=+\-@＝＋－＠])""")
"""Where a spreadsheet would begin a formula (OWASP: CSV injection): at a cell's beginning, also behind `;`, where many
begin the next cell; tabs and line breaks, the other separators, are gone by then. Some take full-width signs as well.
"""


class Form(StrEnum):
    """What an audit can be written as."""

    CSV = "csv"
    JSON = "json"
    HTML = "html"
    CHARTS = "charts"


def made(audited: Audited, book: AuditBook, form: Form) -> tuple[Attachment, ...]:
    """The audit in one form: one file, or for charts as many as there is something to draw for."""
    stem = f"xenia-{audited.run.pool}-audit-{audited.run.number}"
    title = f"Audit {audited.run.number} of {audited.run.pool}"
    match form:
        case Form.CSV:
            clocks = (
                [Attachment.of(f"{stem}-clocks.csv", f"{title}: clocks", _clocks_csv(audited))]
                if audited.offsets
                else []
            )
            return (Attachment.of(f"{stem}.csv", f"{title}: findings", _findings_csv(audited)), *clocks)
        case Form.JSON:
            return (Attachment.of(f"{stem}.json", title, as_json(audited).encode()),)
        case Form.HTML:
            return (Attachment.of(f"{stem}.html", title, page(audited, earlier(audited, book)).encode()),)
        case Form.CHARTS:
            return tuple(_pictures(audited, earlier(audited, book), stem))


def all_of_them(audited: Audited, book: AuditBook) -> tuple[Attachment, ...]:
    """Every form of an audit that could look; none where they cannot be made: a message must not be lost over them."""
    if audited.run.failure:
        return ()
    try:
        return tuple(file for form in Form for file in made(audited, book, form))
    except Exception:
        log.exception("audit %s comes without its files", audited.run.number)
        return ()


def earlier(audited: Audited, book: AuditBook) -> tuple[Audited, ...]:
    """The audits of this pool and kind up to this one, newest first."""
    runs = book.audit_runs([audited.run.pool], kind=audited.run.kind, last=MOST_EARLIER * 2)
    return tuple(each for each in runs if each.run.number <= audited.run.number)[:MOST_EARLIER]


def _pictures(audited: Audited, runs: tuple[Audited, ...], stem: str) -> Iterator[Attachment]:
    if any(each.low <= each.high for each in audited.offsets):
        yield Attachment.of(
            f"{stem}-clocks.png",
            f"Clocks of {audited.run.pool}, audit {audited.run.number}",
            charts.clocks(audited.offsets),
            one_line(charts.clocks_in_words(audited.offsets), _ALT),
        )
    if any(not each.run.failure for each in runs):
        yield Attachment.of(
            f"{stem}-findings.png",
            f"Open findings of {audited.run.pool} until audit {audited.run.number}",
            charts.findings(runs),
            one_line(charts.findings_in_words(runs), _ALT),
        )


# --- for programs -----------------------------------------------------------------------------------------------------


def stories(audited: Audited) -> Iterator[tuple[str, Followed]]:
    """Every finding of the audit with its state: new, open, muted, resolved."""
    for state, found in (
        ("new", audited.new),
        ("open", audited.still),
        ("muted", audited.muted),
        ("resolved", audited.resolved),
    ):
        for story in found:
            yield state, story


def as_json(audited: Audited) -> str:
    """The whole audit: times in UTC as ISO 8601, offsets in seconds, rates in ppm."""
    run = audited.run
    data = {
        "audit": run.number,
        "kind": str(run.kind),
        "pool": run.pool,
        "by": run.actor.name,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "failure": run.failure,
        "verdict": verdict(audited),
        "findings": [{"state": state, **_story(story)} for state, story in stories(audited)],
        "clocks": [
            {"host": each.host.name, "host_uuid": each.host.uuid, **_without(asdict(each), "host")}
            for each in audited.offsets
        ],
        "ntp_servers": [asdict(each) for each in audited.time_answers],
    }
    return json.dumps(data, indent=2, ensure_ascii=False, default=_plain) + "\n"


def _story(story: Followed) -> dict[str, object]:
    drift = story.drift
    return {
        "finding": story.id,
        "rule": drift.rule,
        "level": str(drift.level),
        "class": drift.subject.cls,
        "uuid": drift.subject.uuid,
        "name": drift.subject.name,
        "about": drift.about,
        "text": drift.text,
        "evidence": drift.evidence,
        "remedy": drift.remedy,
        "opened_at": story.opened_at,
        "seen_at": story.seen_at,
        "resolved_at": story.resolved_at,
        "times": story.times,
    }


def _without(fields: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in fields.items() if key != name}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _findings_csv(audited: Audited) -> bytes:
    rows = [{"state": state, **_story(story)} for state, story in stories(audited)]
    columns = ("state", *_story_columns())
    return _csv(columns, [[row[name] for name in columns] for row in rows])


def _story_columns() -> tuple[str, ...]:
    return (
        *("finding", "rule", "level", "class", "uuid", "name", "about", "text", "evidence", "remedy"),
        *("opened_at", "seen_at", "resolved_at", "times"),
    )


_CLOCK_COLUMNS = (
    *("low", "high", "true_low", "true_high", "ppm_low", "ppm_high"),
    *("readings", "round_trip"),
)


def _clocks_csv(audited: Audited) -> bytes:
    columns = ("host", "host_uuid", "at", *_CLOCK_COLUMNS)
    rows = [
        [each.host.name, each.host.uuid, each.at, *(getattr(each, name) for name in _CLOCK_COLUMNS)]
        for each in audited.offsets
    ]
    return _csv(columns, rows)


def _csv(columns: tuple[str, ...], rows: list[list[object]]) -> bytes:
    """RFC 4180, with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe, which makes it text; numbers stay."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'", one_line(value))
    return value
