"""The program: which commands there are, and how one ends."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import logs
from bot.answers import Problem
from bot.cli import cmd, completion, config, database, doctor, ledger, manifest, run, setup, vote
from bot.cli.common import Parsers
from bot.errors import UserError
from bot.terminal import Terminal

DEFAULT_CONFIG = Path("xenia.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the process's exit status: 0 done, 1 refused or found wrong, 2 wrong usage."""
    options = parser().parse_args(arguments)
    logs.to_stderr(logging.DEBUG if options.verbose else getattr(options, "log_from", logging.WARNING))
    try:
        return int(options.run(options))
    except UserError as error:
        return Terminal(sys.stderr).show(Problem.of(error))
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """The whole command line; :mod:`bot.cli.completion` reads it too."""
    whole = argparse.ArgumentParser(
        prog="xenia", description="Runs XenServer and XCP-ng pools from Slack, with approvals."
    )
    whole.add_argument("--verbose", action="store_true", help="log everything")
    parts = whole.add_subparsers(required=True, metavar="COMMAND")

    configured = (
        run.add_parser(parts),
        cmd.add_parser(parts),
        *vote.add_parsers(parts),
        *config.add_parsers(parts),
        *ledger.add_parsers(parts),
        *database.add_parsers(parts),
        *doctor.add_parsers(parts),
    )
    for part in configured:
        part.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="default: xenia.toml")
    setup.add_parser(parts)
    completion.add_parsers(parts, whole)
    manifest.add_parser(parts)
    _add_sandbox(parts)
    return whole


def _add_sandbox(parts: Parsers[argparse.ArgumentParser]) -> None:
    try:
        from bot import demo
    except ImportError:  # installed without the sandbox's dependencies: the rest works
        return
    demo.add_parsers(parts)
