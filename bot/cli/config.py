"""`xenia config check`: what is wrong with the configuration, and what is odd about it."""

from __future__ import annotations

import argparse
import sys

from bot import config, trial
from bot.cli import pools
from bot.cli.common import Parsers, show
from bot.clock import SystemClock
from bot.config.reading import command_names, placed, read
from bot.config.settings import Settings
from bot.errors import UserError
from bot.model import Level
from bot.policy import Oddity, oddities
from bot.slack.app import connect
from bot.terminal import Terminal
from bot.text import plural
from bot.trial import Point


def add_parsers(parts: Parsers[argparse.ArgumentParser]) -> tuple[argparse.ArgumentParser, ...]:
    """Add `xenia config …`; returns the parsers that take --config."""
    actions = parts.add_parser("config", help="the configuration").add_subparsers(required=True, metavar="ACTION")
    tried = actions.add_parser("check", help="is the configuration right?")
    tried.add_argument("--offline", action="store_true", help="do not ask Slack whether it knows the people named")
    tried.add_argument("--live", action="store_true", help="try everything: secrets, Slack, channels, pools, ports")
    tried.set_defaults(run=_check)
    return tried, pools.add_parser(actions)


def _check(options: argparse.Namespace) -> int:
    """Prints every warning with its line; 0 even then. With `live` everything is tried, and 1 is returned when the bot
    could not do its work. :raises ConfigError: with every mistake.
    """
    settings = config.load(options.config)
    text, terminal = read(options.config), Terminal(sys.stdout)
    people = {name for name, each in settings.people.items() if each.one_time_code}
    odd = [*oddities(settings.rules(), SystemClock().now(), people.__contains__)]
    points = [*trial.of_file(options.config), *(trial.here(settings) if options.live else ())]
    if not options.offline:
        points += _slack(settings, odd, live=options.live)
    if options.live:
        points += trial.of_pools((*settings.pool_settings(), *settings.host_settings()), command_names(), SystemClock())
    level = show(iter(points), terminal)
    for each in odd:
        terminal.line(f"warning: {placed(config.Mistake(each.where, each.text), text)}")
    count, rules = plural(len(settings.pools), "pool"), plural(len(settings.policy.rules), "rule")
    warned = f", {plural(len(odd), 'warning')}" if odd else ""
    terminal.line(f"{options.config} has no mistakes{warned}: {count}, {rules}.")
    if level is Level.BAD:
        terminal.line("But with it the bot cannot do its work: look at what is marked with ✗.", "bold")
    return 1 if level is Level.BAD else 0


def _slack(settings: Settings, odd: list[Oddity], *, live: bool) -> list[Point]:
    """What Slack says. People who are not as they should be are added to `odd`, with where they are named."""
    try:
        workspace = connect(settings.slack_settings())
    except UserError as error:
        unasked = f"Slack was not asked whether it knows the people: {error.message}"
        return [Point.of(error) if live else Point(Level.WARN, unasked)]
    points = [*trial.of_slack(workspace), *trial.of_channels(settings, workspace)] if live else []
    for reference, point in trial.of_people(settings, workspace):
        if reference and point.level is Level.WARN:
            odd.append(Oddity(_where(settings, reference), point.text))
        elif live or point.level is not Level.OK:
            points.append(point)
    return points


def _where(settings: Settings, reference: str) -> tuple[str | int, ...]:
    """The first setting of the policy that names somebody."""
    for key, value in settings.policy:
        if isinstance(value, frozenset) and reference in value:
            return ("policy", key)
    for path, section in settings.policy.named():
        for key, value in section:
            if isinstance(value, frozenset) and reference in value:
                return (*path, key)
    return ("policy",)
