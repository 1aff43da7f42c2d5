"""The clock audit: every host's clock against the coordinator's, the bot's and true time, each difference with its
proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot import progress
from bot.audits.auditor import Looked
from bot.audits.clock_findings import Clocks, Measured, drifts
from bot.errors import UserError
from bot.findings import Offset, TimeAnswer
from bot.inventory import Host
from bot.model import Object
from bot.ports import Clock, PoolView
from bot.rules.clocks import NOTICEABLE, Interval, Reading, difference, offset, wait_for_best
from bot.rules.drift import Rate, Sample, rate
from bot.rules.times import moment
from bot.rules.truetime import Agreement, agreed
from bot.text import quoted

SECONDS = 5.0
"""How long one host is read."""
MOST_READINGS = 24
AT_ONCE = 32
"""Hosts of a pool that are read at the same time."""
PACE = 1.0
"""Seconds between two words about how far it is."""
REMEMBERED = 60
"""Earlier measurements of a host that its rate is taken from."""

Ask = Callable[[], str]
"""Reads a host's clock: host.get_servertime's text."""


def _no_history(_pool: str, _host_uuid: str, _last: int) -> Sequence[Offset]:
    return ()


def _no_servers(_ahead: float) -> Sequence[TimeAnswer]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the audit measures with."""

    clock: Clock
    servers: Callable[[float], Sequence[TimeAnswer]] = _no_servers
    """Asks the NTP servers; given what the audit's steady clock is ahead of the system's (see :mod:`bot.ntp`)."""
    history: Callable[[str, str, int], Sequence[Offset]] = _no_history
    """A host's earlier measurements, newest first: (pool, the host's uuid, how many)."""
    noticeable: float = NOTICEABLE
    seconds: float = SECONDS


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


def look(pool: PoolView, means: Means) -> Looked:
    """Measure every host's clock and ask the NTP servers, all at the same time, and say what is wrong."""
    inventory, clock = pool.inventory(), means.clock
    base = clock.now().timestamp() - clock.monotonic()

    def one(host: Host) -> Measured | UserError:
        try:
            readings, at = measure(
                lambda: str(pool.ask("host.get_servertime", Object(host.id))), clock, base, means.seconds
            )
        except UserError as error:
            return error
        round_trip = min(reading.round_trip for reading in readings)
        return Measured(host, offset(readings, at), at, len(readings), round_trip)

    def servers() -> Sequence[TimeAnswer]:
        return means.servers(base + clock.monotonic() - clock.now().timestamp())

    with ThreadPoolExecutor(min(AT_ONCE, len(inventory.hosts)) + 1, thread_name_prefix="clock") as threads:
        asked = threads.submit(servers)
        reading = {host: threads.submit(one, host) for host in inventory.hosts}
        while wait(reading.values(), timeout=PACE).not_done:
            progress.tell(sum(each.done() for each in reading.values()), len(reading), "clocks read")
        results = {host: each.result() for host, each in reading.items()}
        answers = tuple(asked.result())
    now = base + clock.monotonic()
    truth = agreed(answers, now)
    measured = {
        host: _placed(result, truth, now, means.history(pool.name, host.uuid, REMEMBERED))
        for host, result in results.items()
        if isinstance(result, Measured)
    }
    silent = {host: result for host, result in results.items() if isinstance(result, UserError)}
    clocks = Clocks(inventory=inventory, measured=measured, silent=silent, truth=truth, noticeable=means.noticeable)
    return Looked(tuple(drifts(clocks)), tuple(map(_offset, measured.values())), answers)


def _placed(found: Measured, truth: Agreement, now: float, earlier: Sequence[Offset]) -> Measured:
    """With what it means against true time (known at the moment `now`), and over time."""
    if found.proof.empty:
        return found
    true = None if truth.interval is None else difference(found.proof, truth.interval, abs(now - found.at))
    return replace(found, true=true, rate=_rate(replace(found, true=true), earlier))


def _rate(found: Measured, earlier: Sequence[Offset]) -> Rate | None:
    """Against true time, or where that is not known now, against the bot's clock; never a mixture."""
    samples = [Sample(found.at, found.true or found.proof)]
    for each in earlier:
        if found.true is None:
            samples.append(Sample(each.at.timestamp(), Interval(each.low, each.high)))
        elif each.true_low is not None and each.true_high is not None:
            samples.append(Sample(each.at.timestamp(), Interval(each.true_low, each.true_high)))
    return rate(samples)


def _offset(measured: Measured) -> Offset:
    known = measured.rate if measured.rate is not None and measured.rate.sufficient else None
    return Offset(
        host=measured.host.id,
        at=datetime.fromtimestamp(measured.at, UTC),
        low=measured.proof.low,
        high=measured.proof.high,
        readings=measured.readings,
        round_trip=measured.round_trip,
        true_low=measured.true.low if measured.true is not None else None,
        true_high=measured.true.high if measured.true is not None else None,
        ppm_low=known.ppm.low if known is not None else None,
        ppm_high=known.ppm.high if known is not None else None,
    )
