"""Cards and notes reach Slack, each posted once, whatever breaks in between."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.model import Place, Request, State
from bot.ports import Delivery
from bot.slack.api import Api, web_client
from bot.slack.delivery import LEASE_SECONDS, Courier
from bot.slack.places import Places
from bot.slack.render import card, report
from bot.slack.render.message import Message
from bot.store import Head, heads_in
from sandbox.slack import Settings, start
from tests.bot_slack import samples
from tests.bot_slack.post import JSON, Post, entry, note, post_office
from tests.bot_slack.shown import buttons, words


def test_a_card_is_posted_once_and_edited_in_place_to_its_end(post: Post) -> None:
    request = post.open()
    post.run()
    (card,) = post.messages()
    assert "lab: Move web-1" in words(card["blocks"])
    assert set(buttons(card["blocks"])) == {"Approve", "Reject", "Details", "Withdraw"}
    post.move(request, State.APPROVED, State.RUNNING, State.SUCCEEDED)
    post.run(5)
    (edited,) = post.messages()
    assert edited["ts"] == card["ts"]
    assert "Done in 2 s" in words(edited["blocks"])
    assert set(buttons(edited["blocks"])) == {"Details"}
    assert post.posts() == 1
    assert post.store.next_due() is None


def test_notes_come_into_the_cards_thread_in_order(post: Post) -> None:
    request = post.open()
    post.move(request, State.APPROVED, State.RUNNING, State.SUCCEEDED, note=note("first"))
    post.run(10)
    (card,) = post.messages()
    thread = post.messages(thread_ts=card["ts"])
    assert ["first" in words(one["blocks"]) for one in thread] == [False, True]


def test_a_card_within_a_thread_has_its_notes_in_the_same_thread(post: Post) -> None:
    parent = post.slack.say("olga", "#infra", "what now?")["ts"]
    request = post.open(place=replace(samples.INFRA, thread_ts=parent))
    post.move(request, State.APPROVED, State.RUNNING, State.SUCCEEDED, note=note("first"))
    post.run(10)
    assert len(post.messages(thread_ts=parent)) == 2
    assert post.messages() == []


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "error_500", "not_json"])
def test_an_answer_that_is_lost_never_makes_a_second_card(post: Post, fault: str) -> None:
    request = post.open()
    post.slack.fault(fault, method="chat.postMessage", count=1)
    post.run()
    post.move(request, State.APPROVED)
    post.run(60)
    (card,) = post.messages()
    assert "Approved" in words(card["blocks"])
    assert post.store.next_due() is None
    looked = post.slack.calls().get("conversations.history", 0)
    assert looked == 1


def test_the_post_that_was_taken_is_found_and_not_sent_again(post: Post) -> None:
    post.open()
    post.slack.fault("drop_after", method="chat.postMessage", count=1)
    post.run(60)
    assert post.posts() == 1
    assert len(post.messages()) == 1


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_note_whose_answer_is_lost_is_looked_for_in_its_thread(post: Post, fault: str) -> None:
    request = post.open()
    post.run()
    post.move(request, State.APPROVED, State.RUNNING, State.SUCCEEDED, note=note("first"))
    post.slack.fault(fault, method="chat.postMessage", count=1)
    post.run(60)
    (card,) = post.messages()
    assert len(post.messages(thread_ts=card["ts"])) == 2
    assert post.slack.calls()["conversations.replies"] == 1
    assert post.store.next_due() is None


def test_a_crash_between_post_and_record_leaves_one_card(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(delivery: Delivery, ts: str) -> None:
        raise Killed

    post.open()
    with monkeypatch.context() as patched:
        patched.setattr(post.store, "delivered", killed)
        with pytest.raises(Killed):
            post.run()
    assert len(post.messages()) == 1
    post.run(LEASE_SECONDS - 1)
    assert post.posts() == 1
    post.run(10)
    assert post.posts() == 1
    assert post.store.next_due() is None


def test_where_it_cannot_look_it_does_not_post_again_and_says_which_scope_it_needs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scopes = tuple(each for each in Settings().scopes if not each.endswith(":history"))
    with start(Settings(scopes=scopes)) as slack:
        post = post_office(slack, tmp_path)
        post.open()
        slack.fault("drop_before", method="chat.postMessage", count=1)
        post.run(7200)
        assert post.messages() == []
        assert slack.calls()["conversations.history"] >= 2
        assert post.store.next_due() is not None
        assert [one for one in caplog.records if one.levelname == "ERROR" and "channels:history" in one.getMessage()]
        post.store.close()


@pytest.mark.parametrize("channel", ["C0RANDOM", "C0SECRET", "C0NOWHERE"])
def test_a_place_where_the_bot_may_not_be_is_given_up(
    post: Post, channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    post.open(place=replace(samples.INFRA, channel=channel))
    post.run(600)
    assert post.posts() == 1
    assert post.store.next_due() is None
    assert [one for one in caplog.records if one.levelname == "ERROR" and "given up" in one.getMessage()]


def test_a_card_that_somebody_deleted_is_given_up_and_not_posted_anew(post: Post) -> None:
    request = post.open()
    post.run()
    post.api.client.chat_delete(channel="C0INFRA", ts=post.messages()[0]["ts"])
    post.move(request, State.APPROVED)
    post.run(60)
    assert post.posts() == 1
    assert post.store.next_due() is None


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "error_500", "rate_limit"])
def test_an_edit_that_failed_is_made_later(post: Post, fault: str) -> None:
    request = post.open()
    post.run()
    post.move(request, State.APPROVED)
    post.slack.fault(fault, method="chat.update", count=1)
    post.run(60)
    assert "Approved" in words(post.messages()[0]["blocks"])
    assert post.store.next_due() is None


def test_a_card_that_slack_will_not_take_is_shown_smaller(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad = Message("bad", ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},))
    monkeypatch.setattr(card, "message", lambda *_: bad)
    post.open()
    post.run(5)
    (shown,) = post.messages()
    assert set(buttons(shown["blocks"])) == {"Approve", "Reject", "Details", "Withdraw"}
    assert [one for one in caplog.records if "could not be shown whole" in one.getMessage()]


def test_a_note_that_slack_will_not_take_is_said_in_words(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    request = post.open()
    post.run()
    bad = Message("only words", ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},))
    monkeypatch.setattr(report, "message", lambda *_: bad)
    post.move(request, State.APPROVED, State.RUNNING, State.SUCCEEDED, note=note("first"))
    post.run(10)
    (shown,) = post.messages()
    assert [one["text"] for one in post.messages(thread_ts=shown["ts"])][1:] == ["only words"]


def test_an_unreachable_slack_is_tried_again_later(post: Post, tmp_path: Path) -> None:
    request = post.open()
    nowhere = Api(web_client(post.slack.bot_token, "http://127.0.0.1:9/api/", 1))
    courier, post.courier = post.courier, Courier(nowhere, post.store, post.store.request, post.clock, threads=0)
    post.run(30)
    post.courier = courier
    post.run(300)
    assert len(post.messages()) == 1
    assert post.slack.calls().get("conversations.history") is None  # nothing was sent, so nothing is in doubt
    assert request.id in words(post.messages()[0]["blocks"])


def test_two_threads_post_every_card_once(tmp_path: Path) -> None:
    with start(Settings()) as slack:
        post = post_office(slack, tmp_path)
        places = [replace(samples.INFRA, channel=channel) for channel in ("C0INFRA", "C0LAB", "C0OPSPRIVATE", "D0OLGA")]
        for number, place in enumerate(places):
            post.open(f"web-{number}", place)
        courier = Courier(post.api, post.store, post.store.request, SystemClock(), threads=2)
        courier.start()
        try:
            slack.wait_until(lambda: post.posts() == 4 and post.store.next_due() is None, timeout=60)
        finally:
            courier.close()
        assert [len(post.messages(name)) for name in ("#infra", "#lab", "#ops-private", "@olga")] == [1, 1, 1, 1]
        post.store.close()


def test_a_defect_names_the_delivery_and_holds_up_no_other(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    first, second = post.open("web-1"), post.open("web-2")

    def torn(request_id: str) -> Request | None:
        if request_id == first.id:
            raise KeyError("boom")
        return post.store.request(request_id)

    courier = Courier(post.api, post.store, torn, SystemClock(), threads=2)
    courier.start()
    try:
        post.slack.wait_until(lambda: post.messages() and "defect" in caplog.text, timeout=60)
    finally:
        courier.close()
    (card,) = post.messages()
    assert second.id in words(card["blocks"])
    told = [one for one in caplog.records if "failed by a defect (KeyError)" in one.getMessage()]
    assert len(told) == 1
    assert told[0].exc_info
    assert f" of {first.id}, revision 1, attempt 1" in "".join(traceback.format_exception(told[0].exc_info[1]))


def heads(message: JSON) -> tuple[Head, ...]:
    return heads_in(words(message["blocks"]))


def shown(head: Head) -> Head:
    """As it stands below a message: with half of its digits."""
    return Head(head.seq, head.hash[:32])


def test_each_message_bears_the_record_as_it_was(post: Post) -> None:
    """Pasted as it stands in Slack it verifies, and vouches for what had happened by then."""
    request = post.open()
    post.run()
    assert heads(post.messages()[0]) == (shown(post.store.head()),)
    post.move(request, State.APPROVED, State.RUNNING, State.SUCCEEDED, note=note("Done"))
    post.run(5)
    (card,) = post.messages()
    (reply,) = [one for one in post.messages(thread_ts=card["ts"]) if one["ts"] != card["ts"]]
    assert heads(card) == heads(reply) == (shown(post.store.head()),)
    assert post.store.verify(heads(reply)).vouched_to == post.store.head().seq


def test_the_days_head_is_posted_to_its_channel(post: Post) -> None:
    post.store.record(entry())
    assert post.store.announce_head(samples.INFRA, post.clock.now())
    post.slack.fault("drop_after", method="chat.postMessage", count=1)
    post.run(60)
    (announced,) = post.messages()  # found by looking, not posted again
    assert heads(announced) == (shown(post.store.head()),)
    assert post.posts() == 1


def _remind(post: Post, *people: str) -> None:
    request = post.open()
    also = tuple(
        (Place(kind="slack", team="T0EXAMPLE", channel=each, private=True), note("it waits")) for each in people
    )
    assert post.store.remind(request.id, note("it expires"), entry(), post.clock.now(), also)


def test_who_could_approve_is_told_in_private(post: Post) -> None:
    _remind(post, "U0ANA", "U0BEN")
    post.slack.fault("drop_after", method="chat.postMessage", count=2)
    post.run(120)
    for channel in ("@ana", "@ben"):
        (told,) = post.messages(channel, channel[1:])
        assert "it waits" in words(told["blocks"])
    assert post.slack.calls()["conversations.open"] == 2


def test_who_cannot_be_written_to_is_given_up_without_holding_up_others(post: Post) -> None:
    _remind(post, "U0NOBODY", "U0ANA")
    post.run(60)
    assert len(post.messages("@ana", "ana")) == 1
    assert post.store.next_due() is None


def test_nothing_is_posted_where_another_organisation_reads(post: Post) -> None:
    """Also when the channel was shared only after the configuration was checked."""
    post.courier = Courier(
        post.api, post.store, post.store.request, post.clock, threads=0, shared=Places(post.api).is_shared
    )
    post.open("web-1", replace(samples.INFRA, channel="C0PARTNERS"))
    post.open("web-2")
    post.run(5)
    assert post.messages("#partners") == []
    assert len(post.messages()) == 1
    assert post.store.figures().outbox_given_up == 1
