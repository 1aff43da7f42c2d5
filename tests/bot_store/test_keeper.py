"""The daily round: the record is verified, what is found is told, and what has had its time is forgotten."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from bot.keeper import EVERY, Keeper, Retention
from bot.model import State
from bot.store import SqliteStore
from tests.bot_store.helpers import START, HandClock, claimed, entry, look, meddle, opened

MONTH = timedelta(days=30)
COUNT = "SELECT count(*) FROM deliveries"
KEPT = Retention(deliveries=MONTH, audits=MONTH, samples=MONTH)


@pytest.fixture
def keeper(store: SqliteStore, clock: HandClock) -> Keeper:
    return Keeper(store, clock, KEPT)


def test_it_verifies_once_a_day_also_after_a_restart(keeper: Keeper, store: SqliteStore, clock: HandClock) -> None:
    keeper.tick()
    assert store.figures().verified_at == START
    clock.at += EVERY / 2
    Keeper(store, clock, KEPT).tick()
    assert store.figures().verified_at == START
    clock.at += EVERY / 2
    keeper.tick()
    assert store.figures().verified_at == START + EVERY


def test_a_record_that_was_changed_is_an_error_in_the_log(
    keeper: Keeper, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    meddle(path, "DROP TRIGGER ledger_refuses_update")
    keeper.tick()
    assert any(
        "the ledger has been changed" in each.message and each.levelno == logging.ERROR for each in caplog.records
    )


def test_messages_are_forgotten_when_they_have_had_their_time(
    keeper: Keeper, store: SqliteStore, clock: HandClock, path: Path
) -> None:
    request = opened(store)
    assert store.move(request.id, State.WAITING, State.EXPIRED, entry(), at=START)
    store.delivered(claimed(store), "1.0")
    keeper.tick()
    clock.at += MONTH - EVERY
    keeper.tick()
    assert look(path, COUNT) == [(1,)]
    clock.at += EVERY * 2
    keeper.tick()
    assert look(path, COUNT) == [(0,)]
    assert store.request(request.id) is not None
