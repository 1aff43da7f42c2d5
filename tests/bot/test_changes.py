"""Steps that change the bot itself: carried out once, and found again when their answer was lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import actions
from bot.changes import BotHands, Changes
from bot.errors import Refused
from bot.findings import Followed, Kind
from bot.model import ObjectId, Plan, Risk, Step
from bot.ports import Taken
from bot.schedules import NewSchedule, Tell
from bot.store import SqliteStore
from tests.audits.household import drift
from tests.bot_store.helpers import HandClock, entry, new

NOW = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)
ASKED = NewSchedule(
    kind=Kind.CLOCK, pool="lab", recurrence="daily 07:00", zone="", team="T1", channel="C1", tell=Tell.CHANGES
)
ABOUT = ObjectId("schedule", ASKED.key, "S-1")


def state(call: str, wanted: str, *arguments: str) -> Step:
    return actions.change(call, "change it", actions.schedule_is(ABOUT, wanted), *arguments)


ADD = state(actions.ADD_SCHEDULE, "on", "clock", "lab", "daily 07:00", "", "C1", "changes")
PAUSE = state(actions.PAUSE_SCHEDULE, "paused", "1")
RESUME = state(actions.RESUME_SCHEDULE, "on", "1")
REMOVE = state(actions.REMOVE_SCHEDULE, "gone", "1")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "xenia.sqlite3", clock=clock)
    yield store
    store.close()


@pytest.fixture
def hands(store: SqliteStore, clock: HandClock) -> BotHands:
    request, _ = store.open(new(), entry())
    changes = Changes(schedules=store.schedules, mutes=store.audits, clock=clock, timezone="Europe/Amsterdam")
    return changes.hands(request)


def so(hands: BotHands, step: Step) -> bool:
    """Whether a step's effect is there, as reading back says and as looking for a lost answer says."""
    holds = all(hands.holds(expect, {})[0] for expect in step.expect)
    assert (hands.look(step, hands.mark(step)).taken is Taken.DONE) is holds
    return holds


def test_a_schedule_is_kept_paused_resumed_and_removed(hands: BotHands, store: SqliteStore, clock: HandClock) -> None:
    assert not so(hands, ADD)
    assert hands.send(ADD, {}) == "S-1"
    assert so(hands, ADD)
    (kept,) = store.schedules.schedules()
    assert (kept.asked, kept.created_by.name) == (ASKED, "Anna")
    assert kept.due_at == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # 07:00 in Amsterdam is over
    assert not so(hands, PAUSE)
    hands.send(PAUSE, {})
    assert so(hands, PAUSE)
    clock.at += timedelta(days=3)
    hands.send(RESUME, {})
    assert so(hands, RESUME)
    assert store.schedules.schedules()[0].due_at == datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
    assert not so(hands, REMOVE)
    hands.send(REMOVE, {})
    assert so(hands, REMOVE)
    assert store.schedules.schedules() == ()


def test_what_cannot_be_done_any_more_is_refused(hands: BotHands) -> None:
    hands.send(ADD, {})
    with pytest.raises(Refused, match="S-1 does that already"):
        hands.send(ADD, {})
    hands.send(REMOVE, {})
    for step in (PAUSE, RESUME, REMOVE):
        with pytest.raises(Refused, match="no schedule S-1 any more"):
            hands.send(step, {})


def test_a_finding_is_muted_and_unmuted(hands: BotHands, store: SqliteStore, clock: HandClock) -> None:
    story = Followed(drift=drift("xs1"), opened_at=NOW, opened_run=1, seen_at=NOW, seen_run=1, number=7)
    end = NOW + timedelta(days=3)
    key = story.drift.key
    mute = actions.change(
        actions.MUTE,
        "mute it",
        actions.muted_until("lab", story, end.isoformat()),
        *("lab", key, end.isoformat(), "the switch is ordered"),
    )
    unmute = actions.change(actions.UNMUTE, "unmute it", actions.muted_until("lab", story, ""), "lab", key)
    assert not so(hands, mute)
    hands.send(mute, {})
    assert so(hands, mute)
    assert store.audits.muted_until("lab", key) == end
    assert store.audits.muted_until("prod", key) is None
    assert not so(hands, unmute)
    hands.send(unmute, {})
    assert so(hands, unmute)
    hands.send(mute, {})
    clock.at = end
    assert store.audits.muted_until("lab", key) is None


def test_what_the_bot_does_not_know_is_no_change_of_it() -> None:
    """The engine refuses a step for the bot that is neither a change nor a decision."""

    def plan(call: str) -> Plan:
        step = actions.change(call, "change it", actions.schedule_is(ABOUT, "on"))
        pool = ObjectId("pool", "", "lab")
        return Plan(command="x", arguments=(), pool=pool, risk=Risk.ROUTINE, steps=(step,), title="x")

    assert not any(actions.is_action(plan(call)) for call in actions.CHANGES)
    assert actions.is_action(plan("policy.change"))
