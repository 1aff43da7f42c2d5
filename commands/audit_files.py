"""`audit files`: an audit as files, for programs and for people who were not asked."""

from __future__ import annotations

from dataclasses import dataclass

from bot.audits.asked import one_run
from bot.audits.files import Form, made
from bot.model import Line, Lines, Report, Risk
from bot.ports import Context
from bot.registry import Scope, command


@dataclass(frozen=True)
class Arguments:
    run: str | None = None
    csv: bool = False
    json: bool = False
    html: bool = False
    charts: bool = False


@command(
    "audit files [RUN] [csv] [json] [html] [charts]",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="An audit as files: tables, one page that needs no network, charts. Without a number, the newest one.",
    details=(
        "“csv”: findings, and measured clocks, for spreadsheets. “json”: all of it, for programs.",
        "“html”: one page to keep, send or print. “charts”: clocks with their error bars, findings over time.",
        "Without any of these words: all of them.",
        "In Slack the files are posted where the command was asked, for everybody there to see; in a terminal “--to"
        " DIRECTORY” writes them.",
    ),
    examples=("audit files", "audit files 12 html", "audit files charts in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    audited = one_run(arguments.run, context)
    wanted = [form for form in Form if getattr(arguments, form.value)] or list(Form)
    files = tuple(file for form in wanted for file in made(audited, context.audits.book, form))
    return Report(
        title=f"Audit {audited.run.number} of {audited.run.pool} as files",
        parts=(
            Lines(lines=tuple(Line(text=file.name, detail=f"{file.title}, {_size(len(file.data))}") for file in files)),
        ),
        attachments=files,
    )


def _size(count: int) -> str:
    return f"{max(count // 1000, 1)} kB"
