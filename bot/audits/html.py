"""An audit as one HTML page: nothing is fetched, it follows the reader's light or dark mode, and it prints."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from html import escape

from bot.audits import charts
from bot.audits.clock_report import clocks
from bot.audits.report import verdict
from bot.findings import Audited, Followed
from bot.model import Level, Line, Lines, Part, Table
from bot.text import duration, one_line

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1d1c1d; --faint: #5f6368; --line: #dfe3e8; --soft: #f6f8fa;
  --bad: #b3261e; --warn: #8a5a00; --info: #0b5cad; --ok: #1e6b34; }
@media (prefers-color-scheme: dark) { :root { --ground: #1a1d21; --ink: #e8eaed; --faint: #a8adb3; --line: #3a3f45;
  --soft: #23272c; --bad: #ff8a80; --warn: #ffc857; --info: #7cc0ff; --ok: #7bd88f; } }
@media print { :root { color-scheme: light; --ground: #fff; --ink: #000; --faint: #444; --line: #bbb; --soft: #fff;
  --bad: #b3261e; --warn: #8a5a00; --info: #0b5cad; --ok: #1e6b34; }
  section { break-inside: avoid-page; } tr { break-inside: avoid; } main { max-width: none; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .faint { color: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--faint); }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
td.mark, td.when { white-space: nowrap; overflow-wrap: normal; }
.bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; }
.info { color: var(--info); } .ok { color: var(--ok); }
code { background: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: 0 .3rem; font-size: .9em; }
img { max-width: 100%; height: auto; display: block; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; img-src data:; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
_WORDS = {Level.BAD: ("grave", "bad"), Level.WARN: ("warning", "warn"), Level.INFO: ("information", "info")}


def page(audited: Audited, runs: Sequence[Audited]) -> str:
    """The audit, with the pool's earlier ones (`runs`, this one included) as a chart."""
    run = audited.run
    title = f"{run.pool}: {verdict(audited)}"
    took = duration((run.ended_at - run.started_at).total_seconds())
    about = f"Audit {run.number}, {run.kind}, {run.ended_at:%Y-%m-%d %H:%M} UTC, {took}, by {run.actor.name}"
    parts = [
        f"<h1>{_text(title)}</h1>",
        f'<p class="faint">{_text(about)}</p>',
        f'<p class="bad">{_text(run.failure)}</p>' if run.failure else "",
        _findings("Found" if audited.first else "New", audited.new),
        _findings("Still open", audited.still),
        _findings("Muted", audited.muted),
        _findings("Resolved", audited.resolved),
        *map(_part, clocks(audited, most=None)),
        _picture(
            "Clocks",
            charts.clocks_in_words(audited.offsets),
            lambda theme: charts.clocks(audited.offsets, theme),
            drawn=any(each.low <= each.high for each in audited.offsets),
        ),
        _picture(
            "Findings over time",
            charts.findings_in_words(runs),
            lambda theme: charts.findings(runs, theme),
            drawn=any(not each.run.failure for each in runs),
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _text(words: str) -> str:
    """Data as text of the page: one line, and no markup."""
    return escape(one_line(words), quote=True)


def _findings(heading: str, found: Iterable[Followed]) -> str:
    rows = [_finding(story) for story in found]
    if not rows:
        return ""
    return _table(heading, ("", "Finding", "Evidence", "What to do", "Since"), rows)


def _finding(story: Followed) -> str:
    drift = story.drift
    word, look = _WORDS.get(drift.level, ("", ""))
    until = f" – {story.resolved_at:%Y-%m-%d}" if story.resolved_at else ""
    times = f", {story.times} times" if story.times > 1 else ""
    return "".join(
        (
            f'<td class="mark {look}">{word}</td>',
            f'<td>{_text(drift.text)}<br><span class="faint">{_text(f"{story.id}, {drift.rule}")}</span></td>',
            f"<td>{_text(drift.evidence)}</td>",
            f"<td>{_text(drift.remedy)}</td>",
            f'<td class="when">{story.opened_at:%Y-%m-%d}{until}{times}</td>',
        )
    )


def _part(part: Part) -> str:
    if isinstance(part, Table):
        rows = ["".join(f"<td>{_text(cell.text)}</td>" for cell in row) for row in part.rows]
        more = f'<p class="faint">… and {part.more} more</p>' if part.more else ""
        return _table(part.heading, part.columns, rows) + more
    assert isinstance(part, Lines)
    lines = "".join(map(_line, part.lines))
    return f"<section><h2>{_text(part.heading)}</h2>{lines}</section>"


def _line(line: Line) -> str:
    faint = [each for each in (line.detail, line.remedy and f"→ {line.remedy}") if each]
    told = [_text(line.text), *(f'<span class="faint">{_text(each)}</span>' for each in faint)]
    return f"<p>{' '.join(told)}</p>"


def _table(heading: str, columns: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{_text(column)}</th>' for column in columns)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<section><h2>{_text(heading)}</h2><div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div></section>"
    )


def _picture(heading: str, alt: str, draw: Callable[[charts.Theme], bytes], *, drawn: bool) -> str:
    """In both modes' colours; on paper the light one."""
    if not drawn:
        return ""
    light, dark = (
        f"data:image/png;base64,{base64.b64encode(draw(each)).decode()}" for each in (charts.LIGHT, charts.DARK)
    )
    return (
        f"<section><h2>{_text(heading)}</h2><picture>"
        f'<source media="screen and (prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{_text(alt)}"></picture></section>'
    )
