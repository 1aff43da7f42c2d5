"""`xenia database`: a copy of the bot's memory, and its way back."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot import compose, config
from bot.cli.common import Parsers
from bot.cli.people import login
from bot.clock import SystemClock
from bot.errors import Unavailable
from bot.model import Entry
from bot.store.backup import backup, restore
from bot.terminal import Terminal
from bot.text import joined, plural


def add_parsers(parts: Parsers[argparse.ArgumentParser]) -> tuple[argparse.ArgumentParser, ...]:
    """Add `xenia database …`; returns the parsers that take --config."""
    actions = parts.add_parser("database", help="the bot's memory").add_subparsers(required=True, metavar="ACTION")
    out = actions.add_parser("backup", help="copy it into a new file, also while the bot runs")
    out.add_argument("file", metavar="FILE", type=Path)
    out.set_defaults(run=_backup)
    back = actions.add_parser("restore", help="put a copy in its place, while the bot does not run")
    back.add_argument("file", metavar="FILE", type=Path)
    back.add_argument("--force", action="store_true", help="also over a newer one, which is kept beside it")
    back.set_defaults(run=_restore)
    return out, back


def _backup(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    terminal = Terminal(sys.stdout)
    try:
        _record(settings, options.file)
    except Unavailable as error:
        # A memory that cannot be written any more is one to be copied all the more.
        terminal.line(f"The copy is not in the record: {error.message}")
    found = backup(settings.bot.database, options.file, compose.ledger_key(settings), compose.former_keys(settings))
    terminal.line(f"{options.file} holds the whole memory, read back: {plural(found.rows, 'row')}, head {found.head}")
    if found.flaw is not None:
        terminal.line(f"But its ledger has been changed: {found.flaw.why}")
        return 1
    return 0


def _record(settings: config.Settings, file: Path) -> None:
    """Before the copy is made, so that it says itself what it is."""
    store = compose.open_store(settings, SystemClock())
    try:
        store.record(Entry(kind="database copied", actor=login(), body={"to": file.name, "head": str(store.head())}))
    finally:
        store.close()


def _restore(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    key = compose.ledger_key(settings)
    former = compose.former_keys(settings)
    now = datetime.now(UTC)
    replaced = restore(settings.bot.database, options.file, key, now, force=options.force, former_keys=former)
    why = f"{login().name} restored it from {options.file.name} with xenia database restore"
    store = compose.open_store(settings, SystemClock(), restored=why)
    store.close()
    terminal = Terminal(sys.stdout)
    terminal.line(f"{settings.bot.database} is now as {options.file} has it, up to {replaced.head}")
    if replaced.kept is not None:
        terminal.line(f"What stood there is kept as {replaced.kept}")
    closed = store.restored.closed if store.restored else ()
    if closed:
        terminal.line(f"Closed as unknown, for people to look at and to settle: {joined(closed, limit=50)}")
    terminal.line("Nothing of the copy is carried on. Approvals in it are void.")
    return 0
