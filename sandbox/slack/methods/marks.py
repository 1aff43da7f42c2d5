"""reactions.* and pins.add."""

import re
from typing import Any

from sandbox.slack.errors import ApiError
from sandbox.slack.limits import Tier
from sandbox.slack.messages import Message
from sandbox.slack.methods.registry import Call, method
from sandbox.slack.shown import message_api

JSON = dict[str, Any]
EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")
KINDS_OF_REACTION = 23  # Slack docs: reactions.add, too_many_reactions; the figure from its help pages
PINS = 100  # Slack docs: pins.add, too_many_pins


@method("reactions.add", Tier.THREE, "reactions:write")
def add(call: Call) -> JSON:
    message, name = _marked(call), _name(call)
    who = message.reactions.get(name, [])
    if call.workspace.bot in who:
        raise ApiError("already_reacted")
    if name not in message.reactions and len(message.reactions) >= KINDS_OF_REACTION:
        raise ApiError("too_many_reactions")
    message.reactions[name] = [*who, call.workspace.bot]
    call.workspace.touched(message)
    return {}


@method("reactions.remove", Tier.TWO, "reactions:write")
def remove(call: Call) -> JSON:
    message, name = _marked(call), _name(call)
    who = message.reactions.get(name, [])
    if call.workspace.bot not in who:
        raise ApiError("no_reaction")
    who.remove(call.workspace.bot)
    if not who:
        del message.reactions[name]
    call.workspace.touched(message)
    return {}


@method("reactions.get", Tier.THREE, "reactions:read")
def get(call: Call) -> JSON:
    message = _marked(call)
    shown = message_api(call.workspace.settings, call.workspace.messages, message)
    return {"type": "message", "channel": message.channel, "message": shown}


@method("pins.add", Tier.TWO, "pins:write")
def pin(call: Call) -> JSON:
    channel = call.channel(call.need("channel"))
    if not call.workspace.is_member(channel):
        raise ApiError("not_in_channel")
    message = _marked(call)
    if message.pinned:
        raise ApiError("already_pinned")
    if sum(one.pinned for one in call.workspace.messages.of(channel.id)) >= PINS:
        raise ApiError("too_many_pins")
    message.pinned = True
    call.workspace.touched(message)
    return {}


def _marked(call: Call) -> Message:
    """The message meant. A channel without the bot is not found."""
    word, ts = call.text("channel"), call.text("timestamp")
    if not word or not ts:
        raise ApiError("no_item_specified")
    channel = call.channel(word)
    if not call.workspace.is_member(channel):
        raise ApiError("channel_not_found")
    if not re.fullmatch(r"\d+\.\d{6}", ts):
        raise ApiError("bad_timestamp")
    message = call.workspace.messages.public(channel.id, ts)
    if message is None:
        raise ApiError("message_not_found")
    return message


def _name(call: Call) -> str:
    name = (call.text("name") or "").strip(":")
    if not EMOJI.fullmatch(name):
        raise ApiError("invalid_name")
    return name
