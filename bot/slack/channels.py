""":class:`bot.ports.Channels` by what Slack says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.errors import Choice, NotFound, Unavailable
from bot.grammar import near
from bot.slack.api import Api, SlackFailure
from bot.slack.places import Places
from bot.text import quoted

_ID = re.compile(r"<?#?([CG][A-Z0-9]{2,})(?:\|[^<>]*)?>?\Z")
_PAGE = 1000
_PAGES = 20


class SlackChannels:
    """:param pools: the pools that may be spoken of in a channel, by its id."""

    def __init__(self, api: Api, places: Places, pools: Callable[[str], tuple[str, ...]]) -> None:
        self._api = api
        self._places = places
        self._pools = pools

    def find(self, typed: str) -> str:
        """By its id, or its name among the public channels and the private ones that the bot is in."""
        named = _ID.match(typed.strip())
        if named:
            return named[1]
        name = typed.strip().removeprefix("#").casefold()
        seen: list[str] = []
        for channel in self._listed():
            if channel.get("name") == name:
                return str(channel["id"])
            if channel.get("is_member"):
                seen.append(str(channel.get("name")))
        slips = near(name, seen)
        raise NotFound(
            f"There is no channel {quoted('#' + name)} that I can see.",
            remedy="A private channel is seen once I am invited to it."
            + (" Did you mean one of these?" if slips else ""),
            # What to type instead is the caller's to say: it knows the command.
            choices=tuple(Choice(f"#{slip}", f"#{slip}") for slip in slips),
        )

    def cannot_post(self, channel: str) -> str:
        found = self._places.look(channel)
        if found.unknown:
            raise Unavailable(found.cannot_post, remedy="Try again shortly.")
        return "A direct message is nobody else's to read." if found.private else found.cannot_post

    def name(self, channel: str) -> str:
        found = self._places.look(channel).name
        return f"#{found}" if found else channel

    def pools(self, channel: str) -> tuple[str, ...]:
        return self._pools(channel)

    def _listed(self) -> Iterator[Mapping[str, Any]]:
        """:raises Unavailable: Slack does not tell, or there are too many."""
        where: dict[str, Any] = {"types": "public_channel,private_channel", "exclude_archived": True, "limit": _PAGE}
        for _ in range(_PAGES):
            try:
                page = self._api.call("conversations.list", **where)
            except SlackFailure as failure:
                raise Unavailable(
                    "Slack does not tell which channels there are.",
                    remedy="Try again shortly, or name the channel by its id (C…).",
                    evidence=(str(failure),),
                ) from failure
            yield from page.get("channels") or ()
            where["cursor"] = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not where["cursor"]:
                return
        raise Unavailable(
            f"The workspace has more than {_PAGE * _PAGES} channels.", remedy="Name the channel by its id (C…)."
        )
