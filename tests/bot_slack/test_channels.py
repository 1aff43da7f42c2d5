"""Channels that the bot can tell things in, by what Slack says of them."""

from __future__ import annotations

import pytest

from bot.errors import NotFound, Unavailable
from bot.slack.api import Api, web_client
from bot.slack.channels import SlackChannels
from bot.slack.places import Places
from sandbox.slack import RunningWorkspace


@pytest.fixture
def channels(slack: RunningWorkspace) -> SlackChannels:
    api = Api(web_client(slack.bot_token, slack.api, 5))
    return SlackChannels(api, Places(api), lambda channel: ("lab",) if channel == "C0LAB" else ())


@pytest.mark.parametrize(
    "typed", ["#infra", "infra", "#INFRA", "C0INFRA", "<#C0INFRA>", "<#C0INFRA|infra>", " #infra "]
)
def test_a_channel_is_found_as_people_write_it(channels: SlackChannels, typed: str) -> None:
    assert channels.find(typed) == "C0INFRA"
    assert channels.name("C0INFRA") == "#infra"


def test_a_private_channel_is_found_when_the_bot_is_in_it(channels: SlackChannels) -> None:
    assert channels.find("#ops-private") == "C0OPSPRIVATE"
    with pytest.raises(NotFound, match="no channel") as refused:
        channels.find("#secret")
    assert "invited" in refused.value.remedy


def test_near_names_of_channels_that_the_bot_is_in_are_offered(channels: SlackChannels) -> None:
    with pytest.raises(NotFound) as refused:
        channels.find("#infro")
    assert [choice.label for choice in refused.value.choices] == ["#infra"]


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ("C0INFRA", ""),
        ("C0OPSPRIVATE", ""),
        ("C0RANDOM", "not a member"),
        ("C0PARTNERS", "another organisation"),
        ("C0SECRET", "cannot see it"),
        ("D0OLGA", "nobody else's to read"),
    ],
)
def test_where_nothing_can_be_posted_is_said_why(channels: SlackChannels, channel: str, why: str) -> None:
    found = channels.cannot_post(channel)
    assert why in found
    assert bool(found) is bool(why)


def test_what_slack_does_not_tell_is_not_taken_for_a_no(slack: RunningWorkspace, channels: SlackChannels) -> None:
    slack.fault("error_500", method="conversations.info", count=5)
    slack.fault("error_500", method="conversations.list", count=5)
    with pytest.raises(Unavailable):
        channels.cannot_post("C0INFRA")
    with pytest.raises(Unavailable):
        channels.find("#infra")
    assert channels.name("C0INFRA") == "C0INFRA"


def test_the_pools_of_a_channel_are_the_configurations(channels: SlackChannels) -> None:
    assert channels.pools("C0LAB") == ("lab",)
