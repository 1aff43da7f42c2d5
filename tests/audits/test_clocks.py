"""What readings prove of a clock: true whatever the network and the clock do."""

from __future__ import annotations

import itertools
import random
import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.audits.clock import MOST_READINGS, SECONDS, measure
from bot.errors import UserError
from bot.rules.clocks import MAX_DRIFT, Interval, Reading, difference, offset, proved_by, told, wait_for_best

EPOCH = 1_790_000_000.0


@dataclass
class Lab:
    """Time that passes only when it is waited for, and one host in it. Also the bot's clock."""

    ahead: float = 0.0
    ppm: float = 0.0
    latency: float = 0.005
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    passed: float = 0.0
    step_after: int = 10**9
    step: float = 0.0
    asked: int = 0

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return datetime.fromtimestamp(EPOCH + self.passed, UTC)

    def sleep(self, seconds: float) -> None:
        assert 0 <= seconds <= 1.0
        self.passed += seconds

    def offset_at(self, at: float) -> float:
        return self.ahead + (at - EPOCH) * self.ppm / 1e6

    def ask(self) -> str:
        """One way may take all of the round trip."""
        self.asked += 1
        if self.asked == self.step_after:
            self.ahead += self.step
        there = self.latency * self.chance.random()
        self.passed += there
        now = EPOCH + self.passed
        text = datetime.fromtimestamp(int((now + self.offset_at(now)) // 1), UTC).strftime("%Y%m%dT%H:%M:%SZ")
        self.passed += self.latency - there
        return text


def measured(lab: Lab) -> tuple[Interval, float, int]:
    readings, at = measure(lab.ask, lab, EPOCH)
    return offset(readings, at), at, len(readings)


def test_twenty_hosts_from_400_s_behind_to_400_s_ahead_with_drift_and_1_to_200_ms() -> None:
    chance = random.Random(20)
    hosts = [
        Lab(ahead=-400 + 800 * n / 19, ppm=chance.uniform(-200, 200), latency=chance.uniform(0.001, 0.2), chance=chance)
        for n in range(20)
    ]
    for lab in hosts:
        found, at, readings = measured(lab)
        assert found.low <= lab.offset_at(at) <= found.high
        assert lab.passed <= SECONDS + lab.latency
        assert found.width <= 2 * lab.latency + 0.06
        assert readings <= MOST_READINGS


def test_at_5_ms_the_median_is_known_to_50_ms_within_5_s() -> None:
    widths = []
    for seed in range(200):
        chance = random.Random(seed)
        lab = Lab(ahead=chance.uniform(-400, 400), ppm=chance.uniform(-50, 50), latency=0.005, chance=chance)
        found, at, _ = measured(lab)
        assert found.low <= lab.offset_at(at) <= found.high
        widths.append(found.width)
    assert statistics.median(widths) <= 0.05
    assert max(widths) <= 0.1


@given(
    st.floats(-1000, 1000),
    st.floats(-400, 400),
    st.floats(0.0005, 3.0),
    st.integers(0, 2**32),
)
def test_the_truth_is_never_outside_the_proof(ahead: float, ppm: float, latency: float, seed: int) -> None:
    lab = Lab(ahead=ahead, ppm=ppm, latency=latency, chance=random.Random(seed))
    found, at, _ = measured(lab)
    assert found.low - 1e-6 <= lab.offset_at(at) <= found.high + 1e-6


@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 2), st.floats(0, 1)), min_size=1, max_size=12), st.floats(-5, 5)
)
def test_any_readings_of_a_steady_clock_prove_the_truth(trips: list[tuple[float, float, float]], ahead: float) -> None:
    """Not only those that the sampler would choose."""
    readings = []
    for sent, trip, part in trips:
        read_at = sent + trip * part
        readings.append(Reading(sent, sent + trip, int((read_at + ahead) // 1)))
    found = offset(readings, 3.0)
    assert found.low - 1e-9 <= ahead <= found.high + 1e-9
    assert not found.empty
    for reading in readings:
        alone = proved_by(reading, 3.0)
        assert found.low >= alone.low
        assert found.high <= alone.high


def test_one_reading_proves_a_second_and_its_round_trip() -> None:
    found = proved_by(Reading(100.0, 100.25, 103), 100.25)
    assert found.low == pytest.approx(2.75 - 0.25 * MAX_DRIFT)
    assert found.high == pytest.approx(4.0 + 0.25 * MAX_DRIFT)


def test_old_readings_prove_less() -> None:
    reading = Reading(100.0, 100.01, 100)
    assert proved_by(reading, 200.0).width - proved_by(reading, 100.0).width == pytest.approx(
        2 * 100 * MAX_DRIFT, rel=0.01
    )


@pytest.mark.parametrize("step", [-30.0, -2.0, 2.0, 400.0])
def test_a_clock_that_is_stepped_meanwhile_is_found(step: float) -> None:
    for after in (2, 3, 4):
        found, _, _ = measured(Lab(ahead=1.3, step_after=after, step=step))
        assert found.empty
        assert found.at_least == 0.0
        assert told(found) == "stepped"


def test_readings_are_asked_for_where_they_tell_most() -> None:
    """Every reading after the first rules out a third of what was open, until the round trip is the limit."""
    lab = Lab(ahead=0.4, latency=0.002)
    readings, at = measure(lab.ask, lab, EPOCH)
    assert len(readings) <= 14
    widths = [offset(readings[: n + 1], at).width for n in range(len(readings))]
    for before, after in itertools.pairwise(widths):
        if before > 0.05:
            assert after <= 0.8 * before + 0.01


def test_the_wait_is_less_than_a_second() -> None:
    for n in range(200):
        assert 0 <= wait_for_best(Interval(-1.0 + n / 50, 0.01 + n / 40), EPOCH + n / 7, 0.01) < 1.0


def test_what_is_told_is_never_narrower_than_the_proof() -> None:
    for n in range(2000):
        found = Interval(n / 777, n / 777 + n / 1999)
        middle, _, half = told(found).removesuffix(" s").partition(" s ± ")
        assert float(middle) - float(half) <= found.low
        assert float(middle) + float(half) >= found.high


def test_the_difference_of_two_clocks_holds_both_proofs() -> None:
    apart = difference(Interval(1.0, 1.5), Interval(0.25, 0.5), apart=2.0)
    assert (apart.low, apart.high) == (0.5 - 2 * MAX_DRIFT, 1.25 + 2 * MAX_DRIFT)
    assert Interval(-3.0, -2.5).at_least == 2.5
    assert Interval(-1.0, 2.0).at_least == 0.0


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(UserError, match="no time"):
        measure(lambda: "soon", Lab(), EPOCH)
    with pytest.raises(ValueError, match="nothing"):
        offset([], 0.0)


def test_a_clock_that_is_nearly_right_is_not_told_as_minus_nothing() -> None:
    assert told(Interval(-0.0104, 0.0096)) == "+0.000 s ± 0.011 s"
    assert told(Interval(-0.0120, 0.0080)) == "-0.002 s ± 0.011 s"
