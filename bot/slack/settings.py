"""What Slack's side of the bot is told by the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.errors import Unavailable

_APP_TOKEN = re.compile(r"xapp-\d+-(A[0-9A-Z]+)-")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """Secrets are functions: they are asked for when needed and kept nowhere else. Times are seconds."""

    bot_token: Callable[[], str]
    app_token: Callable[[], str] | None = None
    """For Socket Mode."""
    signing_secret: Callable[[], str] | None = None
    """For HTTP mode."""
    mode: Literal["socket", "http"] = "socket"
    command: str = "/xen"
    team_id: str = ""
    """The workspace that may use the bot; "" is the bot token's own."""
    app_id: str = ""
    """The app that payloads must be for; "" takes it from the app-level token, which names it."""
    groups: tuple[str, ...] = ()
    """Ids of the user groups and channels that the policy mentions."""
    base_url: str = "https://slack.com/api/"
    http_address: str = "127.0.0.1"
    http_port: int = 3000
    """A proxy in front of it speaks TLS; Slack posts to `/slack/events`."""
    workers: int = 24
    call_seconds: int = 15
    people_seconds: float = 120.0
    """How long what Slack said of a person is believed."""

    def token(self) -> str:
        """:raises Unavailable: it is no bot token."""
        return _token("bot token", self.bot_token(), "xoxb-")

    def socket_token(self) -> str:
        """:raises Unavailable: Socket Mode has no app-level token."""
        return _token("app-level token", self.app_token() if self.app_token else "", "xapp-")

    def secret(self) -> str:
        """:raises Unavailable: HTTP mode has no signing secret; without one anybody could send commands."""
        secret = self.signing_secret() if self.signing_secret else ""
        if self.mode == "http" and not secret:
            raise Unavailable(
                "HTTP mode needs Slack's signing secret.",
                remedy="It is on the app's page under Basic Information; or use Socket Mode.",
            )
        return secret

    def pinned_app(self) -> str:
        """The app id that payloads must carry, "" when it is not known."""
        if self.app_id or self.mode == "http":
            return self.app_id
        found = _APP_TOKEN.match(self.socket_token())
        return found[1] if found else ""


def _token(what: str, token: str, prefix: str) -> str:
    if token.startswith(prefix) and token.isascii() and token.isprintable() and " " not in token:
        return token
    why = "is missing" if not token else f"does not begin with {prefix}, or holds characters that no token has"
    raise Unavailable(f"Slack's {what} {why}.", remedy="The app's page at Slack shows its tokens.")
