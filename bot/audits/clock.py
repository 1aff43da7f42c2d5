"""The clock audit: every host's clock against the coordinator's and the bot's, each difference with its proof."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.audits.auditor import Looked
from bot.errors import UserError
from bot.findings import Drift, Offset
from bot.inventory import Host, Inventory, Message
from bot.model import Level, Object
from bot.ports import Clock, PoolView
from bot.rules.clocks import GRAVE, NOTICEABLE, Interval, Reading, difference, offset, told, wait_for_best
from bot.rules.times import moment, shown
from bot.text import duration, quoted

SECONDS = 5.0
"""How long one host is read."""
MOST_READINGS = 24
AT_ONCE = 32
"""Hosts of a pool that are read at the same time."""
SKEW_ALERT = "HOST_CLOCK_SKEW_DETECTED"

Ask = Callable[[], str]
"""Reads a host's clock: host.get_servertime's text."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A host's clock as it was measured. `at` is in the measurement's own steady seconds."""

    host: Host
    proof: Interval
    at: float
    readings: int
    round_trip: float


def measure(ask: Ask, clock: Clock, base: float, seconds: float = SECONDS) -> tuple[list[Reading], float]:
    """Read a clock for at most about so long, each time when it tells most; the readings, and the last one's moment.

    `base` turns the monotonic clock into seconds since the epoch; it stays the same for all hosts, so that a step of
    the bot's own clock in the middle spoils nothing.

    :raises UserError: the host cannot be read, or says something that is no time.
    """
    readings: list[Reading] = []
    started = clock.monotonic()
    while True:
        readings.append(_read(ask, clock, base))
        now = base + clock.monotonic()
        found = offset(readings, now)
        round_trip = min(reading.round_trip for reading in readings)
        if found.empty or found.width <= 2 * round_trip or len(readings) >= MOST_READINGS:
            return readings, now
        wait = wait_for_best(found, now, round_trip)
        if clock.monotonic() + wait + round_trip - started > seconds:
            return readings, now
        if wait > 0:
            clock.sleep(wait)


def _read(ask: Ask, clock: Clock, base: float) -> Reading:
    sent = base + clock.monotonic()
    text = ask()
    received = base + clock.monotonic()
    told = moment(text)
    if told is None:
        raise UserError(f"It answered {quoted(text)}, which is no time.")
    return Reading(sent, received, int(told.timestamp()))


def look(pool: PoolView, clock: Clock, seconds: float = SECONDS) -> Looked:
    """Measure every host's clock, all at the same time, and say what is wrong."""
    inventory = pool.inventory()
    base = clock.now().timestamp() - clock.monotonic()

    def one(host: Host) -> Measured | UserError:
        try:
            readings, at = measure(lambda: str(pool.ask("host.get_servertime", Object(host.id))), clock, base, seconds)
        except UserError as error:
            return error
        round_trip = min(reading.round_trip for reading in readings)
        return Measured(host, offset(readings, at), at, len(readings), round_trip)

    with ThreadPoolExecutor(min(AT_ONCE, max(len(inventory.hosts), 1)), thread_name_prefix="clock") as threads:
        results = dict(zip(inventory.hosts, threads.map(one, inventory.hosts), strict=True))
    measured = {host: result for host, result in results.items() if isinstance(result, Measured)}
    silent = {host: result for host, result in results.items() if isinstance(result, UserError)}
    return Looked(tuple(_drifts(inventory, measured, silent)), tuple(map(_offset, measured.values())))


def _offset(measured: Measured) -> Offset:
    return Offset(
        host=measured.host.id,
        at=datetime.fromtimestamp(measured.at, UTC),
        low=measured.proof.low,
        high=measured.proof.high,
        readings=measured.readings,
        round_trip=measured.round_trip,
    )


def _drifts(
    inventory: Inventory, measured: Mapping[Host, Measured], silent: Mapping[Host, UserError]
) -> Iterator[Drift]:
    for host, error in silent.items():
        yield Drift(
            rule="clock.unread",
            level=Level.WARN,
            subject=host.id,
            text=f"The clock of {quoted(host.name)} could not be read",
            evidence=error.message,
            remedy=error.remedy or "“pool status” tells how the host is.",
        )
    for host, found in measured.items():
        if found.proof.empty:
            yield Drift(
                rule="clock.stepped",
                level=Level.WARN,
                subject=host.id,
                text=f"The clock of {quoted(host.name)} was stepped while it was measured",
                evidence=f"no steady clock gives these {found.readings} readings: they contradict each other by"
                f" {-found.proof.width:.3f} s",
                remedy="See what sets it: NTP steps a clock that is far off; two services may fight over it.",
            )
    coordinator = inventory.pool.coordinator
    leader = measured.get(coordinator) if coordinator is not None else None
    if leader is None or leader.proof.empty:
        return
    yield from _against_bot(leader)
    for host, found in measured.items():
        if host != coordinator and not found.proof.empty:
            apart = difference(found.proof, leader.proof, abs(found.at - leader.at))
            if apart.at_least > NOTICEABLE:
                yield _skew(host, apart, leader.host, _alert(host, inventory))


def _against_bot(leader: Measured) -> Iterator[Drift]:
    if leader.proof.at_least > NOTICEABLE:
        yield Drift(
            rule="clock.bot",
            level=Level.WARN,
            subject=leader.host.id,
            text=f"The clock of the coordinator {quoted(leader.host.name)} is {_ahead(leader.proof)} the bot's",
            evidence=f"{told(leader.proof)}; which of the two is right is not known from this",
            remedy="Compare both with NTP: “chronyc tracking” or “ntpq -p” on the bot's host and on the coordinator.",
        )


def _skew(host: Host, apart: Interval, leader: Host, alert: str) -> Drift:
    return Drift(
        rule="clock.skew",
        level=Level.BAD if apart.at_least > GRAVE else Level.WARN,
        subject=host.id,
        text=f"The clock of {quoted(host.name)} is {_ahead(apart)} the coordinator's",
        evidence=f"{told(apart)} against {quoted(leader.name)}{alert}",
        remedy="On that host: check its NTP servers (“chronyc sources”, before 8 “ntpq -p”), and let it set its clock.",
    )


def _alert(host: Host, inventory: Inventory) -> str:
    """The pool's own word on it."""
    alerts = [each for each in inventory.all(Message) if each.name == SKEW_ALERT and each.about_uuid == host.uuid]
    if not alerts:
        return ""
    newest = max(each.text("timestamp") for each in alerts)
    return f"; the pool raised {SKEW_ALERT} itself ({shown(newest)})"


def _ahead(found: Interval) -> str:
    seconds = found.at_least
    # Rounded down: no more is claimed than is proved.
    proved = math.floor(seconds) if seconds >= 10 else math.floor(seconds * 10) / 10
    return f"at least {duration(proved)} {'ahead of' if found.low > 0 else 'behind'}"
