"""`xenia setup`: a guided first run. What is answered is tried; nothing is changed but the files that it writes."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.parse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bot import config, trial
from bot.answers import Problem
from bot.cli.common import Parsers, show
from bot.cli.people import login_name
from bot.clock import SystemClock
from bot.config.reading import command_names
from bot.errors import Refused, UserError
from bot.model import Level
from bot.setup.answers import Answers
from bot.setup.written import Chosen
from bot.slack.api import SlackFailure
from bot.slack.app import Workspace, connect
from bot.slack.manifest import manifest
from bot.slack.settings import SlackSettings
from bot.terminal import Terminal
from bot.trial import Point
from bot.xapi.addresses import endpoint_of
from bot.xapi.settings import plain_fingerprint, shown_fingerprint
from bot.xapi.trust import peek

NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json="
PEEK_SECONDS = 5.0


def add_parser(parts: Parsers[argparse.ArgumentParser]) -> None:
    """Add `xenia setup`."""
    setup = parts.add_parser("setup", help="a guided first run: asks, tries, and writes a configuration")
    setup.add_argument("--directory", type=Path, default=Path(), help="for xenia.toml and secrets/ (default: here)")
    setup.add_argument("--non-interactive", action="store_true", help="ask nothing: all answers are flags")
    setup.add_argument("--force", action="store_true", help="replace a configuration that is there")
    setup.add_argument("--no-message", action="store_true", help="send no test message")
    setup.add_argument("--bot-token-file", metavar="FILE", type=Path, help="or XENIA_BOT_TOKEN")
    setup.add_argument("--app-token-file", metavar="FILE", type=Path, help="or XENIA_APP_TOKEN")
    setup.add_argument("--password-file", metavar="FILE", type=Path, help="or XENIA_POOL_PASSWORD")
    setup.add_argument("--channel", metavar="ID", help="where requests are decided (C…)")
    setup.add_argument("--operators", metavar="ID", action="append", help="who may ask for changes (U…, S…)")
    setup.add_argument("--approvers", metavar="ID", action="append", help="who may approve them")
    setup.add_argument("--readers", metavar="ID", action="append", help="who may look (default: everyone)")
    setup.add_argument("--terminal", metavar="ID", help="who of them this login is, for xenia cmd (default: nobody)")
    setup.add_argument("--pool", metavar="NAME", help="what people will call the pool")
    setup.add_argument("--hosts", metavar="ADDRESS", action="append", help="a host of it")
    setup.add_argument("--username", metavar="NAME", help="XenAPI account (default: root)")
    setup.add_argument("--fingerprint", metavar="SHA256", action="append", default=[], help="a host's certificate")
    setup.add_argument("--address-map", metavar="HOST=END", action="append", default=[], help="where a host is reached")
    setup.add_argument("--watch-port", metavar="PORT", type=int, help="for /healthz, /readyz and /metrics")
    setup.add_argument("--api-url", metavar="URL", default="", help="Slack's Web API; only the sandbox has another")
    setup.set_defaults(run=_setup)


def _setup(options: argparse.Namespace) -> int:
    """:raises UserError: an answer is missing, or was tried and cannot work."""
    answers, terminal = Answers(options), Terminal(sys.stdout)
    app = urllib.parse.quote(json.dumps(manifest(), separators=(",", ":")))
    answers.tell("1. Slack. This address creates the app; install it, and make an app-level token (connections:write):")
    terminal.line(f"   {NEW_APP}{app}")
    bot_token, app_token, workspace = _slack(answers, terminal, options.api_url)

    answers.tell("2. Channel and people.")
    channel = answers.text("channel", "Id of the channel where requests are decided (C…)")
    operators = answers.several("operators", "Ids of the people who may ask for changes (U… or S…)")
    approvers = answers.several("approvers", "Ids of the people who may approve them")
    readers = answers.several("readers", "Ids of the people who may look", ("everyone",))
    me = answers.text("terminal", f"Who of them is {login_name()} at this machine's terminal (- for nobody)", "-")

    answers.tell("3. The pool.")
    pool = answers.text("pool", "What people will call the pool, one word", "lab")
    hosts = answers.several("hosts", "Addresses of its hosts")
    ends = dict(pair.split("=", 1) for pair in options.address_map if "=" in pair)
    pins, old = _certificates(answers, hosts, ends, options.fingerprint)
    chosen = Chosen(
        directory=options.directory,
        team=workspace.team,
        api_url=options.api_url,
        channel=channel,
        operators=operators,
        approvers=approvers,
        readers=readers,
        terminal={} if me == "-" else {login_name(): me},
        pool=pool,
        hosts=hosts,
        username=answers.text("username", "XenAPI account", "root"),
        fingerprints=pins,
        allow_tls1=old,
        address_map=ends,
        watch_port=options.watch_port,
        values={"bot-token": bot_token, "app-token": app_token, "pool-password": answers.secret("password")},
    )
    chosen.write(force=options.force)

    answers.tell(f"4. Written: {chosen.config}. Everything in it is tried now.")
    settings = config.load(chosen.config)
    _tried(trial.of_channels(settings, workspace), terminal)
    _tried((point for _, point in trial.of_people(settings, workspace)), terminal)
    _tried(trial.of_pools(settings.pool_settings(), command_names(), SystemClock()), terminal)
    _tried(trial.here(settings), terminal)
    if not options.no_message:
        _greet(workspace, channel, pool, settings.slack.command)
        answers.tell(f"A message was sent to {channel}.")
    if chosen.terminal:
        answers.tell(f'Done. Ask here: xenia cmd --config {chosen.config} "pool status in {pool}"')
    answers.tell(f"{'' if chosen.terminal else 'Done. '}Start the bot: xenia run --config {chosen.config}")
    return 0


def _slack(answers: Answers, terminal: Terminal, api_url: str) -> tuple[str, str, Workspace]:
    """Both tokens and what they open. Tokens that were typed and do not work are asked for again.

    :raises UserError: they do not work and were given as files or variables, or nobody is asked.
    """
    while True:
        bot_token, app_token = answers.secret("bot_token"), answers.secret("app_token")
        try:
            workspace = _connected(bot_token, app_token, api_url)
            _tried(trial.of_slack(workspace), terminal)
            return bot_token, app_token, workspace
        except UserError as error:
            if not (answers.types("bot_token") or answers.types("app_token")):
                raise
            terminal.show(Problem.of(error))
            answers.tell("Once more, or Ctrl-C to stop.")


def _connected(bot_token: str, app_token: str, api_url: str) -> Workspace:
    """:raises Unavailable: Slack does not take the bot token, or cannot be reached."""
    settings = SlackSettings(bot_token=lambda: bot_token, app_token=lambda: app_token)
    return connect(replace(settings, base_url=api_url) if api_url else settings)


def _tried(points: Iterable[Point], terminal: Terminal) -> None:
    """Show each. :raises Refused: one is such that the bot could not do its work."""
    if show(iter(points), terminal) is Level.BAD:
        raise Refused(
            "With this the bot could not do its work.",
            remedy="Mend what is marked with ✗, and run setup again (with --force if it has written already).",
        )


def _certificates(
    answers: Answers, hosts: tuple[str, ...], ends: dict[str, str], given: list[str]
) -> tuple[tuple[str, ...], bool]:
    """The fingerprints to pin, one for each host that shows one, and whether one has only outdated encryption.

    :raises Refused: a certificate was neither given nor agreed to: nothing is trusted silently.
    """
    known, pins, old = {plain_fingerprint(each) for each in given}, [], False
    for host in hosts:
        seen = peek(endpoint_of(host, ends, plain_http=False), PEEK_SECONDS)
        if seen is None:
            raise Refused(f"{host} shows no certificate.", remedy="Check its address, and that it can be reached.")
        shown = shown_fingerprint(seen.fingerprint)
        answers.tell(f"{host} shows a certificate with SHA-256 {shown}.")
        if seen.fingerprint not in known:
            answers.tell("At its own console: openssl x509 -in /etc/xensource/xapi-ssl.pem -noout -fingerprint -sha256")
            if not answers.agree(f"Does the console of {host} show the same?"):
                raise Refused(
                    f"The certificate of {host} is not one that you know.",
                    remedy=f"Compare it at the host's own console, then give --fingerprint {shown}.",
                )
        if seen.outdated:
            answers.tell(f"{host} {seen.outdated}, which is outdated.")
            if not answers.agree("Accept that for this pool?"):
                raise Refused(f"{host} {seen.outdated}.", remedy="Bring it up to date, or set allow_tls1.")
            old = True
        pins.append(shown)
    return tuple(pins), old


def _greet(workspace: Workspace, channel: str, pool: str, command: str) -> None:
    """:raises Refused: Slack does not take it."""
    text = f"Xenia is set up for the pool {pool}. Try {command} pool status once the bot runs."
    try:
        workspace.api.call("chat.postMessage", channel=channel, text=text, parse="none", link_names=False)
    except SlackFailure as failure:
        raise Refused("The test message could not be sent.", evidence=(str(failure),)) from failure
