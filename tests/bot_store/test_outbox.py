from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.model import Progress, State
from bot.ports import Delivery, DeliveryKind
from bot.store import SqliteStore, outbox
from tests.bot_store.helpers import (
    CHANNEL,
    KEY,
    HandClock,
    after,
    claimed,
    dump,
    entry,
    look,
    opened,
    remark,
    vote,
)


def say(store: SqliteStore, request_id: str, title: str, seconds: float = 0) -> None:
    assert store.move(
        request_id, State.WAITING, State.WAITING, entry("reminder"), at=after(seconds), note=remark(title)
    )


def titles(store: SqliteStore, seconds: float = 0) -> list[str]:
    """Claim all that is due."""
    found = []
    while (delivery := store.claim(after(seconds), 60)) is not None:
        found.append(delivery.body.title if delivery.body else f"card {delivery.revision}")
    return found


def test_a_new_request_wants_its_card(store: SqliteStore, other: SqliteStore) -> None:
    request = opened(store)
    assert store.next_due() == after(0)
    assert store.claim(after(-1), 60) is None
    card = claimed(other)
    assert card == Delivery(
        id=card.id,
        kind=DeliveryKind.CARD,
        request_id=request.id,
        place=CHANNEL,
        revision=1,
        ts="",
        thread_ts="",
        body=None,
        attempts=0,
        in_doubt=False,
        head=str(store.head()),
        claim=1,
    )
    assert store.claim(after(0), 60) is None
    assert store.next_due() == after(60)
    other.delivered(card, "100.1")
    assert store.next_due() is None
    assert titles(store, 10_000) == []


def test_edits_collapse(store: SqliteStore) -> None:
    request = opened(store)
    store.delivered(claimed(store), "100.1")
    for fraction in (0.1, 0.2, 0.3):
        store.progress(request.id, Progress(fraction=fraction))
    assert store.vote(request.id, vote(), entry())
    card = claimed(store)
    assert (card.revision, card.ts) == (5, "100.1")
    store.delivered(card, "100.1")
    assert titles(store, 99) == []


def test_what_changed_while_it_was_delivered_is_delivered_again(store: SqliteStore) -> None:
    request = opened(store)
    card = claimed(store)
    store.progress(request.id, Progress(fraction=0.5))
    assert store.claim(after(0), 60) is None
    store.delivered(card, "100.1")
    assert claimed(store).revision == 2


def test_notes_follow_the_card_in_order(store: SqliteStore) -> None:
    request = opened(store)
    card = claimed(store)
    for title in ("one", "two", "three"):
        say(store, request.id, title)
    assert titles(store) == []
    assert store.next_due() == after(60)
    store.delivered(card, "100.1")
    store.delivered(claimed(store), "100.1")  # the card, as it is now
    for title in ("one", "two", "three"):
        note = claimed(store)
        assert (note.kind, note.body, note.thread_ts) == (DeliveryKind.NOTE, remark(title), "100.1")
        assert (note.ts, note.place, note.revision) == ("", CHANNEL, 1)
        assert store.claim(after(0), 60) is None
        store.posting(note)
        store.delivered(note, f"100.2{title}")
    assert store.next_due() is None


def test_a_note_that_waits_holds_back_the_later_ones_of_its_card_only(store: SqliteStore) -> None:
    first, second = opened(store), opened(store)
    for _ in range(2):
        card = claimed(store)
        store.delivered(card, f"{card.request_id}.1")
    for request, title in ((first, "a1"), (first, "a2"), (second, "b1")):
        say(store, request.id, title)
    for _ in range(2):
        card = claimed(store)
        store.delivered(card, card.ts)
    a1 = claimed(store)
    assert a1.body == remark("a1")
    store.postpone(a1, until=after(500), error="ratelimited", in_doubt=False)
    assert titles(store, 499) == ["b1"]
    assert store.next_due() == after(500)
    again = claimed(store, 500)
    assert (again.body, again.attempts) == (remark("a1"), 1)


def test_in_doubt_survives_the_process(store: SqliteStore, path: Path, clock: HandClock) -> None:
    opened(store)
    store.posting(claimed(store))
    store.close()
    again = SqliteStore(path, clock=clock, ledger_key=KEY)
    assert again.claim(after(59), 60) is None
    card = claimed(again, 60)
    assert (card.in_doubt, card.attempts, card.ts) == (True, 1, "")
    again.delivered(card, "100.1")
    opened(again)
    assert not claimed(again, 60).in_doubt
    again.close()


def test_postponed_says_whether_it_is_in_doubt(store: SqliteStore) -> None:
    opened(store)
    for attempt, doubt in enumerate((True, False, True)):
        card = claimed(store, attempt * 10)
        assert card.attempts == attempt
        store.posting(card)
        store.postpone(card, until=after(attempt * 10 + 10), error="timeout", in_doubt=doubt)
        assert store.claim(after(attempt * 10 + 9), 60) is None
        assert look(store._connections.path, "SELECT in_doubt, error FROM deliveries") == [(int(doubt), "timeout")]
    assert claimed(store, 30).in_doubt


def test_no_token_is_kept_in_an_error(store: SqliteStore, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(store)
    store.postpone(claimed(store), until=after(1), error="bad token xoxb-1-hush", in_doubt=False)
    store.give_up(claimed(store, 1), error="bad token xoxb-1-hush\ud800")
    assert look(path, "SELECT error FROM deliveries") == [("bad token [withheld]\ufffd",)]
    assert "hush" not in caplog.text


def test_pacing_is_no_attempt(store: SqliteStore) -> None:
    opened(store)
    store.postpone(claimed(store), until=after(2), error="", in_doubt=False)
    store.postpone(claimed(store, 2), until=after(4), error="internal_error", in_doubt=False)
    assert claimed(store, 4).attempts == 1


def test_attempts_begin_anew_after_a_delivery(store: SqliteStore) -> None:
    request = opened(store)
    store.postpone(claimed(store), until=after(1), error="timeout", in_doubt=False)
    store.delivered(claimed(store, 1), "100.1")
    store.progress(request.id, Progress(fraction=0.1))
    assert claimed(store, 1).attempts == 0


def test_an_overtaken_claimer_may_not_post(store: SqliteStore, other: SqliteStore) -> None:
    opened(store)
    late = claimed(store)
    quick = claimed(other, 60)
    with pytest.raises(Unavailable, match="taken over"):
        store.posting(late)
    other.posting(quick)
    # Nothing that the late one says ends the quick one's claim.
    store.postpone(late, until=after(0), error="timeout", in_doubt=False)
    store.give_up(late, error="x")
    assert store.claim(after(61), 60) is None
    with pytest.raises(Unavailable, match="taken over"):
        store.posting(late)
    other.posting(quick)
    assert claimed(store, 120).in_doubt


def test_but_its_message_is_believed(store: SqliteStore, other: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    request = opened(store)
    late = claimed(store)
    store.posting(late)
    quick = claimed(other, 60)
    assert quick.in_doubt
    store.delivered(late, "100.1")
    other.delivered(quick, "100.2")
    assert "twice" in caplog.text
    store.progress(request.id, Progress(fraction=0.1))
    assert claimed(store, 200).ts == "100.1"


def test_an_outcome_ends_its_claim(store: SqliteStore, path: Path) -> None:
    opened(store)
    card = claimed(store)
    store.postpone(card, until=after(1), error="timeout", in_doubt=True)
    before = dump(path)
    with pytest.raises(Unavailable):
        store.posting(card)
    store.postpone(card, until=after(0), error="again", in_doubt=False)
    store.give_up(card, error="again")
    assert dump(path) == before


def test_given_up_is_kept_and_never_tried_again(store: SqliteStore, path: Path) -> None:
    request = opened(store)
    say(store, request.id, "before")
    store.give_up(claimed(store), error="channel_not_found")
    say(store, request.id, "after")
    store.progress(request.id, Progress(fraction=0.5))
    assert titles(store, 10_000) == []
    assert store.next_due() is None
    assert look(path, "SELECT given_up, error FROM deliveries") == [(1, "channel_not_found")] * 3


def test_a_note_given_up_lets_the_next_one_pass(store: SqliteStore) -> None:
    request = opened(store)
    store.delivered(claimed(store), "100.1")
    say(store, request.id, "one")
    say(store, request.id, "two")
    store.delivered(claimed(store), "100.1")
    store.give_up(claimed(store), error="msg_too_long")
    assert titles(store) == ["two"]


def test_a_card_that_cannot_be_edited_any_more_does_not_take_its_notes_along(store: SqliteStore) -> None:
    request = opened(store)
    store.delivered(claimed(store), "100.1")
    say(store, request.id, "one")
    store.give_up(claimed(store), error="message_not_found")
    assert titles(store) == ["one"]


def test_a_busy_card_does_not_starve_a_new_one(store: SqliteStore, clock: HandClock) -> None:
    busy = opened(store)
    store.delivered(claimed(store), "100.1")
    clock.sleep(5)
    store.progress(busy.id, Progress(fraction=0.1))
    new = opened(store, opened_at=after(4))
    card = claimed(store, 5)
    assert card.request_id == new.id
    store.delivered(card, "100.2")
    assert claimed(store, 5).request_id == busy.id


def test_ids_are_not_those_of_another_database(store: SqliteStore, tmp_path: Path, clock: HandClock) -> None:
    opened(store)
    elsewhere = SqliteStore(tmp_path / "other.sqlite3", clock=clock)
    opened(elsewhere)
    assert claimed(store).id != claimed(elsewhere).id
    elsewhere.close()


def test_an_unknown_delivery_is_a_bug(store: SqliteStore) -> None:
    opened(store)
    card = replace(claimed(store), id="none")
    with pytest.raises(LookupError):
        store.delivered(card, "100.1")


def test_the_head_is_announced_once_a_day(store: SqliteStore, other: SqliteStore) -> None:
    """The day is UTC's; whoever of two processes comes first."""
    opened(store)
    titles(store)
    assert [each.announce_head(CHANNEL, after(0)) for each in (store, other, store)] == [True, False, False]
    (row,) = [row for row in store.ledger(pools=None, last=9) if row.kind == "head announced"]
    assert row.body == {"channel": "C1"}
    delivery = claimed(store)
    assert (delivery.kind, delivery.request_id, delivery.place) == (DeliveryKind.ANNOUNCEMENT, "", CHANNEL)
    assert delivery.body is not None
    assert delivery.body.title == "The record of 2026-03-01"
    assert delivery.head == str(store.head())
    store.delivered(delivery, "100.5")
    assert not store.announce_head(CHANNEL, after(11 * 3600))
    assert other.announce_head(CHANNEL, after(12 * 3600))
    assert not store.announce_head(CHANNEL, after(0))  # a clock that was set back announces nothing


def test_an_announcement_can_be_given_up(store: SqliteStore) -> None:
    store.announce_head(CHANNEL, after(0))
    store.give_up(claimed(store), error="channel_not_found")
    assert store.next_due() is None


def in_a_thread(store: SqliteStore) -> None:
    """A message with two replies in its thread."""
    with store._connections.write() as db:
        number = outbox.announcement(db, CHANNEL, remark("above"), after(0))
        for title in ("first", "second"):
            outbox.announcement(db, CHANNEL, remark(title), after(0), number)


def test_what_belongs_into_a_thread_waits_for_its_head_and_comes_in_order(store: SqliteStore) -> None:
    in_a_thread(store)
    above = claimed(store)
    assert (above.body, above.thread_ts) == (remark("above"), "")
    assert store.claim(after(1), 60) is None
    store.delivered(above, "1.0")
    first = claimed(store, 1)
    assert (first.body, first.thread_ts) == (remark("first"), "1.0")
    assert titles(store, 1) == []
    store.delivered(first, "1.1")
    second = claimed(store, 2)
    assert (second.body, second.thread_ts) == (remark("second"), "1.0")


def test_a_thread_without_its_head_is_given_up_with_it(store: SqliteStore) -> None:
    in_a_thread(store)
    store.give_up(claimed(store), error="chat.postMessage: not_in_channel")
    assert titles(store, 3600) == []
    assert store.next_due() is None


def test_a_reply_given_up_lets_the_next_one_pass(store: SqliteStore) -> None:
    in_a_thread(store)
    store.delivered(claimed(store), "1.0")
    store.give_up(claimed(store, 1), error="chat.postMessage: msg_too_long")
    assert titles(store, 2) == ["second"]
