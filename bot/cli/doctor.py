"""`xenia doctor`: what is wrong now, for whoever is on call. `xenia health`: the bot's own answer, for a container."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from bot import config, trial
from bot.cli.common import Parsers, show
from bot.clock import SystemClock
from bot.config.reading import command_names
from bot.errors import Unavailable, UserError
from bot.model import Level
from bot.slack.app import connect
from bot.store.audit import reading
from bot.store.figures import Figures, read
from bot.store.presence import running
from bot.terminal import Terminal
from bot.text import duration, joined, plural
from bot.trial import Point

ANSWER_SECONDS = 5.0
LATE_SECONDS = 300.0
"""A message that Slack does not show after so long is late."""
VERIFIED_WITHIN = timedelta(days=2)


def add_parsers(parts: Parsers[argparse.ArgumentParser]) -> tuple[argparse.ArgumentParser, ...]:
    """Add `xenia doctor` and `xenia health`; returns the parsers that take --config."""
    doctor = parts.add_parser("doctor", help="what is wrong now?")
    doctor.add_argument("--offline", action="store_true", help="ask neither Slack nor the pools")
    doctor.set_defaults(run=_doctor)
    health = parts.add_parser("health", help="does the running bot say that it is well? (for health checks)")
    health.set_defaults(run=_health)
    return doctor, health


def _doctor(options: argparse.Namespace) -> int:
    """Status 1 when something is bad, 0 when nothing or only something odd was found."""
    settings = config.load(options.config)
    terminal = Terminal(sys.stdout)
    found = chain(trial.of_file(options.config), _symptoms(settings, offline=options.offline))
    level = show(found, terminal)
    words = {Level.OK: "Nothing is wrong.", Level.WARN: "Nothing is broken, but look at what is marked with !."}
    terminal.line(words.get(level, "Something is wrong: look at what is marked with ✗."), "bold")
    return 1 if level is Level.BAD else 0


def _symptoms(settings: config.Settings, *, offline: bool) -> Iterator[Point]:
    yield from _process(settings)
    yield from trial.here(settings)
    if settings.bot.database.exists():
        yield from _memory(settings)
    if offline:
        return
    try:
        workspace = connect(settings.slack_settings())
    except UserError as error:
        yield Point.of(error)
    else:
        yield from trial.of_slack(workspace)
        yield from trial.of_channels(settings, workspace)
    yield from trial.of_pools(settings.pool_settings(), command_names(), SystemClock())


def _process(settings: config.Settings) -> Iterator[Point]:
    who = running(settings.bot.database)
    if not who:
        yield Point(Level.BAD, "the bot does not run", "Start it: systemctl start xenia, or xenia run.")
        return
    yield Point(Level.OK, f"the bot runs: {who}")
    if settings.watch.port:
        try:
            wrong = _asked(settings, "/readyz")
        except UserError as error:
            yield Point.of(error)
            return
        for name, why in wrong.items():
            yield Point(Level.BAD, f"the bot says of itself: {name}: {why}", "Its log says more.")
        if not wrong:
            yield Point(Level.OK, "the bot says that it is ready")


def _memory(settings: config.Settings) -> Iterator[Point]:
    try:
        with reading(settings.bot.database) as db:
            figures = read(db, SystemClock().now())
            lost = [row[0] for row in db.execute("SELECT id FROM requests WHERE state = 'unknown' ORDER BY number")]
    except UserError as error:
        yield Point.of(error)
        return
    yield from _ledger(figures)
    if lost:
        remedy = "Look at the pool, then settle each: request settle ID done|failed because “…”."
        yield Point(Level.BAD, f"the outcome of {joined(lost)} is unknown, and what they touch stays locked", remedy)
    yield from _outbox(figures)


def _ledger(figures: Figures) -> Iterator[Point]:
    if figures.flaw:
        remedy = "Somebody or something changed the record. Keep the file; xenia ledger verify says where."
        yield Point(Level.BAD, f"the ledger is not whole: {figures.flaw}", remedy)
    elif figures.verified_at is None or SystemClock().now() - figures.verified_at > VERIFIED_WITHIN:
        told = f"{figures.verified_at:%Y-%m-%d %H:%M} UTC" if figures.verified_at else "never"
        yield Point(Level.WARN, f"the bot verified its ledger last: {told}", "It does so daily. xenia ledger verify")
    else:
        yield Point(Level.OK, f"the ledger was whole at {figures.verified_at:%Y-%m-%d %H:%M} UTC")


def _outbox(figures: Figures) -> Iterator[Point]:
    late = figures.outbox_oldest_seconds > LATE_SECONDS
    waiting = plural(figures.outbox_waiting, "message")
    if figures.outbox_waiting:
        why = f": {figures.outbox_error}" if figures.outbox_error else ""
        text = f"{waiting} not shown in Slack yet, the oldest for {duration(figures.outbox_oldest_seconds)}{why}"
        yield Point(Level.BAD if late else Level.OK, text, "Nothing is lost: they are sent when Slack can be reached.")
    if figures.outbox_given_up:
        yield Point(
            Level.WARN,
            f"{plural(figures.outbox_given_up, 'message')} could never be delivered: channel gone, or without the bot",
            "The requests can be seen with “pending”, and in the terminal.",
        )


def _health(options: argparse.Namespace) -> int:
    wrong = _asked(config.load(options.config), "/healthz")
    for name, why in wrong.items():
        Terminal(sys.stderr).line(f"{name}: {why}")
    return 1 if wrong else 0


def _asked(settings: config.Settings, page: str) -> dict[str, str]:
    """What the running bot says is wrong. :raises Unavailable: it does not answer, or has no page to ask."""
    if not settings.watch.port:
        raise Unavailable("The bot has no page to ask.", remedy="Set port under [watch] in the configuration.")
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.watch.address, settings.watch.address)
    asking = http.client.HTTPConnection(address, settings.watch.port, timeout=ANSWER_SECONDS)
    try:
        asking.request("GET", page)
        checks = json.loads(asking.getresponse().read())["checks"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise Unavailable(
            f"The bot does not answer at {settings.watch.address}, port {settings.watch.port}.",
            remedy="It does not run, or hangs: see its log, and start it anew.",
            evidence=(getattr(error, "strerror", None) or type(error).__name__,),
        ) from error
    finally:
        asking.close()
    return {name: why for name, why in checks.items() if why != "ok"}
