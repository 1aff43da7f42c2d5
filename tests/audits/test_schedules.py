"""Audits that run by themselves: once each, told once, and found when they were missed. No test waits for real time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.audits import timetable
from bot.audits.auditor import SILENT
from bot.errors import Refused
from bot.findings import Kind
from bot.model import Level
from bot.schedules import EVERY_POOL, Tell
from tests.audits.household import EARLY, HOUR, MIDNIGHT, OLGA, SEVEN, House, drift, lines


def test_a_schedule_runs_at_its_time_and_tells_its_channel_once(house: House) -> None:
    house.found["lab"] = (drift("xs1"), drift("xs2", Level.BAD))
    with house.process() as bot:
        schedule = bot.schedule("daily 07:00")
        bot.live(SEVEN - timedelta(minutes=1))
        assert house.looked == []
        bot.live(SEVEN + timedelta(hours=1))
        assert house.looked == ["lab"]
        (message,) = bot.posted()
        assert message.title == "lab: 2 findings (first audit)"
        assert lines(message, "Found") == ["xs2 is odd", "xs1 is odd"]
        assert "S-1: “daily 07:00”, next 2026-11-24 07:00 UTC" in message.summary
        assert bot.due(schedule) == SEVEN + timedelta(days=1)
        (row,) = bot.rows("scheduled audit")
        assert (row["actor"], row["pool"], row["schedule"]) == ("schedule:S-1", "lab", "S-1")
        assert (row["due"], row["audits"], row["messages"]) == (SEVEN.isoformat(), [1], 1)
        run = bot.auditor.book.audit_run(1)
        assert run is not None
        assert run.run.actor.key == "schedule:S-1"


def test_it_is_quiet_while_nothing_changes_and_tells_what_does(house: House) -> None:
    house.found["lab"] = (drift("xs1"),)
    with house.process() as bot:
        bot.schedule()
        bot.live(SEVEN)
        assert len(bot.posted()) == 1
        bot.live(SEVEN + HOUR)
        assert bot.posted() == []
        house.found["lab"] = (drift("xs1"), drift("xs2"))
        bot.live(SEVEN + 2 * HOUR)
        (message,) = bot.posted()
        assert (lines(message, "New"), lines(message, "Still open")) == (
            ["xs2 is odd"],
            ["xs1 is odd (since 2026-11-23)"],
        )
        house.found["lab"] = (drift("xs2"),)
        bot.live(SEVEN + 3 * HOUR)
        (message,) = bot.posted()
        assert lines(message, "Resolved") == ["xs1 is odd"]
        assert len(house.looked) == 4


def test_with_always_it_posts_each_time(house: House) -> None:
    with house.process() as bot:
        bot.schedule(tell=Tell.ALWAYS)
        bot.live(SEVEN + 2 * HOUR)
        assert [message.title for message in bot.posted()] == ["lab: nothing found"] * 3


def test_what_somebody_else_has_been_shown_is_news_to_the_channel_all_the_same(house: House) -> None:
    with house.process() as bot:
        bot.schedule()
        bot.live(SEVEN)
        bot.posted()
        house.found["lab"] = (drift("xs1"),)
        bot.live(SEVEN + timedelta(minutes=10))
        bot.auditor.run([Kind.COMPATIBILITY], ["lab"], OLGA)
        bot.live(SEVEN + HOUR)
        (message,) = bot.posted()
        assert lines(message, "New") == ["xs1 is odd"]


def test_a_pool_that_does_not_answer_is_a_finding_and_the_others_are_audited(house: House) -> None:
    house.found["prod"] = (drift("px1"),)
    with house.process() as bot:
        bot.schedule(pool=EVERY_POOL)
        bot.live(SEVEN)
        assert sorted(message.title for message in bot.posted()) == [
            "lab: nothing found",
            "prod: 1 finding (first audit)",
        ]
        house.away.add("lab")
        house.found["prod"] = (drift("px1"), drift("px2"))
        bot.live(SEVEN + HOUR)
        silent, other = sorted(bot.posted(), key=lambda message: message.title)
        assert silent.title == "lab: it could not be audited"
        assert lines(silent, "New") == ["The pool lab could not be audited"]
        assert lines(other, "New") == ["px2 is odd"]
        bot.live(SEVEN + 2 * HOUR)
        assert bot.posted() == []  # it is still away, and that has been told
        house.away.clear()
        bot.live(SEVEN + 3 * HOUR)
        (back,) = bot.posted()
        assert lines(back, "Resolved") == ["The pool lab could not be audited"]
        assert {story.drift.rule for story in bot.auditor.book.audit_runs(["lab"], kind=None, last=1)[0].resolved} == {
            SILENT
        }


def test_a_paused_schedule_rests_and_makes_up_for_nothing(house: House) -> None:
    with house.process() as bot:
        schedule = bot.schedule()
        bot.store.schedules.pause(schedule.number)
        bot.live(SEVEN + HOUR)
        assert house.looked == []
        bot.store.schedules.resume(schedule.number, SEVEN + 2 * HOUR, house.clock.at)
        bot.live(SEVEN + 2 * HOUR - timedelta(minutes=1))
        assert house.looked == []
        bot.live(SEVEN + 2 * HOUR)
        assert house.looked == ["lab"]
        assert "unusual" not in bot.rows("scheduled audit")[-1]


def test_a_removed_schedule_is_gone_and_its_number_is_not_given_again(house: House) -> None:
    with house.process() as bot:
        first = bot.schedule()
        with pytest.raises(Refused, match="Schedule S-1 does that already"):
            bot.schedule()
        bot.store.schedules.remove(first.number, house.clock.at)
        assert bot.store.schedules.schedules() == ()
        assert bot.schedule().id == "S-2"
        bot.live(SEVEN)
        assert house.looked == ["lab"]


def test_another_time_zone_of_the_bot_moves_what_is_due(house: House) -> None:
    house.clock.at = MIDNIGHT
    with house.process() as bot:
        own, fixed = bot.schedule("daily 07:00"), bot.schedule("daily 07:00", "prod", zone="Asia/Kolkata")
        bot.live(MIDNIGHT + timedelta(minutes=10))
        assert bot.due(own) == SEVEN
        assert bot.due(fixed) == MIDNIGHT.replace(hour=1, minute=30)
    with house.process(timezone="Europe/Amsterdam") as bot:
        bot.rounds.tick()
        assert bot.due(own) == SEVEN - timedelta(hours=1)
        assert bot.due(fixed) == MIDNIGHT.replace(hour=1, minute=30)
        (row,) = bot.rows("schedule moved")
        assert row["zone"] == "Europe/Amsterdam"
        bot.live(SEVEN)
        assert house.looked == ["prod", "lab"]
        assert bot.due(own) == SEVEN - timedelta(hours=1) + timedelta(days=1)


def test_another_time_zone_makes_nothing_missed_that_was_not(house: House) -> None:
    """At 06:30 UTC the bot is started with a zone by which 07:00 was half an hour ago, when it was not down."""
    house.clock.at = SEVEN - timedelta(minutes=70)
    with house.process() as bot:
        schedule = bot.schedule("daily 07:00")
        bot.live(SEVEN - timedelta(minutes=31))
    house.clock.at += timedelta(minutes=1)
    with house.process(timezone="Europe/Amsterdam") as bot:
        bot.rounds.tick()
        assert house.looked == []
        assert bot.due(schedule) == SEVEN - timedelta(hours=1) + timedelta(days=1)


def test_it_follows_the_wall_when_the_clocks_are_changed(house: House) -> None:
    house.clock.at = datetime(2026, 10, 23, 20, tzinfo=UTC)
    ran: list[datetime] = []
    house.on_look = lambda pool: ran.append(house.clock.at)
    with house.process(timezone="Europe/Amsterdam") as bot:
        bot.schedule("daily 02:30")
        bot.live(datetime(2026, 10, 27, 2, tzinfo=UTC), timedelta(minutes=2))
        assert [f"{at:%m-%d %H:%M}" for at in ran] == ["10-24 00:30", "10-25 00:30", "10-26 01:30", "10-27 01:30"]


def test_a_channel_that_may_not_hear_is_told_nothing_until_it_may(house: House) -> None:
    house.found["lab"] = (drift("xs1"),)
    house.channel.why_not = "This channel is shared with another organisation."
    with house.process() as bot:
        bot.schedule()
        bot.live(SEVEN)
        assert bot.posted() == []
        assert bot.rows("scheduled audit")[-1]["withheld"] == house.channel.why_not
        house.channel.why_not = ""
        bot.live(SEVEN + HOUR)
        (message,) = bot.posted()
        assert lines(message, "Found") == ["xs1 is odd"]


def test_while_slack_is_away_nothing_is_lost(house: House) -> None:
    house.found["lab"] = (drift("xs1"),)
    house.channel.silent = True
    with house.process() as bot:
        bot.schedule()
        bot.live(SEVEN)
        assert len(bot.posted()) == 1


def test_a_pool_that_may_not_be_spoken_of_any_more_is_not(house: House) -> None:
    house.channel.allowed = ("prod",)
    with house.process() as bot:
        bot.schedule("daily 07:00")
        bot.live(SEVEN)
        assert house.looked == []
        (message,) = bot.posted()
        assert message.title == "Schedule S-1: no audit"
        assert "lab" not in message.summary
        bot.schedule("daily 08:00", EVERY_POOL)
        bot.live(SEVEN + timedelta(hours=1))
        assert house.looked == ["prod"]
        (message,) = bot.posted()
        assert message.title.startswith("prod")


def test_a_pool_that_is_not_configured_any_more_is_said(house: House) -> None:
    with house.process() as bot:
        bot.schedule()
        del house.found["lab"]
        bot.live(SEVEN)
        (message,) = bot.posted()
        assert "not configured" in message.summary


def test_an_audit_that_was_overtaken_tells_what_the_later_one_found(house: House) -> None:
    house.found["lab"] = (drift("xs1"),)
    with house.process() as bot:
        bot.schedule()
        house.clock.at = SEVEN

        def meanwhile(pool: str) -> None:
            house.on_look = lambda pool: None
            house.clock.at += timedelta(seconds=5)
            bot.auditor.run([Kind.COMPATIBILITY], ["lab"], OLGA)

        house.on_look = meanwhile
        bot.rounds.tick()
        (message,) = bot.posted()
        assert message.title == "lab: 1 finding (first audit)"


def test_no_more_schedules_are_kept_than_can_be_carried_out(house: House) -> None:
    with house.process() as bot:
        context: Any = SimpleNamespace(schedules=bot.store.schedules)
        for number in range(timetable.MOST_SCHEDULES):
            timetable.check_room(context)
            last = bot.schedule(f'cron "{number % 60} {number // 60} * * *"')
        with pytest.raises(Refused, match="200 schedules already"):
            timetable.check_room(context)
        bot.store.schedules.remove(last.number, EARLY)
        timetable.check_room(context)
