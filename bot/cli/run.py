"""`xenia run`: the bot, until it is stopped."""

from __future__ import annotations

import argparse
import logging
from threading import Thread

from bot import compose, config, logs, trial
from bot.cli.common import Parsers
from bot.clock import SystemClock
from bot.config.reading import command_names
from bot.model import Level
from bot.signals import until_stopped

log = logging.getLogger(__name__)


def add_parser(parts: Parsers[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `xenia run`."""
    starts = parts.add_parser("run", help="listen in Slack until stopped")
    starts.set_defaults(run=run, log_from=logging.INFO)
    return starts


def run(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    logs.to_stderr(logging.INFO, settings.bot.log)
    with until_stopped() as stopped, compose.running(settings):
        Thread(target=first_look, args=(settings,), name="first-look", daemon=True).start()
        stopped.wait()
    return 0


def first_look(settings: config.Settings) -> None:
    """Say in the log what will not work, before somebody needs it. A pool that is away keeps nobody waiting."""
    for point in (*trial.here(settings), *trial.of_pools(settings.pool_settings(), command_names(), SystemClock())):
        if point.level is not Level.OK:
            log.log(logging.ERROR if point.level is Level.BAD else logging.WARNING, "%s %s", point.text, point.remedy)
