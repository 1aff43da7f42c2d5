"""Deliveries keep to what Slack lets through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.model import Progress, State
from sandbox.slack import Settings, Switches, start
from tests.bot_slack import samples
from tests.bot_slack.post import Post, post_office
from tests.bot_slack.shown import words


def test_a_rate_limit_is_waited_out(post: Post) -> None:
    post.open()
    post.slack.fault("rate_limit", method="chat.postMessage", count=1, seconds=30)
    post.run(29)
    assert post.messages() == []
    assert post.posts() == 1
    post.run(2)
    assert len(post.messages()) == 1
    assert post.posts() == 2


def test_a_rate_limit_holds_up_what_else_goes_to_that_channel(post: Post) -> None:
    post.open("web-1")
    post.slack.fault("rate_limit", method="chat.postMessage", count=1, seconds=30)
    post.run()
    post.open("web-2")
    post.run(29)
    assert post.posts() == 1
    post.run(5)
    assert len(post.messages()) == 2


def test_a_rate_limit_of_one_channel_does_not_hold_up_another(post: Post) -> None:
    post.open("web-1")
    post.slack.fault("rate_limit", method="chat.postMessage", count=1, seconds=30)
    post.run()
    post.open("web-2", place=replace(samples.INFRA, channel="C0LAB"))
    post.run(2)
    assert len(post.messages("#lab")) == 1
    assert post.messages() == []


def test_messages_in_a_channel_are_a_second_apart(post: Post) -> None:
    for number in range(5):
        post.open(f"web-{number}")
    post.run()
    assert len(post.messages()) == 1
    post.run(2.5)
    assert len(post.messages()) == 3
    post.run(5)
    assert len(post.messages()) == 5


def test_progress_is_edited_at_most_every_two_seconds_and_the_end_at_once(post: Post) -> None:
    request = post.open()
    post.run()
    post.move(request, State.APPROVED, State.RUNNING)
    post.run(2)
    edits = post.slack.calls()["chat.update"]
    for step in range(40):
        post.store.progress(request.id, Progress(fraction=step / 40, text="moving"))
        post.run(0.25)
    assert 4 <= post.slack.calls()["chat.update"] - edits <= 6
    assert "▰▰" in words(post.messages()[0]["blocks"])
    post.move(replace(request, state=State.RUNNING), State.SUCCEEDED)
    post.run(1.1)
    assert "Done" in words(post.messages()[0]["blocks"])


def test_many_running_cards_stay_below_what_slack_gives_for_edits(tmp_path: Path) -> None:
    with start(Settings(switches=Switches(rate_limits=False))) as slack:  # nothing but the bot itself keeps it slow
        post = post_office(slack, tmp_path)
        edits = _edits_in_a_minute(post)
        post.store.close()
    assert 20 <= edits <= 50


def _edits_in_a_minute(post: Post) -> int:
    requests = [post.open(f"web-{number}", replace(samples.INFRA, channel="C0LAB")) for number in range(8)]
    post.run(10)
    for request in requests:
        post.move(request, State.APPROVED, State.RUNNING)
    post.run(30)
    edits = post.slack.calls()["chat.update"]
    for step in range(60):
        for request in requests:
            post.store.progress(request.id, Progress(fraction=step / 60))
        post.run(1)
    return post.slack.calls()["chat.update"] - edits
