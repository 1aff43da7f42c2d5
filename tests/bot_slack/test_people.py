"""Who counts, by what Slack says now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from bot.errors import Unavailable
from bot.model import Actor
from bot.slack.api import Api, web_client
from bot.slack.people import SlackPeople
from bot.slack.places import Places
from sandbox.slack import RunningWorkspace, Settings, start


@dataclass
class Turned:
    """Seconds that a test turns."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Turned:
    return Turned()


@pytest.fixture
def people(slack: RunningWorkspace, clock: Turned) -> SlackPeople:
    api = Api(web_client(slack.bot_token, slack.api, 2))
    return SlackPeople(api, "T0EXAMPLE", ("S0APPROVERS",), seconds=120, monotonic=clock)


def actor(user: str, team: str = "T0EXAMPLE") -> Actor:
    return Actor(kind="slack", id=f"{team}/{user}", name="")


def test_a_member_and_their_groups(people: SlackPeople) -> None:
    assert people.standing(actor("U0OLGA")).member
    assert people.standing(actor("U0OLGA")).groups == frozenset()
    assert people.standing(actor("U0ANA")).groups == {"S0APPROVERS"}


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (actor("U0GIL"), "Guests"),
        (actor("U0DEE"), "deactivated"),
        (actor("U0OTTO"), "another workspace"),
        (actor("U0OTTO", "T0PARTNER"), "another workspace"),
        (actor("U0OLGA", "T0PARTNER"), "another workspace"),
        (actor("U0XENIA"), "Bots"),
        (actor("U0NOBODY"), "does not know"),
        (Actor(kind="terminal", id="olga", name="olga"), "not somebody of Slack"),
        (Actor(kind="slack", id="T0EXAMPLE/", name=""), "not somebody"),
    ],
)
def test_who_does_not_count_and_why(people: SlackPeople, who: Actor, why: str) -> None:
    standing = people.standing(who)
    assert not standing.member
    assert why in standing.why_not
    assert standing.groups == frozenset()


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, ""),
        ({"is_stranger": True}, "another workspace"),
        ({"is_restricted": True, "is_ultra_restricted": True}, "Guests"),
        ({"is_ultra_restricted": True}, "Guests"),
        ({"is_workflow_bot": True}, "Bots"),
        ({"id": "USLACKBOT"}, "Bots"),
        ({"team_id": None}, "another workspace"),
    ],
)
def test_every_mark_that_slack_puts_on_a_person(facts: dict[str, object], why: str) -> None:
    class Told(Api):
        def call(self, method: str, **arguments: object) -> Any:
            return {"user": {"id": "U0ANA", "team_id": "T0EXAMPLE", **facts}, "users": []}

    standing = SlackPeople(Told(web_client("xoxb-x", "http://127.0.0.1:9/", 1)), "T0EXAMPLE").standing(actor("U0ANA"))
    assert standing.member == (not why)
    assert why in standing.why_not


def test_what_was_found_out_is_believed_for_a_while_and_no_longer(
    people: SlackPeople, slack: RunningWorkspace, clock: Turned
) -> None:
    assert people.standing(actor("U0ANA")).member
    slack.person("ana", "deactivate")
    clock.now = 119
    assert people.standing(actor("U0ANA")).member
    assert slack.calls()["users.info"] == 1
    clock.now = 121
    assert not people.standing(actor("U0ANA")).member


def test_nobody_is_remembered_too(people: SlackPeople, slack: RunningWorkspace) -> None:
    for _ in range(3):
        assert not people.standing(actor("U0NOBODY")).member
    assert slack.calls()["users.info"] == 1


@pytest.mark.parametrize("fault", ["rate_limit", "error_500", "not_json", "drop_after"])
def test_what_cannot_be_found_out_is_unavailable_and_not_asked_for_again_at_once(
    people: SlackPeople, slack: RunningWorkspace, clock: Turned, fault: str
) -> None:
    slack.fault(fault, method="users.info", count=1, seconds=1)
    for _ in range(3):
        with pytest.raises(Unavailable):
            people.standing(actor("U0ANA"))
    assert slack.calls()["users.info"] == 1
    clock.now = 6
    assert people.standing(actor("U0ANA")).member


def test_a_group_that_cannot_be_read_is_unavailable(slack: RunningWorkspace, clock: Turned) -> None:
    api = Api(web_client(slack.bot_token, slack.api, 2))
    people = SlackPeople(api, "T0EXAMPLE", ("S0NOSUCH",), monotonic=clock)
    with pytest.raises(Unavailable) as raised:
        people.standing(actor("U0ANA"))
    assert "no_such_subteam" in raised.value.evidence[0]


def test_a_name_is_never_worth_a_failure(people: SlackPeople, slack: RunningWorkspace, clock: Turned) -> None:
    assert people.name("U0ANA") == "ana"
    assert people.name("U0NOBODY") == "U0NOBODY"
    slack.fault("error_500", method="users.info", count=1)
    assert people.name("U0BEN") == "U0BEN"


def test_a_place_is_asked_about_once_a_minute(slack: RunningWorkspace, clock: Turned) -> None:
    places = Places(Api(web_client(slack.bot_token, slack.api, 2)), clock)
    assert not places.look("C0INFRA").cannot_post
    assert not places.look("C0INFRA").cannot_post
    assert slack.calls()["conversations.info"] == 1
    slack.person("xenia", "leave", "#infra")
    assert not places.look("C0INFRA").cannot_post
    clock.now = 61
    assert "not a member" in places.look("C0INFRA").cannot_post


def test_a_place_that_cannot_be_found_out_counts_as_closed(slack: RunningWorkspace, clock: Turned) -> None:
    places = Places(Api(web_client(slack.bot_token, slack.api, 2)), clock)
    slack.fault("error_500", method="conversations.info", count=1)
    assert "does not answer" in places.look("C0INFRA").cannot_post
    clock.now = 6
    assert not places.look("C0INFRA").cannot_post


def test_a_place_that_the_app_may_not_look_at(clock: Turned) -> None:
    scopes = tuple(each for each in Settings().scopes if each != "groups:read")
    with start(Settings(scopes=scopes)) as slack:
        places = Places(Api(web_client(slack.bot_token, slack.api, 2)), clock)
        assert "scope" in places.look("C0OPSPRIVATE").cannot_post


def test_members_of_a_channel_are_found_on_every_page(
    slack: RunningWorkspace, clock: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.people._PAGE", 2)
    people = SlackPeople(Api(web_client(slack.bot_token, slack.api, 2)), "T0EXAMPLE", ("C0INFRA",), monotonic=clock)
    for user in ("U0OLGA", "U0ANA", "U0BEN"):
        assert people.standing(actor(user)).groups == {"C0INFRA"}
    assert slack.calls()["conversations.members"] > 1


def test_too_many_members_are_no_list_of_people(
    slack: RunningWorkspace, clock: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.people._PAGE", 1)
    monkeypatch.setattr("bot.slack.people._PAGES", 2)
    people = SlackPeople(Api(web_client(slack.bot_token, slack.api, 2)), "T0EXAMPLE", ("C0INFRA",), monotonic=clock)
    with pytest.raises(Unavailable) as raised:
        people.standing(actor("U0ANA"))
    assert "more than 2 members" in raised.value.evidence[0]


def test_who_leaves_a_channel_counts_for_two_minutes_and_no_longer(slack: RunningWorkspace, clock: Turned) -> None:
    api = Api(web_client(slack.bot_token, slack.api, 2))
    people = SlackPeople(api, "T0EXAMPLE", ("C0INFRA",), seconds=120, monotonic=clock)
    assert people.standing(actor("U0ANA")).groups == {"C0INFRA"}
    slack.person("ana", "leave", "#infra")
    clock.now = 119
    assert people.standing(actor("U0ANA")).groups == {"C0INFRA"}
    clock.now = 120
    assert people.standing(actor("U0ANA")).groups == frozenset()


def test_a_guest_in_the_channel_is_still_a_guest(slack: RunningWorkspace, clock: Turned) -> None:
    slack.person("gil", "invite", "#infra")
    people = SlackPeople(Api(web_client(slack.bot_token, slack.api, 2)), "T0EXAMPLE", ("C0INFRA",), monotonic=clock)
    standing = people.standing(actor("U0GIL"))
    assert not standing.member
    assert standing.groups == frozenset()


def test_nothing_is_believed_for_longer_than_a_few_minutes(slack: RunningWorkspace) -> None:
    api = Api(web_client(slack.bot_token, slack.api, 2))
    SlackPeople(api, "T0EXAMPLE", seconds=300)
    with pytest.raises(ValueError, match="300 s"):
        SlackPeople(api, "T0EXAMPLE", seconds=301)


@pytest.mark.parametrize(
    ("reference", "flaw"),
    [
        ("U0ANA", ""),
        ("S0APPROVERS", ""),
        ("U0DEE", "deactivated"),
        ("U0GIL", "guest"),
        ("U0OTTO", "another workspace"),
        ("U0NOBODY", "does not know"),
        ("S0NOSUCH", "does not know"),
        ("C0NOSUCH", "does not know"),
        ("C0INFRA", "public"),
        ("C0OPSPRIVATE", ""),
    ],
)
def test_what_is_wrong_with_somebody_whom_the_policy_names(people: SlackPeople, reference: str, flaw: str) -> None:
    assert flaw in people.flaw(reference)
    assert bool(people.flaw(reference)) == bool(flaw)
