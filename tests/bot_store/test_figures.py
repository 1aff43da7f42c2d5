"""Counts for whoever watches, what is forgotten in time, and who runs on the database."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.model import Ballot, State
from bot.store import SqliteStore
from bot.store.presence import Presence, running
from tests.bot_store.helpers import (
    CHANNEL,
    ROOT,
    START,
    HandClock,
    after,
    claimed,
    entry,
    look,
    meddle,
    opened,
    remark,
    vote,
)

DAY = timedelta(days=1)


def ended(store: SqliteStore, seconds: float) -> str:
    """A request that was decided then, its card and note shown."""
    request = opened(store)
    assert store.vote(request.id, vote(Ballot.REJECT), entry())
    moved = store.move(request.id, State.WAITING, State.REJECTED, entry(), at=after(seconds), note=remark("no"))
    assert moved
    for ts in ("1.0", "2.0"):
        store.delivered(claimed(store, seconds), ts)
    return request.id


def test_an_empty_store_has_nothing(store: SqliteStore) -> None:
    found = store.figures()
    assert (found.requests, found.outbox_waiting, found.outbox_oldest_seconds) == ({}, 0, 0.0)
    assert (found.ledger_rows, found.verified_at, found.flaw) == (store.head().seq, None, "")


def test_requests_are_counted_by_state(store: SqliteStore) -> None:
    opened(store)
    opened(store)
    ended(store, 1)
    assert store.figures().requests == {str(State.WAITING): 2, str(State.REJECTED): 1}


def test_a_message_waits_from_the_change_until_slack_shows_it(store: SqliteStore, clock: HandClock) -> None:
    request = opened(store)
    clock.at = after(600)
    assert store.figures().outbox_oldest_seconds == 600
    card = claimed(store, 600)
    store.postpone(card, until=after(900), error="unreachable", in_doubt=False)
    clock.at = after(700)
    found = store.figures()
    assert (found.outbox_waiting, found.outbox_oldest_seconds, found.outbox_error) == (1, 700, "unreachable")
    store.delivered(claimed(store, 900), "1.0")
    assert (store.figures().outbox_waiting, store.figures().outbox_oldest_seconds) == (0, 0)
    clock.at = after(1000)
    assert store.vote(request.id, vote(seconds=1000), entry())
    clock.at = after(1010)
    assert store.figures().outbox_oldest_seconds == 10


def test_what_was_given_up_does_not_wait(store: SqliteStore) -> None:
    opened(store)
    store.give_up(claimed(store), error="channel_not_found")
    assert (store.figures().outbox_waiting, store.figures().outbox_given_up) == (0, 1)


def test_a_database_of_before_counts_from_when_it_was_due(store: SqliteStore, path: Path, clock: HandClock) -> None:
    opened(store)
    meddle(path, "UPDATE deliveries SET wanted_at = NULL")
    clock.at = after(30)
    assert store.figures().outbox_oldest_seconds == 30


# --- verifying --------------------------------------------------------------------------------------------------------


def test_the_ledger_is_verified_when_it_is_time(store: SqliteStore, clock: HandClock) -> None:
    first = store.verify_due(DAY)
    assert first is not None
    assert first.ok
    assert store.figures().verified_at == START
    assert store.verify_due(DAY) is None
    clock.at += DAY
    assert store.verify_due(DAY) is not None


def test_a_flaw_is_remembered(store: SqliteStore, path: Path) -> None:
    meddle(path, "DROP TRIGGER ledger_refuses_update", "UPDATE ledger SET kind = 'other' WHERE seq = 1")
    assert store.verify_due(DAY) is not None
    assert "row 1" in store.figures().flaw or "trigger" in store.figures().flaw


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_messages_of_requests_that_ended_long_ago_are_forgotten(store: SqliteStore, path: Path) -> None:
    old = ended(store, 10)
    new = ended(store, 5000)
    waiting = opened(store)
    store.delivered(claimed(store, 5000), "9.0")
    assert store.forget_deliveries(after(1000)) == 2
    kept = [row[0] for row in look(path, "SELECT DISTINCT request_id FROM deliveries ORDER BY 1")]
    assert kept == sorted([new, waiting.id])
    found = store.request(old)
    assert found is not None
    assert found.state is State.REJECTED


def test_what_slack_does_not_show_yet_is_kept_however_old(store: SqliteStore) -> None:
    request = opened(store)
    assert store.move(request.id, State.WAITING, State.EXPIRED, entry(), at=after(10))
    assert store.forget_deliveries(after(1_000_000)) == 0
    assert store.figures().outbox_waiting == 1


def test_announcements_go_too(store: SqliteStore) -> None:
    assert store.announce_head(CHANNEL, START)
    assert store.forget_deliveries(after(1000)) == 0
    store.delivered(claimed(store), "1.0")
    assert store.forget_deliveries(after(1000)) == 1


# --- who runs ---------------------------------------------------------------------------------------------------------


def test_the_second_bot_on_a_database_sees_the_first(store: SqliteStore, path: Path) -> None:
    assert running(path) == ""
    first = Presence(path, "process 7 of bot-1")
    try:
        second = Presence(path, "process 8 of bot-1")
        assert (first.other, second.other) == ("", "process 7 of bot-1")
        second.close()
        assert running(path) == "process 7 of bot-1"
    finally:
        first.close()
    assert running(path) == ""
    third = Presence(path, "process 9 of bot-1")
    assert third.other == ""
    third.close()


def test_a_bot_that_was_killed_runs_no_more(store: SqliteStore, path: Path) -> None:
    hold = f"from bot.store.presence import Presence; from pathlib import Path; p = Presence(Path({str(path)!r}), 'it')"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{hold}; print('held', flush=True); input()"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    assert running(path) == "it"
    child.kill()
    child.communicate()
    assert running(path) == ""


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="has no room"):
        Presence(tmp_path / "nowhere" / "xenia.sqlite3", "it")
