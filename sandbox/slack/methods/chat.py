"""chat.*: posting, changing and deleting messages, ephemerals, permalinks, scheduled messages."""

import asyncio
import secrets
from typing import Any

from sandbox.slack.content import TEXT_LIMIT, UPDATE_TEXT_LIMIT, Content, read_content, read_metadata
from sandbox.slack.directory import Channel
from sandbox.slack.errors import ApiError
from sandbox.slack.limits import Tier
from sandbox.slack.messages import Message
from sandbox.slack.methods.registry import Call, method
from sandbox.slack.shown import message_api

JSON = dict[str, Any]
DAY = 86_400
SCHEDULED_PER_WINDOW = 30  # Slack docs: chat.scheduleMessage, "more than 30 messages … within a 5-minute window"
WINDOW = 300


@method("chat.postMessage", Tier.SPECIAL, "chat:write")
def post_message(call: Call) -> JSON:
    """Post as the bot. A person's id stands for their DM; text above 40,000 characters is cut without a word."""
    channel = _channel_to_post_in(call)
    content = _content(call)
    thread_ts = _thread_to_post_in(call, channel)
    metadata = read_metadata(call.args.get("metadata"))
    if call.text("username") or call.text("icon_emoji") or call.text("icon_url"):
        call.need_scope("chat:write.customize")
    call.workspace.rates.post(channel.id)
    message = _post(call, channel, content, thread_ts, metadata)
    return {"channel": channel.id, "ts": message.ts, "message": _shown(call, message)}


@method("chat.update", Tier.THREE, "chat:write")
def update(call: Call) -> JSON:
    """Change the app's own message. Text alone removes the blocks; metadata stays unless given."""
    channel, message = _own_message(call, "cant_update_message")
    if channel.is_archived:
        raise ApiError("is_inactive")
    before = _shown(call, message)
    content = read_content(call.args, call.workspace.directory, call.workspace.settings.switches)
    if len(content.text or "") > UPDATE_TEXT_LIMIT:
        raise ApiError("msg_too_long")
    if content.blocks is None and content.attachments is None and not content.text:
        if "metadata" not in call.args:
            raise ApiError("no_text")
    else:
        _replace(message, content)
        if content.blocks is None:  # "(edited)" is not shown on messages with blocks
            message.edited = {"user": message.user, "ts": call.workspace.messages.new_ts(call.workspace.clock.now())}
    if "metadata" in call.args:
        message.metadata = read_metadata(call.args["metadata"])
    call.workspace.edited(message, before)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": _shown(call, message)}


@method("chat.delete", Tier.THREE, "chat:write")
def delete(call: Call) -> JSON:
    channel, message = _own_message(call, "cant_delete_message")
    call.workspace.remove(message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.postEphemeral", Tier.FOUR, "chat:write")
def post_ephemeral(call: Call) -> JSON:
    """To one person in the channel; the answer's message_ts is good for nothing else."""
    workspace = call.workspace
    channel = _channel_to_post_in(call)
    person = workspace.directory.people.get(call.need("user"))
    if person is None or person.deleted or person.id not in channel.members:
        raise ApiError("user_not_in_channel")
    content = _content(call)
    if len(content.text or "") > TEXT_LIMIT:
        raise ApiError("msg_too_long")
    message = _post(call, channel, content, _thread_to_post_in(call, channel), None, only_for=person.id)
    return {"message_ts": message.ts}


@method("chat.getPermalink", Tier.SPECIAL)
def get_permalink(call: Call) -> JSON:
    channel = call.channel(call.need("channel"))
    message = call.workspace.messages.public(channel.id, call.need("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    link = (
        f"https://{call.workspace.settings.team_domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    )
    if message.in_thread:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


@method("chat.scheduleMessage", Tier.THREE, "chat:write")
def schedule_message(call: Call) -> JSON:
    """Post later, at `post_at` in epoch seconds, at most 120 days ahead."""
    workspace = call.workspace
    channel = _channel_to_post_in(call)
    try:
        post_at = int(call.need("post_at"))
    except ValueError:
        raise ApiError("invalid_time") from None
    ahead = post_at - workspace.clock.now()
    if ahead <= 0:
        raise ApiError("time_in_past")
    if ahead > workspace.settings.switches.scheduled_days * DAY:
        raise ApiError("time_too_far")
    content = _content(call)
    if len(content.text or "") > TEXT_LIMIT:
        raise ApiError("msg_too_long")
    thread_ts = _thread_to_post_in(call, channel)
    metadata = read_metadata(call.args.get("metadata"))
    near = [at for where, at in workspace.scheduled.values() if where == channel.id and abs(at - post_at) < WINDOW]
    if len(near) >= SCHEDULED_PER_WINDOW:
        raise ApiError("restricted_too_many")
    name = "Q0" + secrets.token_hex(5).upper()
    workspace.scheduled[name] = (channel.id, post_at)

    async def later() -> None:
        await workspace.clock.sleep(ahead)
        del workspace.scheduled[name]
        _post(call, channel, content, thread_ts, metadata)

    workspace.keep(asyncio.ensure_future(later()))
    draft = {"text": content.text or "", "type": "delayed_message", "bot_id": workspace.settings.bot_id}
    return {"channel": channel.id, "scheduled_message_id": name, "post_at": post_at, "message": draft}


def _channel_to_post_in(call: Call) -> Channel:
    """Raises: channel_not_found, not_in_channel, is_archived, messages_tab_disabled."""
    workspace, word = call.workspace, call.need("channel")
    directory = workspace.directory
    channel = directory.find_channel(word) or (directory.dm_of(word) if word in directory.people else None)
    member = channel is not None and workspace.is_member(channel)
    if channel is None or (channel.is_private and not member):
        raise ApiError("channel_not_found")
    if channel.is_archived:
        raise ApiError("is_archived")
    if not member and (call.method == "chat.postEphemeral" or "chat:write.public" not in workspace.settings.scopes):
        raise ApiError("not_in_channel")
    if channel.kind == "dm" and not workspace.settings.switches.messages_tab:
        raise ApiError("messages_tab_disabled")
    return channel


def _thread_to_post_in(call: Call, channel: Channel) -> str | None:
    """Raises: thread_not_found (name inferred), cannot_reply_to_message for a reply's own ts."""
    thread_ts = call.text("thread_ts")
    if thread_ts is None:
        return None
    parent = call.workspace.messages.public(channel.id, thread_ts)
    if parent is None:
        raise ApiError("thread_not_found")
    if parent.in_thread:
        raise ApiError("cannot_reply_to_message")
    return thread_ts


def _content(call: Call) -> Content:
    content = read_content(call.args, call.workspace.directory, call.workspace.settings.switches)
    if content.empty:
        raise ApiError("no_text")
    return content


def _post(
    call: Call, channel: Channel, content: Content, thread_ts: str | None, metadata: JSON | None, **more: Any
) -> Message:
    text = (content.text or "")[:TEXT_LIMIT]
    return call.workspace.post(
        call.workspace.bot_message(
            channel.id,
            text,
            content.blocks,
            attachments=content.attachments or [],
            thread_ts=thread_ts,
            broadcast=call.flag("reply_broadcast"),
            metadata=metadata,
            username=call.text("username"),
            **more,
        )
    )


def _replace(message: Message, content: Content) -> None:
    """Slack docs: chat.update. What is given replaces; text alone also takes blocks and attachments away."""
    if content.text is not None:
        message.text = content.text
    if content.blocks is not None or content.text is not None:
        message.blocks = content.blocks or []
    if content.attachments is not None or content.text is not None:
        message.attachments = content.attachments or []
    message.state.clear()


def _own_message(call: Call, not_yours: str) -> tuple[Channel, Message]:
    """A message of the app's in a conversation named by its id; ephemerals are not to be found."""
    channel = call.channel(call.need("channel"))
    message = call.workspace.messages.public(channel.id, call.need("ts"))
    if message is None:
        raise ApiError("message_not_found")
    if not message.by_app:
        raise ApiError(not_yours)
    return channel, message


def _shown(call: Call, message: Message) -> JSON:
    return message_api(call.workspace.settings, call.workspace.messages, message)
