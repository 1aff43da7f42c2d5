"""`xenia cmd`: one command from the terminal, through the same engine as in Slack."""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import compose, config
from bot.answers import Ask, Opened, Shown
from bot.cli.common import Parsers
from bot.cli.following import follow, progressing
from bot.cli.people import OperatingSystem, acting
from bot.errors import UserError
from bot.model import Attachment, Place
from bot.terminal import Terminal, as_json, status_of


def add_parser(parts: Parsers[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `xenia cmd`."""
    cmd = parts.add_parser("cmd", help="one command, from the terminal")
    cmd.add_argument("text", nargs="+", help="the command, as it is typed in Slack after /xen")
    cmd.add_argument("--as", dest="as_", metavar="NAME", help="act as this login of [terminal]; only in the sandbox")
    cmd.add_argument("--json", action="store_true", help="the answer as JSON")
    cmd.add_argument("--to", metavar="DIRECTORY", type=Path, help="write the answer's files there (as of audit files)")
    cmd.add_argument("--wait", action="store_true", help="for a change: wait until it has ended")
    limit = "wait so long at most; status 3 when it has not ended then"
    cmd.add_argument("--limit", metavar="SECONDS", type=float, default=math.inf, help=limit)
    cmd.set_defaults(run=_cmd, log_from=logging.ERROR)  # what is refused is answered; a log would say it twice
    return cmd


def _cmd(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    actor = acting(settings, options.as_)
    with compose.assembled(settings, OperatingSystem(settings), settings.slack.team) as bot:
        ask = Ask(
            text=" ".join(options.text),
            actor=actor,
            place=Place(kind="terminal", team=settings.slack.team),
            cannot_post="The terminal is no channel, and the pool has no approvals_channel.",
        )
        with progressing():
            answer = bot.engine.answer(ask)
        status = status_of(answer)
        if options.json:
            sys.stdout.write(as_json(answer) + "\n")
        else:
            Terminal(sys.stdout if status == 0 or isinstance(answer, Shown) else sys.stderr).show(answer)
        if isinstance(answer, Shown) and answer.report.attachments:
            _keep(answer.report.attachments, options.to, Terminal(sys.stderr))
        if isinstance(answer, Opened) and (options.wait or bot.runner.running()):
            return follow(bot, answer.request_id, options.limit)
        return status


def _keep(files: Sequence[Attachment], folder: Path | None, terminal: Terminal) -> None:
    """:raises UserError: they cannot be written there."""
    if folder is None:
        terminal.line("With --to DIRECTORY the files are written there.")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            (folder / Path(file.name).name).write_bytes(file.data)
    except OSError as error:
        raise UserError(
            f"The files cannot be written to {folder}: {error.strerror or type(error).__name__}.",
            remedy="Name a directory that you may write to.",
        ) from error
    terminal.line(f"Written to {folder}")
