"""A message as the API gives it and as the page gets it."""

from typing import Any

from sandbox.slack.messages import Message, Messages
from sandbox.slack.settings import Settings

JSON = dict[str, Any]


def message_api(settings: Settings, messages: Messages, message: Message, *, all_metadata: bool = True) -> JSON:
    """The message object (slack_sdk response samples); thread facts are counted when asked, so never stale."""
    answer: JSON = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": message.team,
    }
    if message.subtype:
        answer["subtype"] = message.subtype
    if message.by_app:
        answer |= {"bot_id": settings.bot_id, "app_id": settings.app_id, "bot_profile": bot_profile(settings)}
        if message.username:
            answer["username"] = message.username
    for key in ("blocks", "attachments", "files", "edited"):
        if value := getattr(message, key):
            answer[key] = value
    answer |= _thread(messages, message)
    if message.metadata:
        answer["metadata"] = message.metadata if all_metadata else {"event_type": message.metadata["event_type"]}
    if message.reactions:
        answer["reactions"] = reactions(message)
    if message.pinned:
        answer["pinned_to"] = [message.channel]
    return answer


def message_page(messages: Messages, message: Message, viewer: str | None) -> JSON:
    """The page's shape: what this viewer sees, Slack's own remarks included."""
    answer: JSON = {"ts": message.ts, "user": message.user, "text": message.text, "blocks": message.blocks}
    answer |= _thread(messages, message)
    for key in ("attachments", "command", "edited", "username", "subtype"):
        if value := getattr(message, key):
            answer[key] = value
    if message.files:
        answer["files"] = [{**one, "url": f"/sandbox/files/{one['id']}"} for one in message.files]
    if message.reactions:
        answer["reactions"] = reactions(message)
    if message.only_for:
        answer["ephemeral"] = True
    if message.pinned:
        answer["pinned"] = True
    if viewer and viewer in message.troubles:
        answer["error"] = message.troubles[viewer]
    if viewer and viewer in message.state:
        answer["state"] = {"values": message.state[viewer]}
    return answer


def reactions(message: Message) -> list[JSON]:
    return [{"name": name, "users": list(who), "count": len(who)} for name, who in message.reactions.items()]


def bot_profile(settings: Settings) -> JSON:
    return {
        "id": settings.bot_id,
        "app_id": settings.app_id,
        "name": settings.bot_real_name,
        "deleted": False,
        "team_id": settings.team_id,
    }


def _thread(messages: Messages, message: Message) -> JSON:
    if message.in_thread:
        return {"thread_ts": message.thread_ts}
    replies = messages.replies(message.channel, message.ts)
    if not replies:
        return {}
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": list(dict.fromkeys(one.user for one in replies)),
        "latest_reply": replies[-1].ts,
    }
