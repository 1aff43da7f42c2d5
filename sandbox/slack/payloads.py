"""The payloads an app receives (Slack docs: interactivity/slash-commands, reference/interaction-payloads, events)."""

import secrets
import uuid
from typing import Any

from sandbox.slack.directory import Channel, Person
from sandbox.slack.messages import Message
from sandbox.slack.settings import Settings
from sandbox.slack.views import View

JSON = dict[str, Any]


def slash_command(
    settings: Settings, person: Person, channel: Channel, command: str, text: str, response_url: str, trigger_id: str
) -> JSON:
    """The flat form; `is_enterprise_install` is a string."""
    name = {"dm": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)
    return {
        "token": settings.verification_token,
        "team_id": settings.team_id,
        "team_domain": settings.team_domain,
        "channel_id": channel.id,
        "channel_name": name,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": settings.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def interaction(settings: Settings, kind: str, person: Person) -> JSON:
    """What all interactions have in common."""
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
        "api_app_id": settings.app_id,
        "token": settings.verification_token,
        "team": {"id": settings.team_id, "domain": settings.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def on_message(channel: Channel, message: Message, shown: JSON) -> JSON:
    """Where a block_actions or block_suggestion in a message comes from. An ephemeral brings no message."""
    ephemeral = message.only_for is not None
    name = {"dm": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.in_thread:
        container["thread_ts"] = message.thread_ts
    origin: JSON = {"container": container, "channel": {"id": channel.id, "name": name}}
    return origin if ephemeral else origin | {"message": shown}


def on_view(settings: Settings, view: View) -> JSON:
    return {"container": {"type": "view", "view_id": view.id}, "view": view.api(settings)}


def event(settings: Settings, inner: JSON, *, now: float, ext_shared: bool = False) -> JSON:
    """The wrapper of an event; `event_id` is what an app tells duplicates by."""
    return {
        "token": settings.verification_token,
        "team_id": settings.team_id,
        "context_team_id": settings.team_id,
        "context_enterprise_id": None,
        "api_app_id": settings.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": "Ev0" + secrets.token_hex(5).upper(),
        "event_time": int(now),
        "event_context": "4-" + secrets.token_urlsafe(24),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": settings.team_id,
                "user_id": settings.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": ext_shared,
    }


def new_id() -> str:
    """A client_msg_id."""
    return str(uuid.uuid4())
