"""A move to another pool that failed: what is said of it is what is seen in both pools, not what the toolstack says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import Unavailable
from bot.execution.verifying import SETTLE_SECONDS, VERIFY_SECONDS, runs_on, stayed
from bot.model import Expect, ObjectId, PoolTarget, Step, Value
from bot.ports import PoolHands
from bot.rules import arrivals
from bot.run import Doing, Run, Unsure
from tests.bot.fakes import HandClock

VM = ObjectId("VM", "v", "web-7")
NORTH, SOUTH = PoolTarget("n"), PoolTarget("s")
MOVE = Step(
    title="Move it",
    target=NORTH,
    call="VM.migrate_send",
    expect=(Expect(object=VM, rule=arrivals.STORED, at=SOUTH), Expect(object=VM, rule=arrivals.LEFT)),
    away_seconds=60,
)
WHY = "The hosts lost each other."


class Pools:
    """Where the VM is. Until `away_until` nobody answers; until `cleaned_at` it shows in the south as well."""

    def __init__(self, clock: HandClock, *, here: bool = True, there: bool = False) -> None:
        self.clock = clock
        self.here, self.there = here, there
        self.away_until = self.cleaned_at = 0.0

    def holds(self, expect: Expect, _: object) -> tuple[bool, str]:
        if self.clock.elapsed < self.away_until:
            raise Unavailable("The pool south does not answer.")
        there = self.there or self.clock.elapsed < self.cleaned_at
        if expect.at == SOUTH:
            return there, f"web-7 is {'' if there else 'not '}in south"
        return not self.here, f"web-7 is {'still' if self.here else 'not'} in north"


def looked(pools: Pools, step: Step = MOVE) -> Run:
    run = cast(Run, SimpleNamespace(results={}, evidence=[]))
    doing = Doing(run=run, hands=cast(PoolHands, pools), number=1, step=step)
    pieces: Iterator[Any] = stayed(doing, pools.clock, WHY)
    for seconds in pieces:
        pools.clock.sleep(seconds)
        assert pools.clock.elapsed < 1000
    return run


def test_where_it_stayed_is_told_from_both_pools() -> None:
    pools = Pools(HandClock())
    assert looked(pools).evidence == ["web-7 is not in south", "web-7 is still in north"]
    assert pools.clock.elapsed == 0.0


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [(True, True, "but web-7 is in south"), (False, False, "but web-7 is not in north"), (False, True, "; web-7")],
    ids=["in both", "in neither", "gone over"],
)
def test_what_is_not_as_it_was_is_no_plain_failure(here: bool, there: bool, told: str) -> None:
    pools = Pools(HandClock(), here=here, there=there)
    with pytest.raises(Unsure) as doubt:
        looked(pools)
    assert told in doubt.value.reason
    assert "The hosts lost each other)" in doubt.value.reason


def test_the_other_pool_may_take_a_moment_to_clean_up() -> None:
    pools = Pools(HandClock())
    pools.cleaned_at = VERIFY_SECONDS / 2
    assert "web-7 is not in south" in looked(pools).evidence


def test_a_pool_that_is_away_is_waited_for_and_never_taken_for_an_empty_one() -> None:
    pools = Pools(HandClock())
    pools.away_until = MOVE.away_seconds / 2
    assert "web-7 is not in south" in looked(pools).evidence
    pools = Pools(HandClock())
    pools.away_until = 500.0
    with pytest.raises(Unsure, match="cannot be told: The pool south does not answer"):
        looked(pools)


def test_after_other_steps_nobody_is_asked() -> None:
    here = replace(MOVE, expect=tuple(replace(expect, at=None) for expect in MOVE.expect))
    pools = Pools(HandClock(), there=True)
    pools.away_until = 500.0
    assert looked(pools, here).evidence == []


# --- a VM that failed to move within its pool -------------------------------------------------------------------------

RUNS = Expect(object=VM, field="power_state", equals=Value("Running"))
WITHIN = replace(MOVE, call="VM.pool_migrate", expect=(Expect(object=VM, field="resident_on"), RUNS))


class Ending:
    """Runs until `ends_at`. From `away_at` on nobody answers."""

    def __init__(self, clock: HandClock, ends_at: float = 1e9, away_at: float = 1e9) -> None:
        self.clock, self.ends_at, self.away_at = clock, ends_at, away_at

    def holds(self, expect: Expect, _: object) -> tuple[bool, str]:
        assert expect == RUNS
        if self.clock.elapsed >= self.away_at:
            raise Unavailable("The pool north does not answer.")
        so = self.clock.elapsed < self.ends_at
        return so, f"web-7 is {'running' if so else 'halted'}"


def told(ending: Ending, step: Step = WITHIN) -> list[str]:
    run = cast(Run, SimpleNamespace(results={}, evidence=[]))
    for seconds in runs_on(Doing(run=run, hands=cast(PoolHands, ending), number=1, step=step), ending.clock):
        ending.clock.sleep(seconds)
    return run.evidence


@pytest.mark.parametrize("ends_at", [0.0, SETTLE_SECONDS / 2])
def test_a_vm_that_stopped_on_its_way_is_told(ends_at: float) -> None:
    assert told(Ending(HandClock(), ends_at)) == ["web-7 is halted"]


def test_of_a_vm_that_goes_on_nothing_is_told_and_not_long_looked() -> None:
    ending = Ending(HandClock())
    assert told(ending) == []
    assert ending.clock.elapsed <= SETTLE_SECONDS + 1
    assert told(Ending(HandClock(), away_at=1.0)) == []


def test_other_steps_leave_a_vm_as_they_say() -> None:
    assert told(Ending(HandClock(), 0.0), replace(WITHIN, call="VM.start_on")) == []
    assert told(Ending(HandClock(), 0.0), MOVE) == []
