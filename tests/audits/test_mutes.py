"""Findings that nobody wants to hear of for a while; and what is remembered of findings when old runs are forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.audits import report
from bot.audits.timetable import until
from bot.errors import Refused
from bot.findings import Audited, Followed, Kind, NewRun, Offset
from bot.keeper import Keeper, Retention
from bot.model import Level, Lines
from tests.audits.household import OLGA, House, Process, drift, lines
from tests.bot_store.helpers import HandClock

SIX = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path / "xenia.sqlite3", HandClock(SIX))
    made.found["lab"] = (drift("xs1"), drift("xs2", Level.BAD))
    return made


def audit(bot: Process) -> Audited:
    bot.house.clock.at += timedelta(seconds=1)
    (audited,) = bot.auditor.run([Kind.COMPATIBILITY], ["lab"], OLGA)
    return audited


def story(audited: Audited, name: str) -> Followed:
    (found,) = (each for each in (*audited.open, *audited.muted) if each.drift.subject.name == name)
    return found


def mute(bot: Process, name: str, length: timedelta, pool: str = "lab") -> None:
    end = bot.house.clock.at + length
    bot.store.audits.mute(pool, drift(name).key, end, "the switch is ordered", OLGA)


def test_a_muted_finding_is_listed_apart_with_who_and_why(house: House) -> None:
    with house.process() as bot:
        audit(bot)
        mute(bot, "xs2", HOUR)
        audited = audit(bot)
        assert [each.drift.subject.name for each in audited.open] == ["xs1"]
        assert audited.level is Level.WARN
        told = report.of_run(audited)
        assert told.title == "lab: 1 finding, none of them new, 1 muted"
        (muted,) = (part for part in told.parts if isinstance(part, Lines) and part.heading == "Muted")
        assert muted.lines[0].text == "xs2 is odd"
        assert "until 2026-11-23 07:50 UTC, by Olga: the switch is ordered (F-2)" in muted.lines[0].detail


def test_a_mute_holds_in_its_pool_and_for_its_finding_only(house: House) -> None:
    with house.process() as bot:
        mute(bot, "xs1", HOUR, pool="prod")
        mute(bot, "xs3", HOUR)
        assert audit(bot).muted == ()


def test_a_mute_outlives_the_finding_and_holds_when_it_comes_back(house: House) -> None:
    with house.process() as bot:
        audit(bot)
        mute(bot, "xs2", HOUR)
        house.found["lab"] = ()
        assert audit(bot).muted == ()
        house.found["lab"] = (drift("xs2"),)
        again = audit(bot)
        assert (again.open, [each.times for each in again.muted]) == ((), [2])


def test_when_a_mute_ends_the_finding_is_told_again_as_new(house: House) -> None:
    with house.process() as bot:
        audit(bot)
        mute(bot, "xs2", timedelta(hours=1, minutes=30))
        bot.schedule()
        bot.live(SIX.replace(hour=7, minute=0))
        (message,) = bot.posted()
        assert lines(message, "Found") == ["xs1 is odd"]
        assert lines(message, "Muted") == ["xs2 is odd"]
        bot.live(SIX.replace(hour=8, minute=0))
        assert bot.posted() == []
        bot.live(SIX.replace(hour=9, minute=0))
        (message,) = bot.posted()
        assert [text[:10] for text in lines(message, "New")] == ["xs2 is odd"]
        bot.live(SIX.replace(hour=10, minute=0))
        assert bot.posted() == []


def test_what_is_unmuted_is_told_again(house: House) -> None:
    with house.process() as bot:
        audit(bot)
        mute(bot, "xs2", 100 * HOUR)
        bot.schedule()
        bot.live(SIX.replace(hour=7, minute=0))
        bot.posted()
        house.clock.at += timedelta(minutes=1)
        bot.store.audits.unmute("lab", drift("xs2").key)
        bot.live(SIX.replace(hour=8, minute=0))
        (message,) = bot.posted()
        assert len(lines(message, "New")) == 1


def test_what_was_muted_and_is_resolved_is_no_news(house: House) -> None:
    with house.process() as bot:
        audit(bot)
        mute(bot, "xs2", 100 * HOUR)
        bot.schedule()
        bot.live(SIX.replace(hour=7, minute=0))
        bot.posted()
        house.found["lab"] = (drift("xs1"),)
        bot.live(SIX.replace(hour=8, minute=0))
        assert bot.posted() == []


def test_a_second_mute_takes_the_place_of_the_first(house: House) -> None:
    with house.process() as bot:
        audit(bot)
        mute(bot, "xs2", 100 * HOUR)
        house.clock.at += timedelta(minutes=1)
        mute(bot, "xs2", HOUR)
        house.clock.at += 2 * HOUR
        assert story(audit(bot), "xs2").mute is None


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("3 days", "2026-11-26T06:50:00+00:00"),
        ("in 2 weeks", "2026-12-07T06:50:00+00:00"),
        ("1 hour", "2026-11-23T07:50:00+00:00"),
        ("2026-12-24", "2026-12-23T23:00:00+00:00"),
        ("2026-12-24 18:30", "2026-12-24T17:30:00+00:00"),
        ("2027-03-28 02:30", "2027-03-28T01:30:00+00:00"),
    ],
)
def test_the_end_of_a_mute_is_a_date_or_a_length(typed: str, end: str) -> None:
    assert until(typed, SIX, "Europe/Amsterdam").isoformat() == end


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("2026-11-22", "is past"),
        ("2026-11-23", "is past"),
        ("2026-11-23 07:50", "is past"),
        ("0 days", "is past"),
        ("2028-01-01", "more than a year"),
        ("999 weeks", "more than a year"),
        ("2026-02-30", "not on any clock or calendar"),
        ("2026-12-24 25:00", "not on any clock or calendar"),
        ("0001-01-01", "not on any clock or calendar"),
        ("9999-12-31 23:59", "not on any clock or calendar"),
        ("whenever", "no date that I know"),
        ("", "no date that I know"),
    ],
)
def test_an_end_that_cannot_be_is_refused(typed: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        until(typed, SIX, "Europe/Amsterdam")


def test_what_is_forgotten_is_old_and_over_and_how_often_it_came_stays(house: House) -> None:
    with house.process() as bot:
        book = bot.store.audits
        audit(bot)
        house.found["lab"] = (drift("xs1"),)
        audit(bot)
        mute(bot, "xs2", HOUR)
        house.clock.at += timedelta(days=30)
        house.found["lab"] = (drift("xs1"), drift("xs3"))
        audit(bot)
        assert book.forget_audits(house.clock.at - timedelta(days=10)) == 2
        assert book.audit_run(1) is None
        (open_since,) = (each.story for each in book.open_findings(["lab"]) if each.story.drift.subject.name == "xs1")
        assert open_since.opened_at < SIX + timedelta(minutes=1)
        assert book.finding(2) is None
        house.found["lab"] = (drift("xs2"),)
        assert story(audit(bot), "xs2").times == 2
        assert book.muted("lab", SIX + timedelta(minutes=1)) == frozenset()


def test_measurements_can_be_forgotten_sooner_than_runs(house: House) -> None:
    with house.process() as bot:
        book, host = bot.store.audits, drift("xs1").subject
        for days in (0, 20, 40):
            at = SIX + timedelta(days=days)
            sample = Offset(host=host, at=at, low=0.0, high=0.1, readings=3, round_trip=0.01)
            book.record_audit(
                NewRun(kind=Kind.CLOCK, pool="lab", actor=OLGA, started_at=at, ended_at=at, found=(), offsets=(sample,))
            )
        assert len(book.offsets("lab", host.uuid, 10)) == 3
        book.forget_audits(SIX - timedelta(days=1), SIX + timedelta(days=30))
        assert [each.at for each in book.offsets("lab", host.uuid, 10)] == [SIX + timedelta(days=40)]
        assert book.audit_run(1) is not None


def test_the_keeper_forgets_what_has_had_its_time(house: House) -> None:
    kept = Retention(deliveries=timedelta(days=1), audits=timedelta(days=10), samples=timedelta(days=5))
    with house.process() as bot:
        audit(bot)
        audit(bot)
        house.clock.at += timedelta(days=9)
        Keeper(bot.store, house.clock, kept).tick()
        assert bot.store.audits.audit_run(1) is not None
        house.clock.at += timedelta(days=2)
        Keeper(bot.store, house.clock, kept).tick()
        assert bot.store.audits.audit_run(1) is None
        assert bot.store.audits.audit_run(2) is not None  # the newest stays
        assert len(bot.store.audits.open_findings(["lab"])) == 2
