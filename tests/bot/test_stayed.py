"""A move to another pool that failed: what is said of it is what is seen in both pools, not what the toolstack says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import Unavailable
from bot.execution.verifying import VERIFY_SECONDS, stayed
from bot.model import Expect, ObjectId, PoolTarget, Step
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
