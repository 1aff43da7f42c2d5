"""`xenia ledger`: has anybody changed the record; take it out; move its old part into a sealed archive."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot import compose, config
from bot.cli.common import Parsers
from bot.cli.people import login
from bot.clock import SystemClock
from bot.errors import UserError
from bot.store import Head, Verification, export_file, heads_in, verify_file
from bot.store.audit import restores_in
from bot.terminal import Terminal
from bot.text import plural


def add_parsers(parts: Parsers[argparse.ArgumentParser]) -> tuple[argparse.ArgumentParser, ...]:
    """Add `xenia ledger …`; returns the parsers that take --config."""
    actions = parts.add_parser("ledger", help="the record").add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="has anybody changed the record?")
    verify.add_argument(
        "--head",
        metavar="TEXT",
        action="append",
        default=[],
        help="heads noted earlier (SEQ:HASH), in whatever text they were pasted with; they must still be in the chain",
    )
    verify.add_argument(
        "--heads", metavar="FILE", type=Path, action="append", default=[], help="the same, in a file; - for stdin"
    )
    verify.add_argument(
        "--archive", metavar="FILE", type=Path, action="append", default=[], help="an archive to verify with the rest"
    )
    verify.set_defaults(run=_verify)
    export = actions.add_parser("export", help="the record as JSON lines")
    export.set_defaults(run=_export)
    archive = actions.add_parser("archive", help="move old rows of the record into a sealed file")
    archive.add_argument("--before", metavar="DATE", type=_date, required=True, help="2026-01-31: rows older than that")
    archive.add_argument("--to", metavar="FILE", type=Path, required=True, help="a new file")
    archive.set_defaults(run=_archive)
    return verify, export, archive


def _date(text: str) -> datetime:
    """A day's begin or a time; UTC unless it says otherwise."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _heads(options: argparse.Namespace) -> tuple[Head, ...]:
    """:raises UserError: a text or file holds no head."""
    texts = [(f"“{text[:40]}”", text) for text in options.head]
    for path in options.heads:
        try:
            texts.append((str(path), sys.stdin.read() if str(path) == "-" else path.read_text("utf-8", "replace")))
        except OSError as error:
            raise UserError(f"The file {path} cannot be read: {error.strerror}.") from error
    found: list[Head] = []
    for name, text in texts:
        heads = heads_in(text)
        if not heads:
            raise UserError(
                f"There is no head of a ledger in {name}.",
                remedy="A head looks like 18:3f0c… (a number, and 32 or 64 hex digits).",
            )
        found += heads
    return tuple(found)


def _verify(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    noted = _heads(options)
    key, former = compose.ledger_key(settings), compose.former_keys(settings)
    found = verify_file(settings.bot.database, key, noted, options.archive, former)
    terminal = Terminal(sys.stdout)
    for line in (*_verdict(found), *restores_in(settings.bot.database)):
        terminal.line(line)
    if found.flaw is None:
        for line in _vouched(found, bool(noted)):
            terminal.line(line)
    return 0 if found.ok else 1


def _verdict(found: Verification) -> tuple[str, ...]:
    if found.flaw is not None:
        return (
            f"The ledger has been changed: {found.flaw.why}",
            f"Up to row {found.head.seq} it is as it was written." if found.head.seq else "No row before it is right.",
        )
    return (f"The ledger is whole: {plural(found.rows, 'row')}, head {found.head}",)


def _vouched(found: Verification, heads_given: bool) -> list[str]:
    """How far back that can be said, and what it rests on."""
    lines = []
    first = found.base.seq + 1
    if found.base.seq:
        lines.append(
            f"Rows up to {found.base.seq} have left for archives, which were not given: of them only the last hash is"
            " known. Give them with --archive."
        )
    if found.rows and found.keyed_from != first:
        plain = "no row" if found.keyed_from is None else f"only rows from {found.keyed_from} on"
        lines.append(f"But {plain} is sealed with a key: whoever can write the file could have made the others anew.")
    if found.vouched_to:
        lines.append(
            f"By the heads given, rows {first} to {found.vouched_to} ({found.vouched_at[:16]} UTC) are as they were"
            " when those were noted, whoever holds the key."
        )
    if found.unseen:
        rows = ", ".join(map(str, found.unseen))
        lines.append(f"Heads of archived rows were given too ({rows}): without the archives they say nothing.")
    if not heads_given:
        lines.append(
            "No head was given: an older copy, or one made anew by somebody who holds the key, would look the same."
            " The newest head in Slack (“record 18:3f0c…” below a request) tells, with --head."
        )
    return lines


def _export(options: argparse.Namespace) -> int:
    for row in export_file(config.load(options.config).bot.database):
        sys.stdout.write(f"{row}\n")
    return 0


def _archive(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    store = compose.open_store(settings, SystemClock())
    try:
        moved = store.archive(options.before, options.to, login())
        head = store.head()
    finally:
        store.close()
    terminal = Terminal(sys.stdout)
    terminal.line(f"Rows {moved.first} to {moved.last.seq} are in {moved.file} now; the ledger's head is {head}")
    terminal.line("Keep that file: without it nobody can read those rows, or verify them.")
    return 0
