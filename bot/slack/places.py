"""What kind of place a conversation is: whether the bot may post there, and who would read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.slack.api import Api, Refused, SlackFailure

SECONDS = 60.0
SHARED = "This channel is shared with another organisation."
_FEW_SECONDS = 5.0
"""How long not having found out is believed."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`cannot_post` says in words why the bot cannot post, "" when it can."""

    cannot_post: str = ""
    private: bool = False
    """A direct message between one person and the bot."""
    name: str = ""
    """A channel's, without the `#`; "" where Slack does not tell, and for a direct message."""
    unknown: bool = False
    """It could not be found out now whether the bot can post."""


class Places:
    """conversations.info, remembered for a minute."""

    def __init__(self, api: Api, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Surroundings]] = {}
        self._lock = threading.Lock()

    def look(self, channel: str) -> Surroundings:
        """What cannot be found out counts as a place where the bot cannot post."""
        now = self._monotonic()
        with self._lock:
            kept = self._known.get(channel)
        if kept and now < kept[0]:
            return kept[1]
        seconds, found = self._ask(channel)
        with self._lock:
            self._known = {name: entry for name, entry in self._known.items() if entry[0] > now}
            self._known[channel] = (now + seconds, found)
        return found

    def is_shared(self, channel: str) -> bool:
        """Whether it is known that people of another organisation read it."""
        return self.look(channel).cannot_post == SHARED

    def forget(self, channel: str) -> None:
        """Something showed that what was known is out of date."""
        with self._lock:
            self._known.pop(channel, None)

    def _ask(self, channel: str) -> tuple[float, Surroundings]:
        try:
            facts = self._api.call("conversations.info", channel=channel).get("channel") or {}
        except Refused as refused:
            if refused.code == "channel_not_found":
                return SECONDS, Surroundings("I am not in this conversation and cannot see it.")
            if refused.code == "missing_scope":
                return SECONDS, Surroundings(
                    f"I may not look at this conversation: the app lacks one of the scopes {refused.needed}."
                )
            text = f"Slack does not tell me about this conversation ({refused.code})."
            return _FEW_SECONDS, Surroundings(text, unknown=True)
        except SlackFailure:
            text = "Slack does not answer, so I cannot tell whether I may post here."
            return _FEW_SECONDS, Surroundings(text, unknown=True)
        name = str(facts.get("name") or "")
        if facts.get("is_archived"):
            return SECONDS, Surroundings("This channel is archived.", name=name)
        if facts.get("is_im"):
            return SECONDS, Surroundings(private=True)
        if facts.get("is_ext_shared") or facts.get("is_pending_ext_shared"):
            return SECONDS, Surroundings(SHARED, name=name)
        if not facts.get("is_member") and not facts.get("is_mpim"):
            return SECONDS, Surroundings("I am not a member of this channel.", name=name)
        return SECONDS, Surroundings(name=name)
