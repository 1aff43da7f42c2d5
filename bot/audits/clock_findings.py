"""From measured clocks to findings: who disagrees with whom, and what that proves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.audits import clock_rules as rules
from bot.audits.rule import Found
from bot.errors import UserError
from bot.findings import Drift, TimeAnswer
from bot.inventory import Host, Inventory, Message
from bot.model import Level
from bot.rules.clocks import GRAVE, Interval, difference, told
from bot.rules.drift import UNSTEERED, Rate
from bot.rules.times import shown
from bot.rules.truetime import Agreement
from bot.text import duration, plural, quoted, word_for

SKEW_ALERT = "HOST_CLOCK_SKEW_DETECTED"


@dataclass(frozen=True, slots=True)
class Measured:
    """A host's clock as it was measured. `at` is in the measurement's own steady seconds."""

    host: Host
    proof: Interval
    """How far it is ahead of the bot's clock."""
    at: float
    readings: int
    round_trip: float
    true: Interval | None = None
    """How far it is ahead of true time, where that is known."""
    rate: Rate | None = None
    """How fast it has been running, where its history proves that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Everything that one audit of a pool's clocks found out."""

    inventory: Inventory
    measured: Mapping[Host, Measured]
    silent: Mapping[Host, UserError]
    truth: Agreement
    noticeable: float
    """Seconds of difference that are worth a finding."""


def drifts(clocks: Clocks) -> Iterator[Drift]:
    """What is wrong, in the order in which it is told."""
    for host, error in clocks.silent.items():
        yield rules.UNREAD.drift(
            Found(
                subject=host.id,
                text=f"The clock of {quoted(host.name)} could not be read",
                evidence=error.message,
                remedy=error.remedy or "“pool status” tells how the host is.",
            )
        )
    for host, found in clocks.measured.items():
        if found.proof.empty:
            yield rules.STEPPED.drift(
                Found(
                    subject=host.id,
                    text=f"The clock of {quoted(host.name)} was stepped while it was measured",
                    evidence=f"no steady clock gives these {found.readings} readings: they contradict each other by"
                    f" {-found.proof.width:.3f} s",
                    remedy="See what sets it: NTP steps a clock that is far off; two services may fight over it.",
                )
            )
    yield from _reference(clocks)
    yield from _between(clocks)
    yield from _running(clocks)


def _between(clocks: Clocks) -> Iterator[Drift]:
    """The coordinator against what is true, the members against the coordinator."""
    coordinator = clocks.inventory.pool.coordinator
    leader = clocks.measured.get(coordinator) if coordinator is not None else None
    if leader is None or leader.proof.empty:
        return
    if leader.true is not None:
        yield from _leader(leader, leader.true, clocks.noticeable)
    elif leader.proof.at_least > clocks.noticeable:
        yield rules.AGAINST_BOT.drift(
            Found(
                subject=leader.host.id,
                text=f"The clock of the coordinator {quoted(leader.host.name)} is {_ahead(leader.proof)} the bot's",
                evidence=f"{told(leader.proof)}; which of the two is right is not known from this",
                remedy="Compare both with NTP: “chronyc tracking” or “ntpq -p” on the bot's host and the coordinator;"
                " or name NTP servers for the bot (audits.ntp_servers).",
            )
        )
    for host, found in clocks.measured.items():
        if host != coordinator and not found.proof.empty:
            apart = difference(found.proof, leader.proof, abs(found.at - leader.at))
            if apart.at_least > clocks.noticeable:
                yield _skew(found, apart, leader.host, _alert(host, clocks.inventory))


def _leader(leader: Measured, true: Interval, noticeable: float) -> Iterator[Drift]:
    if true.at_least > noticeable:
        yield rules.AGAINST_TRUTH.drift(
            Found(
                subject=leader.host.id,
                text=f"The clock of the coordinator {quoted(leader.host.name)} is {_ahead(true)} true time",
                evidence=f"{told(true)} against NTP",
                remedy=f"“host ntp {word_for(leader.host.name, leader.host.uuid)}” shows what sets it.",
                level=Level.BAD if true.at_least > GRAVE else None,
            )
        )


def _reference(clocks: Clocks) -> Iterator[Drift]:
    """The bot's own clock, and the servers that say what it should show."""
    truth = clocks.truth
    if truth.interval is not None and truth.interval.at_least > clocks.noticeable:
        ahead = Interval(-truth.interval.high, -truth.interval.low)
        yield rules.OWN.drift(
            Found(
                subject=rules.BOT,
                text=f"The bot's own clock is {_ahead(ahead)} true time",
                evidence=f"{told(ahead)} by {plural(len(truth.believed), 'NTP server')}",
                remedy="Let NTP set the clock of the bot's host: “chronyc tracking” or “timedatectl” there.",
                level=Level.BAD if ahead.at_least > GRAVE else None,
            )
        )
    unknown = truth.interval is None
    for server in truth.contradicted:
        yield _server(server, "contradicts the others", told(Interval(server.low, server.high)), unknown)
    for server in truth.silent:
        yield _server(server, "gives no time", server.failure, unknown)


def _server(answer: TimeAnswer, what: str, evidence: str, unknown: bool) -> Drift:
    consequence = "; no NTP server can be believed, so nobody knows true time" if unknown else ""
    return rules.SERVERS.drift(
        Found(
            subject=rules.BOT,
            text=f"The NTP server {quoted(answer.server)} {what}",
            about=answer.server,
            evidence=evidence + consequence,
            remedy="See whether the bot's host reaches it (UDP port 123), or name another in audits.ntp_servers.",
            level=Level.WARN if unknown else None,
        )
    )


def _running(clocks: Clocks) -> Iterator[Drift]:
    for host, found in clocks.measured.items():
        rate = found.rate
        if rate is not None and rate.sufficient and rate.ppm.at_least > UNSTEERED:
            a_day = abs(rate.seconds_a_day)
            yield rules.DRIFT.drift(
                Found(
                    subject=host.id,
                    text=f"Nothing keeps the clock of {quoted(host.name)} in step: it"
                    f" {'gains' if rate.ppm.low > 0 else 'loses'} about {duration(a_day)} a day",
                    evidence=f"{rate.told()} over {duration(rate.seconds)}, {plural(rate.samples, 'measurement')}",
                    remedy=f"“host ntp {word_for(host.name, host.uuid)}” shows what sets it.",
                )
            )


def _skew(found: Measured, apart: Interval, leader: Host, alert: str) -> Drift:
    true = f"; {told(found.true)} against true time" if found.true is not None else ""
    return rules.SKEW.drift(
        Found(
            subject=found.host.id,
            text=f"The clock of {quoted(found.host.name)} is {_ahead(apart)} the coordinator's",
            evidence=f"{told(apart)} against {quoted(leader.name)}{true}{alert}",
            remedy=f"“host ntp {word_for(found.host.name, found.host.uuid)}” shows what sets it.",
            level=Level.BAD if apart.at_least > GRAVE else None,
        )
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
