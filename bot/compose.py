"""The composition root: from settings to a bot that runs. The only place that knows all the rooms."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version

import commands
from bot import service
from bot.attended import check_channels, present, readable, watched
from bot.audits import candidates, files
from bot.audits import clock as clocks
from bot.audits.auditor import Auditor, Look, compatible
from bot.changes import Changes
from bot.clock import SteadyClock, SystemClock
from bot.codes import OneTimeCodes
from bot.config import Settings, secret
from bot.config.changes import changes, content
from bot.dumps import Dumps
from bot.engine import Engine
from bot.errors import UserError
from bot.findings import Kind
from bot.forms import Forms
from bot.herald import Herald
from bot.jobs import Jobs
from bot.keeper import Keeper, Retention
from bot.model import BOT, Entry, Place
from bot.ntp import NtpServers
from bot.policy import Book, Names
from bot.ports import Channels, Clock, People
from bot.registry import Registry
from bot.resolve import Resolver
from bot.rounds import Rounds
from bot.rules.limits import Known, Limits
from bot.runner import Runner
from bot.slack import heads
from bot.slack.app import SlackBot, Workspace, connect
from bot.slack.channels import SlackChannels
from bot.slack.delivery import Courier
from bot.store import heads_in
from bot.store.store import SqliteStore
from bot.watch import Health, Meters, Others, Pulse, WatchedDesk
from bot.witness import Witness
from bot.xapi.pools import XapiPools

log = logging.getLogger(__name__)

RUNNERS = 64
"""Requests that can run at the same time in one process. Each holds a thread, also while it waits an hour for a host:
with few of them, hosts that reboot would keep an emergency waiting.
"""
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
    watch_port: int | None = None
    """Where `/healthz`, `/readyz` and `/metrics` are; None: nowhere."""
    http_port: int | None = None
    """In HTTP mode: the port that Slack's deliveries are taken on, also where the configuration says 0 (any free)."""


def ledger_key(settings: Settings) -> bytes | None:
    """:raises ConfigError: the key's variable or file is missing."""
    return secret(settings.bot.ledger_key)().encode() if settings.bot.ledger_key else None


def former_keys(settings: Settings) -> tuple[bytes, ...]:
    """:raises ConfigError: a key's variable or file is missing."""
    return tuple(secret(each)().encode() for each in settings.bot.former_ledger_keys)


def open_store(settings: Settings, clock: Clock, *, restored: str = "") -> SqliteStore:
    """:param restored: why it is known that the database is a copy.
    :raises UserError: the database or the ledger's key cannot be used.
    """
    return SqliteStore(
        settings.bot.database,
        clock=clock,
        ledger_key=ledger_key(settings),
        former_keys=former_keys(settings),
        restored=restored,
    )


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


def _known(limits: Limits, store: SqliteStore, pool: str) -> Known:
    newest = next(iter(store.backups((pool,))), None)
    return Known(limits=limits, backups_kept=True, backup_at=newest.at if newest else None)


def _looks(settings: Settings, store: SqliteStore, pools: XapiPools, clock: Clock) -> Mapping[Kind, Look]:
    """How each kind of audit looks at a pool, by the configuration's limits."""
    limits = settings.audits.limits()
    means = clocks.Means(
        clock=clock,
        servers=NtpServers(settings.audits.ntp_servers).ask,
        history=store.audits.offsets,
        noticeable=limits.clock_seconds,
    )
    return {
        Kind.COMPATIBILITY: partial(compatible, known=partial(_known, limits, store)),
        Kind.CLOCK: partial(clocks.look, means=means),
        Kind.CANDIDATES: partial(candidates.look, pools=pools, clock=clock),
    }


@contextmanager
def assembled(
    settings: Settings,
    people: People,
    team: str,
    names: Callable[[str], str] = str,
    *,
    channels: Channels | None = None,
    clock: Clock | None = None,
    counted: Callable[[str, str, str, float], None] | None = None,
) -> Iterator[Bot]:
    """The parts, put together; closed in the right order at the end. `names` is what to call people of the
    configuration; without `channels` none can be named; `counted` is told of each call to a pool.
    """
    clock = clock or SystemClock()
    store = open_store(settings, clock)
    store.configured(content(settings), changes)
    pools = XapiPools(
        (*settings.pool_settings(), *settings.host_settings()),
        clock,
        secret=settings.secret,
        witness=partial(_witness, store),
        memory=store.pools,
        counted=counted,
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
            audits=Auditor(pools, store.audits, clock, _looks(settings, store, pools, clock)),
            schedules=store.schedules,
            channels=channels,
            own=_changes(settings, store, pools, clock).hands,
            team=team,
            timezone=settings.bot.timezone,
            runs_on=settings.bot.runs_on,
        )
        steady = SteadyClock(clock, _newest(store))
        runner = Runner(store=store, resolver=resolver, people=people, clock=steady, threads=threads)
        engine = Engine(
            registry=registry,
            resolver=resolver,
            forms=Forms(pools, scopes),
            people=people,
            rules=rules,
            codes=OneTimeCodes(settings.codes(), store.first_sight),
            store=store,
            runner=runner,
            witness=Witness(store, clock),
            clock=steady,
        )
        try:
            yield Bot(settings=settings, store=store, pools=pools, runner=runner, engine=engine)
        finally:
            runner.close()
            pools.close()
    store.close()


def _changes(settings: Settings, store: SqliteStore, pools: XapiPools, clock: Clock) -> Changes:
    return Changes(
        schedules=store.schedules,
        mutes=store.audits,
        clock=clock,
        timezone=settings.bot.timezone,
        dumps=Dumps(
            folder=settings.bot.database.parent / settings.backups.directory,
            keep=settings.backups.keep,
            fetch=pools.database,
            book=store.copies,
            clock=clock,
        ),
    )


def _channels(settings: Settings, workspace: Workspace) -> Channels:
    scopes, names = settings.scopes(), tuple(settings.pools)

    def pools(channel: str) -> tuple[str, ...]:
        return scopes.visible(Place(kind="slack", team=workspace.team, channel=channel), names)

    return SlackChannels(workspace.api, workspace.places, pools)


def _retention(settings: Settings) -> Retention:
    return Retention(
        deliveries=timedelta(days=settings.bot.retention.deliveries_days),
        audits=timedelta(days=settings.audits.keep_days),
        samples=timedelta(days=settings.audits.samples_days),
    )


def _rounds(bot: Bot, channels: Channels) -> Rounds:
    """What carries scheduled audits out."""
    audits = bot.engine.resolver.audits
    assert audits is not None
    return Rounds(
        agenda=bot.store.schedules,
        audits=audits,
        channels=channels,
        pools=bot.pools.names,
        clock=bot.engine.clock,
        timezone=bot.settings.bot.timezone,
        attach=partial(files.all_of_them, book=bot.store.audits),
    )


@contextmanager
def running(settings: Settings, clock: Clock | None = None) -> Iterator[Bot]:
    """The whole bot, listening in Slack until the block ends; by another clock than the machine's in rehearsals.

    :raises UserError: Slack, the database or a setting cannot be used; said at once, not at the first command.
    """
    clock = clock or SystemClock()
    workspace = connect(settings.slack_settings())
    check_channels(settings, workspace)
    meters, pulse = Meters(version("xenia")), Pulse()
    channels = _channels(settings, workspace)
    people, counted = workspace.people, meters.pool_call
    with (
        assembled(
            settings, people, workspace.team, people.title, channels=channels, clock=clock, counted=counted
        ) as bot,
        present(settings, bot.store) as presence,
    ):
        desk = WatchedDesk(bot.engine, bot.engine.registry, meters)
        slack = SlackBot(workspace, desk, meters.acknowledged)
        shared = workspace.places.is_shared
        courier = Courier(workspace.api, bot.store, bot.store.request, clock, shared=shared)
        herald = Herald(
            bot.store, bot.engine.clock, Place(kind="slack", team=workspace.team, channel=settings.bot.heads_channel)
        )
        rounds = _rounds(bot, channels)
        keeper = Keeper(bot.store, clock, _retention(settings))
        login = {"team": workspace.team, "user": workspace.bot_user, "mode": settings.slack.mode}
        body = {"version": version("xenia"), "slack": login, "pools": list(bot.pools.names())}
        bot.store.record(Entry(kind="started", actor=BOT, body=body))
        if settings.bot.heads_channel:
            seen = heads.posted(workspace.api, settings.bot.heads_channel, workspace.bot_user, bot.store.begun())
            bot.store.noted(heads_in(seen))
        meters.ask(
            Others(
                figures=bot.store.figures,
                pools=bot.pools.sightings,
                connected=slack.connected,
                running=bot.runner.running,
            )
        )
        health = Health(
            well={"timer": pulse.check, "courier": courier.check},
            ready={
                "database": lambda: readable(bot.store),
                "one bot": lambda: presence.other and f"{presence.other} runs on this database too",
                "slack": lambda: "" if slack.connected() else "not connected",
            },
        )
        with watched(settings, bot.pools, health, meters) as (probe, watch_port):
            jobs = Jobs(bot.engine.tick, herald.tick, rounds.tick, keeper.tick, probe, pulse.beat)
            courier.start()
            jobs.start()
            try:
                slack.start()
                log.info("listening in Slack; pools: %s", ", ".join(bot.pools.names()))
                service.tell("READY=1", f"STATUS=Listening in Slack; pools: {', '.join(bot.pools.names())}")
                yield replace(bot, http_port=slack.http_port, watch_port=watch_port)
            finally:
                service.tell("STOPPING=1")
                slack.close()
                jobs.close()
                rounds.close()
                courier.close()
                bot.store.record(Entry(kind="stopped", actor=BOT, body={"running": bot.runner.running()}))
