"""What the policy wants before an approval counts is asked for in a window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Ballot, State
from bot.slack.render import card
from bot.slack.replies import POSTING
from tests.bot_slack import samples
from tests.bot_slack.conftest import Team
from tests.bot_slack.shown import words


def posted(team: Team, **wanted: object) -> str:
    request = samples.request()
    request = replace(request, requirement=replace(request.requirement, **wanted))  # type: ignore[arg-type]
    team.desk.requests[request.id] = request
    message = card.message(request)
    sent = {"text": message.text, "blocks": list(message.blocks)}
    return str(team.workspace.api.call("chat.postMessage", channel="C0INFRA", **sent, **POSTING)["ts"])


@pytest.mark.parametrize(
    ("name", "code", "given"),
    [
        ("web-1", False, {"typed": {"input": "web-1"}}),
        ("", True, {"code": {"input": "123456"}}),
        ("web-1", True, {"typed": {"input": "web-1"}, "code": {"input": "123456"}}),
    ],
)
def test_it_is_asked_for_and_goes_with_the_vote(
    team: Team, name: str, code: bool, given: dict[str, dict[str, str]]
) -> None:
    ts = posted(team, type_name=name, one_time_code=code)
    team.slack.press("ana", channel="#infra", ts=ts, text="Approve")
    view = team.view("ana")
    assert "X-7" in words(view["view"]["blocks"])
    assert [block["block_id"] for block in view["view"]["blocks"] if block["type"] == "input"] == list(given)
    assert team.desk.votes == []
    assert team.slack.submit("ana", view["id"], given) == {"ok": True}
    team.slack.wait_until(lambda: team.desk.votes)
    (vote,) = team.desk.votes
    assert (vote.ballot, vote.digest) == (Ballot.APPROVE, samples.request().digest)
    assert (vote.typed, vote.code) == (name, "123456" if code else "")
    assert "123456" not in repr(vote)


def test_an_empty_answer_is_refused_by_slack_itself(team: Team) -> None:
    ts = posted(team, type_name="web-1")
    team.slack.press("ana", channel="#infra", ts=ts, text="Approve")
    view = team.view("ana")
    assert not team.slack.submit("ana", view["id"], {"typed": {"input": ""}})["ok"]
    assert team.desk.votes == []


def test_nothing_is_asked_of_who_comes_too_late(team: Team) -> None:
    ts = posted(team, type_name="web-1")
    team.desk.requests["X-7"] = replace(team.desk.requests["X-7"], state=State.REJECTED)
    team.slack.press("ana", channel="#infra", ts=ts, text="Approve")
    team.slack.wait_until(lambda: team.desk.votes)
    assert team.slack.views("ana")["views"] == []


def test_a_fact_that_only_people_know_is_confirmed_in_its_own_words(team: Team) -> None:
    request = samples.request()
    plan = replace(request.plan, confirm="xs1 is off")
    request = replace(request, plan=plan, requirement=replace(request.requirement, type_name="xs1 is off"))
    team.desk.requests[request.id] = request
    message = card.message(request)
    sent = {"text": message.text, "blocks": list(message.blocks)}
    ts = str(team.workspace.api.call("chat.postMessage", channel="C0INFRA", **sent, **POSTING)["ts"])
    team.slack.press("ana", channel="#infra", ts=ts, text="Approve")
    view = team.view("ana")
    (block,) = [each for each in view["view"]["blocks"] if each["type"] == "input"]
    assert "if you know that it is so" in block["label"]["text"]
    assert "xs1 is off" in block["hint"]["text"]
