"""`xenia config check`: what is wrong with the configuration, and what is odd about it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from bot import config
from bot.clock import SystemClock
from bot.config.reading import placed, read
from bot.config.settings import Settings
from bot.errors import Unavailable, UserError
from bot.policy import EVERYONE, Oddity, oddities
from bot.slack.app import connect
from bot.slack.people import SlackPeople
from bot.terminal import Terminal
from bot.text import plural

PEOPLE_ASKED = 100
"""So many of the people whom the policy names are looked up; Slack lets an app ask about once a second."""


def check(options: argparse.Namespace) -> int:
    """Prints every warning with its line; 0 even then. :raises ConfigError: with every mistake."""
    settings = config.load(options.config)
    text, terminal = read(options.config), Terminal(sys.stdout)
    people = {name for name, each in settings.people.items() if each.one_time_code}
    found = [*oddities(settings.rules(), SystemClock().now(), people.__contains__)]
    if not options.offline:
        try:
            found += _strangers(settings)
        except UserError as error:
            terminal.line(f"Slack was not asked whether it knows the people: {error.message}")
    for odd in found:
        terminal.line(f"warning: {placed(config.Mistake(odd.where, odd.text), text)}")
    pools, rules = plural(len(settings.pools), "pool"), plural(len(settings.policy.rules), "rule")
    warned = f", {plural(len(found), 'warning')}" if found else ""
    terminal.line(f"{options.config} has no mistakes{warned}: {pools}, {rules}.")
    return 0


def _strangers(settings: Settings) -> Iterator[Oddity]:
    """Whom the policy names and Slack does not know as it should.

    :raises UserError: Slack does not tell.
    """
    slack: SlackPeople = connect(settings.slack_settings()).people
    named = sorted(each for each in settings.rules().mentioned if each != EVERYONE and not each.startswith("os:"))
    for reference in named[:PEOPLE_ASKED]:
        flaw = slack.flaw(reference)
        if flaw:
            yield Oddity(_where(settings, reference), f"{reference}: {flaw}")
    if len(named) > PEOPLE_ASKED:
        raise Unavailable(f"there are {len(named)}, of whom the first {PEOPLE_ASKED} were asked about.")


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
