"""Runs of audits that were missed, made by a process that died, or by two: told, and made up for once."""

from __future__ import annotations

from datetime import timedelta

from bot.findings import Kind
from tests.audits.household import EARLY, HOUR, OLGA, SEVEN, House, drift, lines


def test_a_run_that_was_missed_is_told_and_made_up_for_once(house: House) -> None:
    with house.process() as bot:
        bot.schedule("every 2 hours")
        bot.live(SEVEN + timedelta(hours=2))
        assert len(house.looked) == 1
        bot.posted()
    house.clock.at = SEVEN + timedelta(hours=8, minutes=10)
    with house.process() as bot:
        bot.rounds.tick()
        bot.rounds.tick()
        assert len(house.looked) == 2
        (message,) = bot.posted()
        assert message.summary.startswith("Down 09:00–15:10, 3 audits missed, made up for by this one.")
        (*_, row) = bot.rows("scheduled audit")
        assert (row["missed"], row["due"]) == (3, (SEVEN + timedelta(hours=3)).isoformat())
        bot.live(SEVEN + timedelta(hours=9))
        assert len(house.looked) == 3
        assert bot.posted() == []


def test_a_bot_that_was_down_between_two_times_missed_nothing(house: House) -> None:
    with house.process() as bot:
        bot.schedule()
        bot.live(SEVEN)
        bot.posted()
    house.clock.at = SEVEN + timedelta(minutes=50)
    with house.process() as bot:
        bot.rounds.tick()
        assert len(house.looked) == 1
        bot.live(SEVEN + HOUR)
        assert bot.posted() == []
        assert "unusual" not in bot.rows("scheduled audit")[-1]


def test_a_machine_that_slept_is_noticed_by_the_bot_that_slept_with_it(house: House) -> None:
    with house.process() as bot:
        bot.schedule("daily 07:00")
        bot.live(EARLY + timedelta(minutes=5))
        house.clock.at = SEVEN + timedelta(hours=2, minutes=30)
        bot.rounds.tick()
        (message,) = bot.posted()
        assert message.summary.startswith("Down 06:55–09:30, 1 audit missed")


def test_a_crash_in_the_middle_of_a_run_is_told_and_the_run_made_again_once(house: House) -> None:
    house.found["lab"] = (drift("xs1"),)
    with house.dying() as bot:
        bot.schedule()
        bot.live(SEVEN)
    with house.process() as bot:
        bot.rounds.tick()
        assert house.looked == []  # for all that anybody knows, it is still at work
        bot.live(SEVEN + timedelta(minutes=5))
        assert house.looked == ["lab"]
        (message,) = bot.posted()
        assert "stopped in the middle of the audit of 2026-11-23 07:00 UTC; it was run again" in message.summary
        assert lines(message, "Found") == ["xs1 is odd"]
        (taken,) = bot.rows("scheduled audit taken up")
        assert taken["attempt"] == 2
        bot.live(SEVEN + timedelta(minutes=59))
        assert house.looked == ["lab"]


def test_what_a_dying_process_found_but_did_not_tell_is_told_by_the_next(house: House) -> None:
    with house.process() as bot:
        bot.schedule()
        bot.live(SEVEN)
        bot.posted()
    house.found["lab"] = (drift("xs1"),)
    with house.dying() as bot:
        bot.live(SEVEN + HOUR)
        bot.auditor.run([Kind.COMPATIBILITY], ["lab"], OLGA)  # recorded; and then it died
    with house.process() as bot:
        bot.live(SEVEN + HOUR + timedelta(minutes=5))
        (message,) = bot.posted()
        assert lines(message, "New") == ["xs1 is odd"]


def test_a_run_that_dies_twice_is_given_up_until_its_next_time(house: House) -> None:
    with house.dying() as bot:
        bot.schedule()
        bot.live(SEVEN)
    house.clock.at = SEVEN + timedelta(minutes=2)
    with house.dying() as bot:
        bot.rounds.tick()
    house.clock.at = SEVEN + timedelta(minutes=4)
    with house.process() as bot:
        bot.rounds.tick()
        assert house.looked == []
        (message,) = bot.posted()
        assert message.title == "Schedule S-1: no audit"
        assert "begun 2 times" in message.summary
        bot.live(SEVEN + HOUR)
        assert house.looked == ["lab"]


def test_two_processes_run_it_once(house: House) -> None:
    with house.process() as one, house.process() as two:
        one.schedule("every 15 minutes")
        for _ in range(6 * 60):
            house.clock.at += timedelta(minutes=1)
            one.rounds.tick()
            two.rounds.tick()
        assert len(house.looked) == 24
        assert len(one.rows("scheduled audit")) == 24


def test_a_process_that_was_taken_for_dead_tells_nothing(house: House) -> None:
    """It was stopped for longer than its lease while another took its run up; both end it, one is heard."""
    house.found["lab"] = (drift("xs1"),)
    with house.process() as one, house.process() as two:
        one.schedule()
        house.clock.at = SEVEN

        def stopped(pool: str) -> None:
            house.on_look = lambda pool: None
            house.clock.at += timedelta(minutes=2)
            two.rounds.tick()

        house.on_look = stopped
        one.rounds.tick()
        assert house.looked == ["lab", "lab"]
        assert len(two.posted()) == 1
        assert len(two.rows("scheduled audit")) == 1


def test_a_long_run_keeps_its_lease(house: House) -> None:
    with house.process() as one, house.process() as two:
        one.schedule()
        house.clock.at = SEVEN

        def slow(pool: str) -> None:
            house.on_look = lambda pool: None
            for _ in range(10):
                house.clock.at += timedelta(seconds=30)
                one.rounds._renew(house.clock.at)
                two.rounds.tick()

        house.on_look = slow
        one.rounds.tick()
        assert house.looked == ["lab"]
        assert len(one.posted()) == 1
