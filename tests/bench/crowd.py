"""What people in Slack wait for: the acknowledgement and the answer; many at once while every XenAPI call takes 5 s."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figure import Figure, seconds, timed
from tests.e2e.conftest import Town, town
from tests.e2e.people import PEOPLE, private_answers
from tests.e2e.watching import watch
from tests.waiting import eventually

CROWD = 50
POOL_SECONDS = 5.0
ASKED = 20
WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Rush:
    """How `CROWD` commands at once went. `acknowledged` are seconds until each acknowledgement."""

    acknowledged: tuple[float, ...]
    answered: float
    """Seconds until the last answer was there."""
    calls: int


def rush(place: Town, count: int = CROWD) -> Rush:
    """So many `pool status` at once; returns when everybody has an answer."""
    seen = watch(place)
    before = private_answers(place)

    def everybody() -> None:
        with ThreadPoolExecutor(count) as crowd:
            list(
                crowd.map(
                    lambda number: place.workspace.say(PEOPLE[number % len(PEOPLE)], "#infra", "/xen pool status"),
                    range(count),
                )
            )
        eventually(lambda: private_answers(place) - before == count, "everybody's answer", WAIT_SECONDS)

    took, _ = timed(everybody)
    return Rush(tuple(seen.seconds("ack slash_commands")), took, seen.count("xenapi "))


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, town(Path(folder)) as place:
        place.say("pool status")
        taken = [timed(lambda: place.say("pool status"))[0] for _ in range(ASKED)]
        group = "Slack, the tutorial's lab"
        note = f"of {ASKED}, seen by a person who looks every 50 ms"
        yield Figure(group, "command → answer, median", seconds(statistics.median(taken)), note)
    with tempfile.TemporaryDirectory() as folder, town(Path(folder)) as place:
        for host in place.lab.hosts:
            place.lab.slow(host, POOL_SECONDS)
        done = rush(place)
        group = f"{CROWD} commands at once, {POOL_SECONDS:.0f} s per XenAPI call"
        yield Figure(group, "acknowledged, median", seconds(statistics.median(done.acknowledged)), "Slack waits 3 s")
        yield Figure(group, "acknowledged, longest", seconds(max(done.acknowledged)), "must be below 3 s")
        yield Figure(group, "all answered", seconds(done.answered))
        yield Figure(group, "XenAPI calls", str(done.calls), "readers that come together share a read")
        for host in place.lab.hosts:
            place.lab.slow(host, 0)
