"""What it costs to read a pool: a cold start, a second look, one change; small and large in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.slack.running import start as start_workspace
from tests.bench.figure import Figure, seconds, size, timed
from tests.bench.fleet import Reader, reader, served

SMALL, LARGE = "3x10", "64x4000"


def figures() -> Iterator[Figure]:
    calls, warm = {}, {}
    for fleet in (SMALL, LARGE):
        group = "pool status, {} hosts / {} VMs".format(*fleet.split("x"))
        with (
            start_workspace() as workspace,
            tempfile.TemporaryDirectory() as folder,
            served(fleet) as lab,
            reader(lab, Path(folder), workspace) as bot,
        ):
            with bot.costing() as cost:
                cold, _ = timed(lambda: bot.report("pool status"))
            calls[fleet] = cost.calls.total()
            yield Figure(group, "cold: XenAPI calls", cost.told(), "login and one event.from")
            yield Figure(group, "cold: time", seconds(cold), "the pool's own time to answer included")
            yield Figure(group, "cold: received", size(cost.received), "XML-RPC")
            warm[fleet], rest = _warm(bot, group)
            yield from rest
    yield Figure("small : large", "XenAPI calls, cold", f"{calls[SMALL]} : {calls[LARGE]}", "must be equal")
    yield Figure("small : large", "time, warm", f"1 : {warm[LARGE] / warm[SMALL]:.1f}", "for 400 times the VMs")


def _warm(bot: Reader, group: str) -> tuple[float, list[Figure]]:
    """The median of several looks at a pool that was read before, and of other commands on it."""
    with bot.costing() as cost:
        again = _median(bot, "pool status")
    made = [Figure(group, "warm: time", seconds(again), f"median of {LOOKS}; {cost.calls.total() // LOOKS} call each")]
    bot.fleet.rename_a_vm("changed by the benchmark")
    with bot.costing() as cost:
        changed, _ = timed(lambda: bot.report("pool status"))
    note = f"{cost.told()}, {size(cost.received)}"
    made.append(Figure(group, "after one change", seconds(changed), note))
    for command in ("vm list", "host list", "vm show web-1"):
        made.append(Figure(group, f"warm: {command}", seconds(_median(bot, command)), f"median of {LOOKS}"))
    return again, made


LOOKS = 5


def _median(bot: Reader, command: str) -> float:
    return sorted(timed(lambda: bot.report(command))[0] for _ in range(LOOKS))[LOOKS // 2]
