"""Messages that come without a token: a command's immediate reply, and posts to response URLs.

Source: Slack docs interactivity/handling ("Message responses"), interactivity/slash-commands.
"""

from typing import Any

from sandbox.slack.content import TEXT_LIMIT, Content, read_content
from sandbox.slack.errors import ApiError
from sandbox.slack.messages import Message
from sandbox.slack.shown import message_api
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
FIELDS = frozenset(
    {
        "text",
        "blocks",
        "attachments",
        "response_type",
        "replace_original",
        "delete_original",
        "thread_ts",
        "unfurl_links",
        "unfurl_media",
        "metadata",
        "mrkdwn",
        "parse",
        "link_names",
        "markdown_text",
    }
)


def command_reply(workspace: Workspace, typed: Message, person: str, payload: Any) -> None:
    """The body of a slash command's acknowledgement. Raises ApiError when Slack would not take it as a message.

    `{"response_type": "in_channel"}` alone only shows the typed command to everybody.
    """
    if not isinstance(payload, dict):
        raise ApiError("invalid_payload")
    everybody = _in_channel(payload)
    content = _content(workspace, payload)
    if content.empty and not everybody:
        raise ApiError("no_text")
    if everybody:
        typed.only_for = None
        workspace.touched(typed)
    if not content.empty:
        _post(workspace, typed.channel, content, None if everybody else person, None)


def use_response_url(workspace: Workspace, path: str, payload: Any) -> None:
    """One use of a response URL. Raises ApiError with the word Slack answers in its text body."""
    url = workspace.grants.use_response_url(path)
    if not isinstance(payload, dict):
        raise ApiError("invalid_payload")
    channel = workspace.directory.channels.get(url.channel)
    if channel is None:
        raise ApiError("channel_not_found")
    content = _content(workspace, payload)
    original = workspace.messages.find(url.channel, url.ts) if url.ts else None
    if _true(payload.get("delete_original")):
        if original:
            workspace.remove(original)
        if content.empty:
            return
        original = None
    if content.empty:
        raise ApiError("no_text")
    if original and _true(payload.get("replace_original")):
        _replace(workspace, original, content)
        return
    everybody = _in_channel(payload)
    thread_ts = str(payload.get("thread_ts") or "") or None
    if not everybody or _true(payload.get("replace_original")):
        thread_ts = None
    if thread_ts and workspace.messages.public(url.channel, thread_ts) is None:
        raise ApiError("thread_not_found")  # the name is inferred
    _post(workspace, url.channel, content, None if everybody else url.person, thread_ts)


def _post(workspace: Workspace, channel: str, content: Content, only_for: str | None, thread_ts: str | None) -> None:
    workspace.post(
        workspace.bot_message(
            channel,
            (content.text or "")[:TEXT_LIMIT],
            content.blocks,
            attachments=content.attachments or [],
            only_for=only_for,
            thread_ts=thread_ts,
        )
    )


def _replace(workspace: Workspace, original: Message, content: Content) -> None:
    """In place; who can see it does not change."""
    before = message_api(workspace.settings, workspace.messages, original)
    original.text = (content.text or "")[:TEXT_LIMIT]
    original.blocks = content.blocks or []
    original.attachments = content.attachments or []
    original.state.clear()
    original.troubles.clear()
    if original.only_for is None and not original.blocks:
        original.edited = {"user": original.user, "ts": workspace.messages.new_ts(workspace.clock.now())}
    workspace.edited(original, before)


def _content(workspace: Workspace, payload: JSON) -> Content:
    if set(payload) - FIELDS:
        raise ApiError("invalid_payload")
    return read_content(payload, workspace.directory, workspace.settings.switches, total_rule=False)


def _in_channel(payload: JSON) -> bool:
    kind = payload.get("response_type", "ephemeral")
    if kind not in ("ephemeral", "in_channel"):
        raise ApiError("invalid_payload")
    return bool(kind == "in_channel")


def _true(value: Any) -> bool:
    return value in (True, "true", 1)
