"""What goes on around a bot that runs: who else runs, who watches, and whether its channels are what they should be."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot import listening, service, trial
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import Unavailable
from bot.model import BOT, Entry, Level
from bot.slack.app import Workspace
from bot.store.presence import Presence
from bot.store.store import SqliteStore
from bot.watch import Health, Meters, Probe, WatchServer
from bot.xapi.pools import XapiPools

log = logging.getLogger(__name__)


def check_channels(settings: Settings, workspace: Workspace) -> None:
    """Say in the log where requests could not be decided.

    :raises Unavailable: they would be shown to people of another organisation.
    """
    for point in trial.of_channels(settings, workspace):
        if point.level is Level.BAD and "shared" in point.text:
            raise Unavailable(point.text, remedy=point.remedy)
        if point.level is not Level.OK:
            log.error("%s – %s", point.text, point.remedy)


@contextmanager
def present(settings: Settings, store: SqliteStore) -> Iterator[Presence]:
    """Say it when the bot runs on this database already. Leases make that safe, so it is not refused."""
    presence = Presence(settings.bot.database, f"process {os.getpid()} of {socket.gethostname()}")
    try:
        if presence.other:
            log.error(
                "%s runs the bot on this database already: people get answers from both. Stop one of them.",
                presence.other,
            )
            store.record(Entry(kind="second bot", actor=BOT, body={"first": presence.other}))
        yield presence
    finally:
        presence.close()


def readable(store: SqliteStore) -> str:
    """:raises Unavailable: it is not."""
    store.figures()
    return ""


@contextmanager
def watched(
    settings: Settings, pools: XapiPools, health: Health, meters: Meters
) -> Iterator[tuple[Callable[[], None], int | None]]:
    """The watchdog, and what listens where the configuration says so; the probe's due work, and the port.

    :raises Unavailable: the port cannot be had.
    """
    watch, clock = settings.watch, SystemClock()
    watchdog = service.Watchdog(lambda: "; ".join(filter(None, health.well().values())))
    watchdog.start()
    try:
        if watch.port is None:
            yield (lambda: None), None
            return
        probe = Probe(pools, pools.sightings, clock, watch.probe_seconds)
        server = WatchServer(watch.address, watch.port, health, meters.page)
        log.info("watched at http://%s/readyz", listening.shown(watch.address, server.port))
        try:
            yield probe.tick, server.port
        finally:
            server.close()
            probe.close()
    finally:
        watchdog.close()
