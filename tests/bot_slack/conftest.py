"""A pretend workspace and the real Slack side of the bot in it, with a desk that does what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.slack.app import SlackBot, Workspace, connect
from bot.slack.desk import Desk
from bot.slack.settings import SlackSettings
from bot.slack.transport import SocketMode
from sandbox.slack import RunningWorkspace, Settings, Switches, start
from tests.bot_slack.fake_desk import FakeDesk
from tests.bot_slack.post import Post, post_office

JSON = dict[str, Any]


@dataclass
class Team:
    """What a test works with: the pretend workspace, the bot in it, and the desk behind the bot."""

    slack: RunningWorkspace
    workspace: Workspace
    bot: SlackBot
    desk: FakeDesk

    def answers(self, channel: str, who: str, thread_ts: str | None = None) -> list[JSON]:
        """The bot's messages that somebody sees."""
        seen = self.slack.messages(channel, who, thread_ts)
        return [one for one in seen if one["user"] == self.slack.settings.bot_user_id]

    def answer(self, channel: str, who: str, thread_ts: str | None = None, count: int = 1) -> JSON:
        """The `count`-th message of the bot there, waited for."""
        found = self.slack.wait_until(lambda: self.answers(channel, who, thread_ts)[count - 1 :])
        return found[0]

    def view(self, who: str) -> JSON:
        """The modal on top, waited for."""
        found: list[JSON] = self.slack.wait_until(lambda: self.slack.views(who)["views"])
        return found[-1]

    def close(self) -> None:
        self.desk.release()
        if isinstance(self.bot.transport, SocketMode):
            # slack_sdk's reader only looks up when bytes come, or every 3 s.
            client = self.bot.transport.client
            client.auto_reconnect_enabled = client.default_auto_reconnect_enabled = False
            self.slack.fault("disconnect", reason="none")
        self.bot.close()


BringUp = Callable[..., Team]


def settings_for(slack: RunningWorkspace, **changes: Any) -> SlackSettings:
    plain = SlackSettings(
        bot_token=lambda: slack.bot_token,
        app_token=lambda: slack.app_token,
        signing_secret=lambda: slack.signing_secret,
        app_id=slack.settings.app_id,
        groups=("S0APPROVERS",),
        base_url=slack.api,
    )
    return replace(plain, **changes)


@pytest.fixture
def bring_up() -> Iterator[BringUp]:
    """Start a workspace and the bot in it; both stop at the end of the test."""
    teams: list[Team] = []

    def begin(switches: JSON | None = None, bot: JSON | None = None, **changes: Any) -> Team:
        slack = start(replace(Settings(), switches=Switches(**(switches or {})), **changes))
        slack.__enter__()
        desk = FakeDesk()
        proven: Desk = desk
        workspace = connect(settings_for(slack, **(bot or {})))
        teams.append(Team(slack, workspace, SlackBot(workspace, proven), desk))
        teams[-1].bot.start()
        slack.wait_until(lambda: slack.workspace.socket_mode.connections or slack.workspace.http)
        return teams[-1]

    yield begin
    for team in teams:
        team.close()
        team.slack.stop()


@pytest.fixture
def team(bring_up: BringUp) -> Team:
    return bring_up()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    with start(Settings()) as slack:
        made = post_office(slack, tmp_path)
        yield made
        made.store.close()


@pytest.fixture
def slack() -> Iterator[RunningWorkspace]:
    with start(Settings()) as running:
        yield running
