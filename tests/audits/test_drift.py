"""Rates from intervals: never more than was proved, and none across a step."""

from __future__ import annotations

import random

import pytest

from bot.rules.clocks import Interval
from bot.rules.drift import Sample, rate

HOUR = 3600.0


def samples(ppm: float, times: list[float], half: float = 0.02, start: float = 0.0, seed: int = 1) -> list[Sample]:
    """Proofs of a clock that runs so fast, each somewhere around the truth."""
    chance = random.Random(seed)
    made = []
    for at in times:
        truth, shift = start + at * ppm * 1e-6, chance.uniform(-half, half)
        made.append(Sample(at, Interval(truth + shift - half, truth + shift + half)))
    return made


@pytest.mark.parametrize("ppm", [0.0, 35.0, -120.0, 500.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_true_rate_is_inside(ppm: float, seed: int) -> None:
    found = rate(samples(ppm, [n * HOUR for n in range(12)], seed=seed))
    assert found is not None
    assert found.ppm.low <= ppm <= found.ppm.high
    assert found.samples == 12
    assert found.seconds == 11 * HOUR
    assert found.sufficient


def test_more_time_proves_more() -> None:
    short, long = (rate(samples(5.0, [0.0, hours * HOUR])) for hours in (1, 24))
    assert short is not None
    assert long is not None
    assert long.ppm.width < short.ppm.width / 10
    assert not short.sufficient
    assert long.sufficient


def test_only_what_came_after_a_step_counts() -> None:
    before = samples(20.0, [n * HOUR for n in range(6)])
    after = samples(20.0, [n * HOUR for n in range(6, 18)], start=-400.0)
    found = rate([*before, *after])
    assert found is not None
    assert found.samples == 12
    assert found.ppm.low <= 20.0 <= found.ppm.high


def test_a_measurement_that_was_stepped_ends_it() -> None:
    found = rate([*samples(20.0, [0.0]), Sample(HOUR, Interval(1.0, -1.0)), *samples(20.0, [2 * HOUR, 8 * HOUR])])
    assert found is not None
    assert found.samples == 2


@pytest.mark.parametrize("times", [[], [0.0], [0.0, 60.0], [0.0, 0.0]])
def test_too_little_proves_nothing(times: list[float]) -> None:
    assert rate(samples(20.0, times)) is None


def test_the_order_does_not_matter_and_what_is_told_is_rounded_outwards() -> None:
    made = samples(35.0, [n * HOUR for n in range(12)])
    found = rate(made)
    assert found == rate(made[::-1])
    assert found is not None
    middle, half = (float(part.removesuffix(" ppm")) for part in found.told().split(" ± "))
    assert middle - half <= found.ppm.low
    assert middle + half >= found.ppm.high
    assert found.seconds_a_day == pytest.approx(35e-6 * 86400, abs=0.2)
