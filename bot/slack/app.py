"""Builds Slack's side of the bot: the Bolt app, its listeners, the way Slack reaches it."""

from __future__ import annotations

import logging
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from slack_bolt import App
from slack_sdk.errors import SlackApiError

from bot.errors import Unavailable
from bot.slack.api import Api, RateLimited, Refused, SlackFailure, web_client
from bot.slack.desk import Desk
from bot.slack.gate import Gate
from bot.slack.http_mode import HttpMode
from bot.slack.listeners import commands, forms, votes
from bot.slack.listeners.office import Office
from bot.slack.manifest import consequence, scopes
from bot.slack.people import SlackPeople
from bot.slack.places import Places
from bot.slack.replies import Replies
from bot.slack.sdk_log import quiet_logger
from bot.slack.settings import SlackSettings
from bot.slack.transport import Acknowledged, SocketMode, Transport
from bot.slack.workers import Workers, after_ack

_log = logging.getLogger(__name__)

_REINSTALL = {
    "account_inactive": "The app was taken out of the workspace: install it anew, and take the new token.",
    "token_revoked": "The token was taken back: install the app anew, and take the new token.",
    "token_expired": "Turn token rotation off on the app's page, and take the new token.",
}
"""What to do about a bot token that was good once, by Slack's word."""
_OAUTH = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")


@dataclass(frozen=True)
class Workspace:
    """Slack, reached and looked at: who the bot is there, and what it knows of people. The engine needs it first."""

    settings: SlackSettings
    api: Api
    team: str
    bot_user: str
    people: SlackPeople
    places: Places
    missing: tuple[str, ...] = ()
    """Scopes that the app lacks."""


def connect(settings: SlackSettings) -> Workspace:
    """Check the tokens with Slack.

    :raises Unavailable: a token is missing or wrong, belongs to another workspace, or Slack cannot be reached.
    """
    settings.secret()
    if settings.mode == "socket":
        settings.socket_token()
    api = Api(web_client(settings.token(), settings.base_url, settings.call_seconds))
    try:
        me = api.call("auth.test")
    except Refused as refused:
        remedy = _REINSTALL.get(refused.code, "Take it anew from the app's page, under OAuth & Permissions.")
        raise Unavailable(f"Slack does not take the bot token ({refused.code}).", remedy=remedy) from refused
    except RateLimited as limited:
        remedy = f"Start again in {limited.seconds:g} s."
        raise Unavailable("Slack asks to wait.", remedy=remedy, evidence=(str(limited),)) from limited
    except SlackFailure as failure:
        where = urlsplit(settings.base_url).hostname
        remedy = f"Check this machine's way to {where}: network, DNS, firewall, and {_proxies()}."
        raise Unavailable(f"Slack cannot be reached at {where}.", remedy=remedy, evidence=(str(failure),)) from failure
    team = str(me["team_id"])
    if settings.team_id not in ("", team):
        raise Unavailable(
            f"The bot token is for the workspace {team}, the configuration says {settings.team_id}.",
            remedy="Take the token of the configured workspace, or correct the configuration.",
        )
    missing = _missing({name.lower(): value for name, value in dict(me.headers).items()}.get("x-oauth-scopes") or "")
    for scope in missing:
        _log.warning("the app lacks the scope %s: %s", scope, consequence(scope))
    people = SlackPeople(api, team, settings.groups, seconds=settings.people_seconds)
    return Workspace(settings, api, team, str(me["user_id"]), people, Places(api), missing)


class SlackBot:
    """The listeners at work. `start` begins to listen, `close` ends it and waits for what runs."""

    def __init__(self, workspace: Workspace, desk: Desk, acknowledged: Acknowledged = lambda _: None) -> None:
        settings = workspace.settings
        self._workers = Workers(settings.workers)
        self._replies = Replies(workspace.api, workspace.places, seconds=settings.call_seconds)

        def forged(why: str) -> None:
            after_ack(self._workers.quick, partial(desk.forged, why))

        self.app = _bolt(workspace, forged)
        office = Office(desk, workspace.api, self._replies, workspace.places, workspace.people, self._workers)
        commands.register(self.app, office, settings.command)
        forms.register(self.app, office)
        votes.register(self.app, office)
        self.transport: Transport = (
            SocketMode(self.app, settings.socket_token(), workspace.api.client, self._workers, acknowledged)
            if settings.mode == "socket"
            else HttpMode(self.app, settings.secret(), settings.http_address, settings.http_port, forged, acknowledged)
        )

    @property
    def http_port(self) -> int | None:
        """The port that Slack's deliveries are taken on; None in Socket Mode."""
        return self.transport.port if isinstance(self.transport, HttpMode) else None

    def connected(self) -> bool:
        """Whether Slack's deliveries can arrive now."""
        return self.transport.connected()

    def start(self) -> None:
        """:raises Unavailable: Slack refuses the connection."""
        try:
            self.transport.start()
        except Unavailable:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise Unavailable(
                "Slack does not let the bot listen.",
                remedy="Check the app-level token (scope connections:write) and that Socket Mode is on.",
                evidence=(_reason(error),),
            ) from error

    def close(self) -> None:
        self.transport.close()
        self._replies.close()
        self._workers.close()


def _bolt(workspace: Workspace, forged: Callable[[str], None]) -> App:
    """A Bolt app that answers in the receiving thread (listeners only note what to do), so that no pool of Bolt's own
    stands between a payload and its acknowledgement.
    """
    settings = workspace.settings
    with _without_oauth():
        return App(
            name="xenia",
            client=workspace.api.client,
            signing_secret=settings.secret(),
            request_verification_enabled=False,  # by bot.slack.http_mode, before anything is read
            token_verification_enabled=True,
            process_before_response=True,
            before_authorize=Gate(workspace.team, settings.pinned_app(), forged),
            logger=quiet_logger(),
        )


def _proxies() -> str:
    """The proxies that the environment names, without what they may hold of names and passwords."""
    named = {urlsplit(url).hostname or "one without a name" for url in urllib.request.getproxies().values()}
    return f"the proxy that the environment names ({', '.join(sorted(named))})" if named else "that it needs no proxy"


def _reason(error: Exception) -> str:
    """Slack's name of the error, or the system's; never what was sent."""
    if isinstance(error, SlackApiError):
        return f"Slack says {error.response.get('error')}"
    return f"{type(error).__name__}: {error}"


@contextmanager
def _without_oauth() -> Iterator[None]:
    """With these two in the environment Bolt drops the token and becomes an app for many workspaces."""
    kept = {name: os.environ.pop(name) for name in _OAUTH if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _missing(granted: str) -> tuple[str, ...]:
    """The scopes without which something will not work. An empty list is one that Slack did not send."""
    have = {each.strip() for each in granted.split(",") if each.strip()}
    return tuple(scope for scope in scopes() if have and scope not in have)
