"""Slack's three seconds: the acknowledgement leaves before any pool is asked, whatever the pools do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.conftest import Town, text_of, town
from tests.e2e.people import PEOPLE, filled_form, private_answers
from tests.e2e.watching import watch
from tests.waiting import eventually

POOL_SECONDS = 5.0
"""How long a slow pool takes for each call: longer than Slack waits, shorter than the bot does."""
SLACK_SECONDS = 3.0
CROWD = 50


def slow_down(place: Town, seconds: float = POOL_SECONDS) -> None:
    for host in place.lab.hosts:
        place.lab.slow(host, seconds)


def kill(place: Town) -> None:
    """Break whatever waits for a slow host, so that nothing is left to wait for."""
    for host in place.lab.hosts:
        place.lab.kill(host)


def test_a_command_is_acknowledged_before_the_first_call_to_a_pool(lab_town: Town) -> None:
    seen = watch(lab_town)
    assert lab_town.say("pool status").startswith("lab: ")
    assert seen.first("ack slash_commands") < seen.first("xenapi ")


def test_a_vote_is_acknowledged_before_the_plan_is_made_again(lab_town: Town) -> None:
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    seen = watch(lab_town)
    lab_town.press("Approve", request_id)
    lab_town.ended(request_id)
    assert seen.first("ack interactive") < seen.first("xenapi ")


def test_a_form_is_opened_and_filled_before_the_first_call_to_a_pool(lab_town: Town) -> None:
    slow_down(lab_town)
    seen = watch(lab_town)
    started = time.monotonic()
    lab_town.workspace.say("olga", "#infra", "/xen vm migrate")
    view = eventually(lambda: lab_town.workspace.views("olga")["views"], "the form", SLACK_SECONDS)[-1]
    eventually(lambda: "slack views.update" in seen.order(), "the form being filled", SLACK_SECONDS)
    assert time.monotonic() - started < SLACK_SECONDS
    order = seen.order()
    assert order.index("ack slash_commands") < order.index("slack views.open") < order.index("slack views.update")
    assert not seen.count("xenapi ")
    # What there is to pick comes from the pool; one that is slow leaves the list empty, in time.
    asked = time.monotonic()
    found = lab_town.workspace.options("olga", view_id=view["id"], block_id="vm", action_id="pick", value="web")
    assert time.monotonic() - asked < SLACK_SECONDS
    assert found["options"] == []
    assert seen.count("xenapi ")
    kill(lab_town)


def test_a_form_that_is_sent_is_acknowledged_before_the_first_call_to_a_pool(lab_town: Town) -> None:
    lab_town.workspace.say("olga", "#infra", "/xen vm migrate")
    view = eventually(lambda: filled_form(lab_town.workspace), "the form being filled")
    found = lab_town.workspace.options("olga", view_id=view, block_id="vm", action_id="pick", value="web-1")
    options = found["options"]
    assert [option["text"]["text"] for option in options] == ["web-1 – on xs1"]
    seen = watch(lab_town)
    picked = {"type": "external_select", "selected_option": options[0]}
    assert lab_town.workspace.submit("olga", view, {"vm": {"pick": picked}})["ok"]
    eventually(lambda: seen.count("slack chat.postMessage"), "the card")
    assert seen.first("ack interactive") < seen.first("xenapi ")
    assert "move web-1 from xs1 to xs2" in text_of(lab_town.workspace.messages("#infra", "olga")[-1])


def test_fifty_at_once_are_acknowledged_in_time_by_a_bot_whose_pools_are_slow(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        slow_down(place)
        seen = watch(place)
        with ThreadPoolExecutor(CROWD) as crowd:
            said = list(
                crowd.map(
                    lambda number: place.workspace.say(PEOPLE[number % len(PEOPLE)], "#infra", "/xen pool status"),
                    range(CROWD),
                )
            )
        assert all(answer["acknowledged"] for answer in said)
        assert len(seen.seconds("ack slash_commands")) == CROWD
        assert max(seen.seconds("ack slash_commands")) < SLACK_SECONDS
        eventually(lambda: seen.count("xenapi "), "a call to a pool")
        assert seen.first("ack slash_commands") < seen.first("xenapi ")
        # Nobody is forgotten: when the pool dies under them, each is told so.
        kill(place)
        eventually(lambda: private_answers(place) == CROWD, "an answer for everybody", 10)
