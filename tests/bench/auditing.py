"""What audits cost: a pool's, whose calls must not grow with it, and fifty pools' at once over a slow line."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.audits import charts, html
from bot.findings import Audited
from sandbox.slack.running import start as start_workspace
from tests.bench.figure import Figure, seconds, size, timed
from tests.bench.fleet import reader, served, shared

SMALL, LARGE = "3x10", "64x4000"
POOLS = 50
LATENCY = 0.020
FLEET = 200
"""The pools that the figures are extrapolated to."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def figures() -> Iterator[Figure]:
    yield from _many_pools()  # first: memory that a large pool has left free would hide what these take
    yield from _one_pool()


def _one_pool() -> Iterator[Figure]:
    """A cold audit, so that all of its reading counts; then one of a pool that is known."""
    calls = {}
    for fleet in (SMALL, LARGE):
        group = "compatibility audit, {} hosts / {} VMs".format(*fleet.split("x"))
        with (
            start_workspace() as workspace,
            tempfile.TemporaryDirectory() as folder,
            shared(fleet) as lab,
            reader(lab, Path(folder), workspace) as bot,
        ):
            with bot.costing() as cost:
                cold, _ = timed(lambda: bot.report("audit run"))
            calls[fleet] = cost.calls.total()
            yield Figure(group, "cold: XenAPI calls", cost.told(), "login and one event.from")
            yield Figure(group, "cold: time", seconds(cold), "the pool's own time to answer included")
            with bot.costing() as cost:
                warm, _ = timed(lambda: bot.report("audit run"))
            yield Figure(group, "again: time", seconds(warm), f"{cost.calls.total()} call")
            run = bot.bot.store.audits.audit_run(1)
            assert run is not None
            yield from _drawing(group, run)
    yield Figure("small : large", "audit: XenAPI calls", f"{calls[SMALL]} : {calls[LARGE]}", "must be equal")


def _drawing(group: str, run: Audited) -> Iterator[Figure]:
    first, _ = timed(lambda: charts.findings([run]))
    again, _ = timed(lambda: charts.findings([run]))
    yield Figure(group, "a chart", seconds(again), f"{seconds(first)} the first time: matplotlib is imported then")
    page, made = timed(lambda: html.page(run, [run]))
    yield Figure(group, "the HTML page", seconds(page), f"{size(len(made))}, its chart in two colourings")


def _many_pools() -> Iterator[Figure]:
    group = f"{POOLS} pools audited at once, {LATENCY * 1000:.0f} ms latency"
    with (
        start_workspace() as workspace,
        tempfile.TemporaryDirectory() as folder,
        served("", "--pools", str(POOLS), "--latency", str(LATENCY)) as lab,
        reader(lab, Path(folder), workspace) as bot,
    ):
        before, cpu = _resident(), time.process_time()
        with bot.costing() as cost:
            wall, report = timed(lambda: bot.report_of_all("audit run all"))
        spent, grown = time.process_time() - cpu, _resident() - before
        assert report.title.startswith(f"{POOLS} audits"), report.title
        yield Figure(group, "wall time", seconds(wall), "pools and bot share the machine")
        yield Figure(group, "the bot's CPU", seconds(spent), f"{seconds(spent / POOLS)} a pool")
        yield Figure(group, "memory", size(grown), f"{size(grown // POOLS)} a pool, inventories kept")
        yield Figure(group, "XenAPI calls", cost.told(), f"{cost.calls.total() / POOLS:.1f} a pool")
        factor = FLEET // POOLS
        note = f"extrapolated: {factor} times the above, not measured"
        told = f"{seconds(spent * factor)} CPU, {size(grown * factor)}, {cost.calls.total() * factor} calls"
        yield Figure(group, f"{FLEET} pools", told, note)
        cpu = time.process_time()
        again, _ = timed(lambda: bot.report_of_all("audit run all"))
        yield Figure(group, "again: wall time", seconds(again), f"{seconds(time.process_time() - cpu)} CPU")


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
