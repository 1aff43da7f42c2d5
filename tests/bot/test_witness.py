"""Refusals are on record, and nobody fills the record with them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from bot.answers import Ask, Problem
from bot.errors import Unavailable
from bot.model import BOT, Actor, Entry
from bot.ports import Store
from bot.store import SqliteStore
from bot.witness import MOST_ROWS, Witness
from tests.bot.fake_bot import FakeBot, running
from tests.bot.fakes import CHANNEL, SAM, START, FakePool, HandClock


def denied(bot: FakeBot, times: int, actor: Actor = SAM) -> None:
    for _ in range(times):
        answer = bot.engine.answer(Ask(text="vm move web-1 to xs2", actor=actor, place=CHANNEL))
        assert isinstance(answer, Problem)


def rows(bot: FakeBot, kind: str = "denied") -> list[dict[str, object]]:
    found = [row for row in bot.store.ledger(pools=None, last=1000) if row.kind == kind]
    return [dict(row.body) for row in reversed(found)]


def test_the_first_are_recorded_and_the_others_counted(tmp_path: Path) -> None:
    clock = HandClock()
    with running(tmp_path / "db", FakePool(), clock) as bot:
        denied(bot, MOST_ROWS + 7)
        assert [row["text"] for row in rows(bot)] == ["vm move web-1 to xs2"] * MOST_ROWS
        clock.at = START + timedelta(minutes=59)
        bot.engine.tick()
        assert len(rows(bot)) == MOST_ROWS
        clock.at = START + timedelta(minutes=60)
        bot.engine.tick()
        *_, last = rows(bot)
        assert len(rows(bot)) == MOST_ROWS + 1
        assert last["times"] == 7
        denied(bot, 1)
        assert len(rows(bot)) == MOST_ROWS + 2


def test_what_was_counted_outlives_the_process(tmp_path: Path) -> None:
    clock = HandClock()
    with running(tmp_path / "db", FakePool(), clock) as bot:
        denied(bot, MOST_ROWS + 7)
        bot.engine.tick()
    clock.at = START + timedelta(minutes=30)
    with running(tmp_path / "db", FakePool(), clock) as bot:
        denied(bot, 3)
        bot.engine.tick()
        assert len(rows(bot)) == MOST_ROWS
    clock.at = START + timedelta(minutes=60)
    with running(tmp_path / "db", FakePool(), clock) as bot:
        bot.engine.tick()
        *_, last = rows(bot)
        assert len(rows(bot)) == MOST_ROWS + 1
        assert last == {"times": 10, "reason": "besides 50 others in one hour", "since": f"{START:%H:%M}"}
        bot.engine.tick()
        assert len(rows(bot)) == MOST_ROWS + 1


class Counting:
    """A store that counts how often it is written to, and fails where a test says so."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.writes = 0
        self.broken = False

    def refused(self, *given: Any, **named: Any) -> bool:
        self.writes += 1
        return self._store.refused(*given, **named)

    def count_refusals(self, *given: Any) -> None:
        if self.broken:
            raise Unavailable("The disk is full.")
        self._store.count_refusals(*given)


def test_a_flood_is_written_down_once_a_tick_and_none_is_lost_when_that_fails(tmp_path: Path) -> None:
    clock = HandClock()
    kept = SqliteStore(tmp_path / "db", clock=clock)
    store = Counting(kept)
    witness = Witness(cast(Store, store), clock)
    refusal = Entry(kind="payload refused", actor=BOT)
    for _ in range(MOST_ROWS + 200):
        witness.refused(refusal)
    assert store.writes == MOST_ROWS + 1
    store.broken = True
    with pytest.raises(Unavailable):
        witness.tick()
    witness.refused(refusal)
    assert store.writes == MOST_ROWS + 1
    store.broken = False
    witness.tick()
    witness.refused(refusal)
    clock.at = START + timedelta(hours=1)
    witness.tick()
    assert kept.ledger(pools=None, last=1)[0].body["times"] == 202
    kept.close()


def test_a_clock_that_is_set_back_keeps_nothing_from_the_record(tmp_path: Path) -> None:
    clock = HandClock()
    with running(tmp_path / "db", FakePool(), clock) as bot:
        denied(bot, MOST_ROWS + 7)
        bot.engine.tick()
        clock.at = START - timedelta(days=1)
        denied(bot, 1)
        assert [row.get("times") for row in rows(bot)] == [*[None] * MOST_ROWS, 7, None]


def test_one_person_does_not_hide_another(tmp_path: Path) -> None:
    other = Actor(kind="slack", id="T1/UEVE", name="eve")
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        denied(bot, MOST_ROWS + 1)
        denied(bot, 1, other)
        found = [row.actor.id for row in bot.store.ledger(pools=None, last=1000) if row.kind == "denied"]
        assert found.count("T1/UEVE") == 1
        assert found.count(SAM.id) == MOST_ROWS


def test_what_is_not_from_our_workspace_is_on_record(tmp_path: Path) -> None:
    with running(tmp_path / "db", FakePool(), HandClock()) as bot:
        bot.engine.forged("command for workspace T0ELSE")
        (row,) = [row for row in bot.store.ledger(pools=None, last=10) if row.kind == "payload refused"]
        assert row.actor == BOT
        assert row.body["reason"] == "command for workspace T0ELSE"
