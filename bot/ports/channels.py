"""Conversations that the bot can tell things in by itself."""

from __future__ import annotations

from typing import Protocol


class Channels(Protocol):
    """Every method may raise Unavailable: Slack does not tell."""

    def find(self, typed: str) -> str:
        """The id of the channel that somebody means (`#ops`, `ops`, or its id).

        :raises NotFound: there is none that the bot can see.
        """

    def cannot_post(self, channel: str) -> str:
        """Why the bot cannot post there, or must not, in words; "" when it can."""

    def name(self, channel: str) -> str:
        """What to call it: `#ops`, or its id where Slack does not tell. Never used to decide."""

    def pools(self, channel: str) -> tuple[str, ...]:
        """The pools that may be spoken of there, by the configuration's names."""
