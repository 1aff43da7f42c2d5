"""`xenia config accept-pool`: a person says that another pool stands behind a name from now on."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from bot import compose, config
from bot.cli.common import Parsers
from bot.cli.people import login
from bot.clock import SystemClock
from bot.errors import NotFound, Refused
from bot.model import Entry
from bot.ports import KnownPool
from bot.terminal import Terminal
from bot.text import joined, quoted
from bot.xapi import XapiPools


def add_parser(checks: Parsers[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    accept = checks.add_parser("accept-pool", help="another pool answers under this name, and that is right")
    accept.add_argument("pool", metavar="POOL", help="the pool's name in the configuration")
    accept.add_argument("uuid", metavar="UUID", help="the uuid of the pool that is meant now")
    accept.set_defaults(run=accept_pool)
    return accept


def accept_pool(options: argparse.Namespace) -> int:
    """:raises NotFound: no such pool is configured. :raises Refused: the configuration pins another uuid, or another
    pool answers. :raises Unavailable: nobody answers, so nothing is accepted.
    """
    settings, terminal, clock = config.load(options.config), Terminal(sys.stdout), SystemClock()
    section = settings.pools.get(options.pool)
    if section is None:
        raise NotFound(
            f"There is no pool {quoted(options.pool)}.", remedy=f"The configured pools: {joined(settings.pools)}."
        )
    if section.uuid and section.uuid != options.uuid:
        raise Refused(
            f"The configuration names {section.uuid} as the uuid of {quoted(options.pool)}.",
            remedy=f"Correct uuid of pools.{options.pool}; nothing else is needed then.",
        )
    pools = XapiPools([dataclasses.replace(section.values(options.pool), uuid=options.uuid)], clock)
    store = compose.open_store(settings, clock)
    try:
        inventory = pools.view(options.pool).inventory()
        before = store.pools.known(options.pool)
        found = KnownPool(name=options.pool, uuid=inventory.pool.uuid, label=inventory.pool.name)
        body = {"uuid": found.uuid, "label": found.label, "before": before.uuid if before else ""}
        store.pools.accept(found, Entry(kind="pool accepted", actor=login(), pool=options.pool, body=body))
    finally:
        store.close()
        pools.close()
    was = f", in the place of {quoted(before.label)} ({before.uuid})" if before and before.uuid != found.uuid else ""
    terminal.line(f"{quoted(options.pool)} is {quoted(found.label)} ({found.uuid}) from now on{was}.")
    return 0
