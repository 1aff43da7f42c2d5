"""The composition root: from settings to a bot that runs. The only place that knows all the rooms."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib.metadata import version

import commands
from bot.audits import clock as clocks
from bot.audits.auditor import Auditor, Look, compatible
from bot.clock import SteadyClock, SystemClock
from bot.codes import OneTimeCodes
from bot.config import Settings, secret
from bot.config.changes import changes, content
from bot.engine import Engine
from bot.errors import UserError
from bot.findings import Kind
from bot.forms import Forms
from bot.herald import Herald
from bot.jobs import Jobs
from bot.model import BOT, Entry, Place
from bot.ntp import NtpServers
from bot.policy import Book, Names
from bot.ports import Clock, People
from bot.registry import Registry
from bot.resolve import Resolver
from bot.rules.limits import Known
from bot.runner import Runner
from bot.slack import heads
from bot.slack.app import SlackBot, connect
from bot.slack.delivery import Courier
from bot.store import heads_in
from bot.store.store import SqliteStore
from bot.xapi.pools import XapiPools

log = logging.getLogger(__name__)

RUNNERS = 16
"""Requests that can run at the same time in one process; each holds a thread while its task runs."""
READERS = 16
"""Pools that are read at the same time for one answer."""


@dataclass(frozen=True, kw_only=True)
class Bot:
    """A bot without a face: everything behind the engine."""

    settings: Settings
    store: SqliteStore
    pools: XapiPools
    runner: Runner
    engine: Engine
    http_port: int | None = None
    """In HTTP mode: the port that Slack's deliveries are taken on, also where the configuration says 0 (any free)."""


def ledger_key(settings: Settings) -> bytes | None:
    """:raises ConfigError: the key's variable or file is missing."""
    return secret(settings.bot.ledger_key)().encode() if settings.bot.ledger_key else None


def open_store(settings: Settings, clock: Clock, *, restored: str = "") -> SqliteStore:
    """:param restored: why it is known that the database is a copy.
    :raises UserError: the database or the ledger's key cannot be used.
    """
    return SqliteStore(settings.bot.database, clock=clock, ledger_key=ledger_key(settings), restored=restored)


def _newest(store: SqliteStore) -> datetime | None:
    """The time of the newest row of the ledger."""
    return next((row.at for row in store.ledger(pools=None, last=1)), None)


def _witness(store: SqliteStore, pool: str, kind: str, body: Mapping[str, str]) -> None:
    """Record a login. One that cannot be recorded is not given up: looking must be possible when the disk is full, and
    no call with effect is sent without a row of its own.
    """
    try:
        store.record(Entry(kind=kind, actor=BOT, pool=pool, body=body))
    except UserError as error:
        log.error("pool %s: %s is not on record: %s", pool, kind, error.message)


def _looks(settings: Settings, store: SqliteStore, clock: Clock) -> Mapping[Kind, Look]:
    """How each kind of audit looks at a pool, by the configuration's limits."""
    limits = settings.audits.limits()
    means = clocks.Means(
        clock=clock,
        servers=NtpServers(settings.audits.ntp_servers).ask,
        history=store.audits.offsets,
        noticeable=limits.clock_seconds,
    )
    return {
        Kind.COMPATIBILITY: partial(compatible, known=lambda _: Known(limits=limits)),
        Kind.CLOCK: partial(clocks.look, means=means),
    }


@contextmanager
def assembled(settings: Settings, people: People, team: str, names: Callable[[str], str] = str) -> Iterator[Bot]:
    """The parts, put together; closed in the right order at the end. `names` is what to call people of the
    configuration.
    """
    clock = SystemClock()
    store = open_store(settings, clock)
    store.configured(content(settings), changes)
    pools = XapiPools(
        (*settings.pool_settings(), *settings.host_settings()),
        clock,
        secret=settings.secret,
        witness=partial(_witness, store),
        memory=store.pools,
    )
    registry = Registry.of_package(commands)
    scopes, rules = settings.scopes(), replace(settings.rules(), names=Names(names))
    with (
        ThreadPoolExecutor(READERS, thread_name_prefix="reader") as readers,
        ThreadPoolExecutor(RUNNERS, thread_name_prefix="runner") as threads,
    ):
        resolver = Resolver(
            pools=pools,
            scopes=scopes,
            registry=registry,
            history=store,
            clock=clock,
            readers=readers,
            policy=Book(rules),
            watched_tags=rules.watched_tags,
            audits=Auditor(pools, store.audits, clock, _looks(settings, store, clock)),
            team=team,
            timezone=settings.bot.timezone,
        )
        steady = SteadyClock(clock, _newest(store))
        runner = Runner(store=store, resolver=resolver, clock=steady, threads=threads)
        engine = Engine(
            registry=registry,
            resolver=resolver,
            forms=Forms(pools, scopes),
            people=people,
            rules=rules,
            codes=OneTimeCodes(settings.codes(), store.first_sight),
            store=store,
            runner=runner,
            clock=steady,
        )
        try:
            yield Bot(settings=settings, store=store, pools=pools, runner=runner, engine=engine)
        finally:
            runner.close()
            pools.close()
    store.close()


@contextmanager
def running(settings: Settings) -> Iterator[Bot]:
    """The whole bot, listening in Slack until the block ends.

    :raises UserError: Slack, the database or a setting cannot be used; said at once, not at the first command.
    """
    workspace = connect(settings.slack_settings())
    with assembled(settings, workspace.people, workspace.team, workspace.people.title) as bot:
        slack = SlackBot(workspace, bot.engine)
        courier = Courier(workspace.api, bot.store, bot.store.request, SystemClock())
        herald = Herald(
            bot.store, bot.engine.clock, Place(kind="slack", team=workspace.team, channel=settings.bot.heads_channel)
        )
        jobs = Jobs(bot.engine.tick, herald.tick)
        login = {"team": workspace.team, "user": workspace.bot_user, "mode": settings.slack.mode}
        body = {"version": version("xenia"), "slack": login, "pools": list(bot.pools.names())}
        bot.store.record(Entry(kind="started", actor=BOT, body=body))
        if settings.bot.heads_channel:
            seen = heads.posted(workspace.api, settings.bot.heads_channel, workspace.bot_user, bot.store.begun())
            bot.store.noted(heads_in(seen))
        courier.start()
        jobs.start()
        slack.start()
        log.info("listening in Slack; pools: %s", ", ".join(bot.pools.names()))
        try:
            yield replace(bot, http_port=slack.http_port)
        finally:
            slack.close()
            jobs.close()
            courier.close()
            bot.store.record(Entry(kind="stopped", actor=BOT, body={"running": bot.runner.running()}))
