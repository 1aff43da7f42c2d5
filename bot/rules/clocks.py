"""What whole-second readings of a clock prove about it: interval arithmetic, and when to read it next.

A reading is `shown` (whole seconds, truncated: host.get_servertime), asked for at `sent` and answered at `received`,
both in seconds of our own steady time. At some moment between the two the other clock stood between `shown` and
`shown + 1`; so it is ahead of ours by more than `shown - received` and less than `shown + 1 - sent`. One reading
proves little (a second and the round trip); several at different phases of the second, intersected, prove about the
round trip.

Clocks drift apart while they are read: each bound is widened by `MAX_DRIFT` for the time between it and the moment that
the claim is about. So every claim holds for clocks that run within that of each other, and is never narrower than what
was read proves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_DRIFT = 500e-6
"""Seconds per second: what NTP itself allows a clock to be slewed by; quartz is within a tenth of it."""

NOTICEABLE = 2.0
"""Seconds of difference between hosts that are worth a warning (our choice)."""
GRAVE = 300.0
"""Seconds from which xapi itself raises HOST_CLOCK_SKEW_DETECTED."""

_EARLY, _LATE = 0.3, 0.7
"""Which part of what is open the next reading should cut at."""


@dataclass(frozen=True, slots=True)
class Reading:
    sent: float
    received: float
    shown: int

    @property
    def round_trip(self) -> float:
        return self.received - self.sent


@dataclass(frozen=True, slots=True)
class Interval:
    """Where an offset (theirs less ours, in seconds) is proved to be. `low` > `high`: nowhere, a clock was stepped."""

    low: float
    high: float

    @property
    def empty(self) -> bool:
        return self.low > self.high

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    @property
    def at_least(self) -> float:
        """How far from zero the offset is for certain; 0 when it may be none."""
        return 0.0 if self.empty else max(self.low, -self.high, 0.0)

    def widened(self, by: float) -> Interval:
        return Interval(self.low - by, self.high + by)


def proved_by(reading: Reading, at: float) -> Interval:
    """What one reading proves about the offset at the moment `at` (of our time)."""
    apart = max(abs(at - reading.sent), abs(at - reading.received))
    return Interval(reading.shown - reading.received, reading.shown + 1 - reading.sent).widened(MAX_DRIFT * apart)


def offset(readings: Iterable[Reading], at: float) -> Interval:
    """What all readings together prove about the offset at the moment `at`.

    :raises ValueError: there is no reading.
    """
    proofs = [proved_by(reading, at) for reading in readings]
    if not proofs:
        raise ValueError("nothing was read")
    return Interval(max(proof.low for proof in proofs), min(proof.high for proof in proofs))


def difference(theirs: Interval, reference: Interval, apart: float = 0.0) -> Interval:
    """How far one clock is ahead of another, from both offsets to ours, which were proved `apart` seconds apart."""
    return Interval(theirs.low - reference.high, theirs.high - reference.low).widened(MAX_DRIFT * apart)


def told(found: Interval) -> str:
    """An interval as people read it: `+0.123 s ± 0.012 s`. Rounded outwards, so that it claims no more."""
    if found.empty:
        return "stepped"
    half = found.width / 2 + 0.0005
    middle = round(found.middle, 3) + 0.0  # which makes a zero of what rounds to one less than it
    return f"{middle:+.3f} s ± {half + 0.0005:.3f} s"


def wait_for_best(found: Interval, now: float, round_trip: float) -> float:
    """Seconds to wait before the next request, so that its answer cuts what is open about in half.

    A request that is sent at s reads the other clock at about s + round_trip / 2; its answer tells whether the offset
    is above or below the one with which that clock would turn to a new second just then. This offset falls as time
    passes, and comes again every second.
    """
    tested = -(now + round_trip / 2)
    early, late = found.low + _EARLY * found.width, found.low + _LATE * found.width
    above = (tested - early) % 1.0
    if above <= late - early:
        return 0.0
    return (tested - late) % 1.0
