"""What it costs to read a pool: a cold start, a second look, one change; small and large in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.slack.running import RunningWorkspace
from sandbox.slack.running import start as start_workspace
from tests.bench.figure import Figure, computed, seconds, size
from tests.bench.fleet import Reader, Served, reader, shared

SMALL, LARGE = "3x10", "64x4000"


def figures() -> Iterator[Figure]:
    calls, warm = {}, {}
    for fleet in (SMALL, LARGE):
        group = "pool status, {} hosts / {} VMs".format(*fleet.split("x"))
        with start_workspace() as workspace, shared(fleet) as lab:
            with tempfile.TemporaryDirectory() as folder, reader(lab, Path(folder), workspace) as bot:
                with bot.costing() as cost:
                    cold, _ = computed(lambda: bot.report("pool status"))
                calls[fleet] = cost.calls.total()
                yield Figure(group, "cold: XenAPI calls", cost.told(), "login and one event.from")
                yield Figure(group, "cold: the bot's CPU", seconds(cold), f"{size(cost.received)}, JSON-RPC")
                warm[fleet], rest = _warm(bot, group)
                yield from rest
            if fleet == LARGE:
                yield _by_xml(lab, workspace, group, cold)
    yield Figure("small : large", "XenAPI calls, cold", f"{calls[SMALL]} : {calls[LARGE]}", "must be equal")
    yield Figure(
        "small : large", "the bot's CPU, warm", f"1 : {warm[LARGE] / warm[SMALL]:.1f}", "for 400 times the VMs"
    )


def _by_xml(lab: Served, workspace: RunningWorkspace, group: str, cold: float) -> Figure:
    """The same cold read of a pool that is older than 6.5, against `cold` seconds of CPU by JSON-RPC."""
    with (
        tempfile.TemporaryDirectory() as folder,
        reader(lab, Path(folder), workspace, by_json=False) as bot,
        bot.costing() as cost,
    ):
        taken, _ = computed(lambda: bot.report("pool status"))
    note = f"{seconds(taken)} of the bot's CPU, {size(cost.received)} by XML-RPC"
    return Figure(group, "cold, JSON : XML", f"1 : {taken / cold:.1f}", note)


def _warm(bot: Reader, group: str) -> tuple[float, list[Figure]]:
    """The median of several looks at a pool that was read before, and of other commands on it."""
    with bot.costing() as cost:
        again = _median(bot, "pool status")
    note = f"median of {LOOKS}; {cost.calls.total() // LOOKS} call each"
    made = [Figure(group, "warm: the bot's CPU", seconds(again), note)]
    bot.fleet.rename_a_vm("changed by the benchmark")
    with bot.costing() as cost:
        changed, _ = computed(lambda: bot.report("pool status"))
    note = f"{cost.told()}, {size(cost.received)}"
    made.append(Figure(group, "after one change", seconds(changed), note))
    for command in ("vm list", "host list", "vm show web-1"):
        made.append(Figure(group, f"warm: {command}", seconds(_median(bot, command)), f"median of {LOOKS}"))
    return again, made


LOOKS = 5


def _median(bot: Reader, command: str) -> float:
    return sorted(computed(lambda: bot.report(command))[0] for _ in range(LOOKS))[LOOKS // 2]
