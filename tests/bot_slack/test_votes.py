"""Approve, Reject and Details on a card."""

from __future__ import annotations

from typing import Any

import pytest

from bot.answers import Problem
from bot.model import Ballot, State
from bot.slack.render import card
from bot.slack.render.message import actions, button
from bot.slack.replies import POSTING
from tests.bot_slack import samples
from tests.bot_slack.conftest import Team
from tests.bot_slack.shown import buttons, words

JSON = dict[str, Any]


@pytest.fixture
def posted(team: Team) -> str:
    """A card that waits for votes in #infra; its ts."""
    request = samples.request()
    team.desk.requests[request.id] = request
    message = card.message(request)
    answer = team.workspace.api.call(
        "chat.postMessage", channel="C0INFRA", text=message.text, blocks=list(message.blocks), **POSTING
    )
    return str(answer["ts"])


def press(team: Team, ts: str, who: str, text: str) -> None:
    team.slack.press(who, channel="#infra", ts=ts, text=text)


def test_approve_names_the_request_and_the_plan_that_was_seen(team: Team, posted: str) -> None:
    press(team, posted, "ana", "Approve")
    told = team.answer("#infra", "ana", count=2)
    assert (words(told["blocks"]), told["ephemeral"]) == ("Counted.", True)
    (vote,) = team.desk.votes
    assert (vote.request_id, vote.ballot) == ("X-7", Ballot.APPROVE)
    assert vote.digest == samples.request().digest
    assert (vote.actor.id, vote.place.channel) == ("T0EXAMPLE/U0ANA", "C0INFRA")
    assert len(team.answers("#infra", "olga")) == 1


def test_an_outsider_votes_under_their_own_workspace(team: Team) -> None:
    message = card.message(samples.request())
    sent = {"text": message.text, "blocks": list(message.blocks)}
    ts = team.workspace.api.call("chat.postMessage", channel="C0PARTNERS", **sent, **POSTING)["ts"]
    team.slack.press("otto", channel="#partners", ts=ts, text="Approve")
    team.slack.wait_until(lambda: team.desk.votes)
    assert team.desk.votes[0].actor.id == "T0PARTNER/U0OTTO"


def test_a_refused_vote_is_told_to_the_voter_alone(team: Team, posted: str) -> None:
    team.desk.vote_reply = lambda ask: Problem(error="denied", message="You asked for it yourself.")
    press(team, posted, "olga", "Approve")
    assert "You asked for it yourself." in words(team.answer("#infra", "olga", count=2)["blocks"])
    assert len(team.answers("#infra", "ana")) == 1


def test_reject_asks_why_and_then_votes(team: Team, posted: str) -> None:
    press(team, posted, "ana", "Reject")
    view = team.view("ana")
    assert "X-7" in words(view["view"]["blocks"])
    assert team.desk.votes == []
    assert team.slack.submit("ana", view["id"], {"reason": {"input": "not during the backup"}}) == {"ok": True}
    team.answer("#infra", "ana", count=2)
    (vote,) = team.desk.votes
    assert (vote.ballot, vote.reason) == (Ballot.REJECT, "not during the backup")
    assert vote.digest == samples.request().digest


def test_a_reason_is_not_compulsory(team: Team, posted: str) -> None:
    press(team, posted, "ana", "Reject")
    assert team.slack.submit("ana", team.view("ana")["id"], {}) == {"ok": True}
    team.answer("#infra", "ana", count=2)
    assert team.desk.votes[0].reason == ""


def test_a_press_delivered_twice_counts_once(team: Team, posted: str) -> None:
    team.slack.fault("duplicate_envelope", count=1)
    press(team, posted, "ana", "Approve")
    team.slack.wait_until(lambda: len(team.desk.started) == 2)
    press(team, posted, "ana", "Approve")
    team.slack.wait_until(lambda: len(team.desk.votes) == 2)
    assert len(set(team.desk.started)) == 2


def test_details_show_every_check_and_the_calls_with_names(team: Team, posted: str) -> None:
    press(team, posted, "sam", "Details")
    shown = words(team.view("sam")["view"]["blocks"])
    plan = samples.plan()
    assert all(finding.title in shown for finding in plan.findings)
    assert "Async.VM.pool_migrate(VM web-1 (22222222-2222-4222-8222-222222222222), host web-1 (3" in shown
    assert "the secret web-1" in shown
    assert plan.digest() in shown


def test_details_of_a_request_that_is_gone(team: Team, posted: str) -> None:
    team.desk.requests.clear()
    press(team, posted, "ana", "Details")
    assert "do not know" in words(team.view("ana")["view"]["blocks"])


def test_a_button_that_names_nothing_votes_for_nothing(team: Team) -> None:
    blocks = actions([button("Approve", "vote:approve", "X-7")])
    ts = team.workspace.api.call("chat.postMessage", channel="C0INFRA", text="?", blocks=blocks)["ts"]
    press(team, ts, "ana", "Approve")
    assert "Nothing was done" in words(team.answer("#infra", "ana", count=2)["blocks"])
    assert team.desk.votes == []


@pytest.mark.parametrize("state", list(State))
def test_only_a_waiting_request_can_be_voted_on_and_an_ended_one_only_looked_at(state: State) -> None:
    found = set(buttons(card.message(samples.request(state=state)).blocks))
    ways_out = {
        State.WAITING: {"Approve", "Reject", "Withdraw"},
        State.APPROVED: {"Withdraw"},
        State.QUEUED: {"Withdraw"},
        State.RUNNING: {"Cancel"},
        State.UNKNOWN: {"Settle"},
    }
    assert found == {"Details", *ways_out.get(state, set())}
