"""Where something came from in Slack: read from a payload once, carried through forms, and turned into an Ask."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.model import Actor, Place

_TEXT_KEPT = 800
"""Characters of a command kept in a form."""
_METADATA = 3000
_MENTION = re.compile(r"\s*<@[UW][A-Z0-9]+(\|[^>]*)?>[\s,:]*")

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who did something where, and how an answer gets there."""

    actor: Actor
    place: Place
    key: str
    """Equal when the same payload is delivered twice."""
    response_url: str = ""
    public: bool = False
    """The question was asked in front of everybody there, and so the answer is given."""

    @property
    def user(self) -> str:
        return self.actor.id.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Errand:
    """What a modal is about: kept in its private metadata, so that a restart meanwhile loses nothing."""

    place: Place
    response_url: str = ""
    public: bool = False
    command: str = ""
    text: str = ""
    paper: str = ""

    @classmethod
    def of(cls, origin: Origin, *, command: str = "", text: str = "", paper: str = "") -> Errand:
        return cls(origin.place, origin.response_url, origin.public, command, text[:_TEXT_KEPT], paper)

    def metadata(self) -> str:
        """As JSON of at most 3,000 characters (Slack's limit): the text gives way, the rest is short."""
        made = json.dumps(dataclasses.asdict(self), ensure_ascii=False, separators=(",", ":"))
        if len(made) > _METADATA and self.text:
            return dataclasses.replace(self, text="").metadata()
        return made

    @classmethod
    def read(cls, metadata: str) -> Errand:
        """:raises ValueError: it is not ours."""
        try:
            fields = json.loads(metadata)
            return cls(**{**fields, "place": Place(**fields["place"])})
        except (TypeError, KeyError) as error:
            raise ValueError("the modal's metadata is not ours") from error

    def origin(self, payload: Payload) -> Origin:
        """Who sent the modal, from where it was opened."""
        key = str(payload.get("trigger_id") or f"{payload['view']['id']}:{payload['view'].get('hash')}")
        return Origin(
            actor=_actor(payload),
            place=self.place,
            key=f"slack:{key}",
            response_url=self.response_url,
            public=self.public,
        )


def slash(payload: Payload) -> Origin:
    return Origin(
        actor=Actor(kind="slack", id=f"{payload['team_id']}/{payload['user_id']}", name=payload.get("user_name") or ""),
        place=Place(kind="slack", team=payload["team_id"], channel=payload["channel_id"]),
        key=f"slack:{payload['trigger_id']}",
        response_url=payload.get("response_url") or "",
    )


def press(payload: Payload) -> Origin:
    """A button on a message. In a thread the answer goes to the thread."""
    container = payload.get("container") or {}
    channel = (payload.get("channel") or {}).get("id") or container.get("channel_id") or ""
    thread = container.get("thread_ts") or (payload.get("message") or {}).get("thread_ts") or ""
    action = payload["actions"][0]
    key = payload.get("trigger_id") or f"{container.get('message_ts')}:{action.get('action_ts')}"
    return Origin(
        actor=_actor(payload),
        place=Place(kind="slack", team=payload["team"]["id"], channel=channel, thread_ts=thread),
        key=f"slack:{key}",
        response_url=payload.get("response_url") or "",
    )


def event(payload: Payload) -> Origin:
    """A mention or a direct message. A mention is answered in its thread; a direct message where it is."""
    said = payload["event"]
    direct = said.get("channel_type") == "im"
    team = said.get("user_team") or said.get("team") or payload["team_id"]
    thread = said.get("thread_ts") or ("" if direct else said["ts"])
    return Origin(
        actor=Actor(kind="slack", id=f"{team}/{said['user']}", name=""),
        place=Place(kind="slack", team=payload["team_id"], channel=said["channel"], thread_ts=thread, private=direct),
        key=f"slack:{payload['event_id']}",
        public=True,
    )


def spoken_command(text: str) -> str:
    """The command in a message: without the mention of the bot in front."""
    return _MENTION.sub("", text, count=1) if _MENTION.match(text) else text


def team_of(payload: Payload) -> str:
    """The workspace a payload came to."""
    team = payload.get("team")
    if isinstance(team, Mapping):
        return str(team.get("id") or "")
    return str(payload.get("team_id") or "")


def _actor(payload: Payload) -> Actor:
    """Who interacted; in a shared channel the person's workspace may be another than the one it came to."""
    user = payload["user"]
    team = user.get("team_id") or payload["team"]["id"]
    return Actor(kind="slack", id=f"{team}/{user['id']}", name=user.get("name") or user.get("username") or "")
