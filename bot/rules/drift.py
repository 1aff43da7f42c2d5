"""How fast a clock runs, from intervals that were proved at different times.

Two intervals bound the rate between them: at least (low₂ - high₁), at most (high₂ - low₁), divided by the time that
passed. Over several measurements every pair bounds it; if no rate fits all, the clock was set or steered in between,
and only what came after counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.rules.clocks import Interval

UNSTEERED = 10.0
"""ppm from which nothing can be steering a clock: nearly a second a day (our choice; NTP holds it far below 1)."""

_SHORTEST = 600.0
"""Seconds between the first and the last measurement below which no rate is told."""
_SHARP = 10.0
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Sample:
    """An offset in seconds, proved at the moment `at` (seconds)."""

    at: float
    proof: Interval


@dataclass(frozen=True, slots=True)
class Rate:
    """How much faster than the reference a clock runs: `ppm` is proved (negative: slower)."""

    ppm: Interval
    seconds: float
    """From the first measurement to the last."""
    samples: int

    @property
    def sufficient(self) -> bool:
        """Worth telling: known to 10 ppm, or to its own size."""
        return self.ppm.width <= max(_SHARP, abs(self.ppm.middle))

    @property
    def seconds_a_day(self) -> float:
        return self.ppm.middle * 1e-6 * _DAY

    def told(self) -> str:
        """`+35.2 ppm ± 0.4 ppm`, rounded outwards."""
        return f"{self.ppm.middle:+.1f} ppm ± {self.ppm.width / 2 + 0.1:.1f} ppm"


def rate(samples: Sequence[Sample]) -> Rate | None:
    """The rate since the clock was last set, or None when that is too short ago to tell one. In any order."""
    steady: list[Sample] = []
    found: Interval | None = None
    for sample in sorted(samples, key=lambda each: -each.at):
        if sample.proof.empty:
            break
        fits = _over(sample, steady, found)
        if fits is not None and fits.empty:
            break
        steady.append(sample)
        found = fits
    if found is None or steady[0].at - steady[-1].at < _SHORTEST:
        return None
    return Rate(Interval(found.low * 1e6, found.high * 1e6), steady[0].at - steady[-1].at, len(steady))


def _over(older: Sample, steady: Sequence[Sample], found: Interval | None) -> Interval | None:
    """What is known with one more sample, as seconds per second; None while there is nothing to compare it with."""
    for newer in steady:
        passed = newer.at - older.at
        if passed <= 0:
            continue
        low = (newer.proof.low - older.proof.high) / passed
        high = (newer.proof.high - older.proof.low) / passed
        found = Interval(low, high) if found is None else Interval(max(found.low, low), min(found.high, high))
    return found
