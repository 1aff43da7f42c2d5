"""`xenia run`: the bot, until it is stopped."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import time
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from threading import Thread

from bot import compose, config, logs, trial
from bot.answers import Problem
from bot.cli.common import Parsers
from bot.clock import SystemClock
from bot.config.reading import command_names
from bot.errors import UserError
from bot.model import Level
from bot.signals import until_stopped
from bot.terminal import Terminal
from bot.text import plural

log = logging.getLogger(__name__)


def add_parser(parts: Parsers[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `xenia run`."""
    starts = parts.add_parser("run", help="listen in Slack until stopped")
    starts.set_defaults(run=run, log_from=logging.INFO)
    return starts


def run(options: argparse.Namespace) -> int:
    """Status 78 where only another configuration helps: the unit does not start it again by itself then. What keeps the
    bot from starting is told as the log is written.
    """
    style: logs.Style = "plain"
    try:
        settings = config.load(options.config)
        style = settings.bot.log
        logs.to_stderr(logging.INFO, style)
        python = platform.python_version()
        log.info("xenia %s starts (Python %s): %s, %s", version("xenia"), python, options.config, settings.bot.database)
        _listen(settings, options.config)
    except UserError as error:
        if style == "plain":
            Terminal(sys.stderr).show(Problem.of(error))
        else:
            log.critical("%s", " ".join(filter(None, (error.message, *error.evidence, error.remedy))))
        return os.EX_CONFIG if isinstance(error, config.ConfigError) else 1
    return 0


def _listen(settings: config.Settings, path: Path) -> None:
    with until_stopped() as stopped:
        with compose.running(settings) as bot:
            Thread(target=first_look, args=(settings, path), name="first-look", daemon=True).start()
            stopped.wait()
            began = time.monotonic()
            log.info("stopping, with %s", plural(bot.runner.running(), "running request"))
        log.info("stopped after %.1f s", time.monotonic() - began)


def first_look(settings: config.Settings, path: Path) -> None:
    """Say in the log what will not work, before somebody needs it. A pool that is away keeps nobody waiting."""
    pools = trial.of_pools(settings.pool_settings(), command_names(), SystemClock())
    for point in trial.once(chain(trial.of_file(path), trial.here(settings), pools)):
        if point.level is not Level.OK:
            log.log(
                logging.ERROR if point.level is Level.BAD else logging.WARNING,
                "%s%s",
                point.text,
                f" – {point.remedy}" if point.remedy else "",
            )
