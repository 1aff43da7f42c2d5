"""files.*: the external upload that slack_sdk's files_upload_v2 does in three steps, and what has become of it."""

from typing import Any

from sandbox.slack import mrkdwn
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.files import File
from sandbox.slack.limits import Tier
from sandbox.slack.methods.registry import Call, method
from sandbox.slack.reading import read_json

JSON = dict[str, Any]
ALT_TEXT_LIMIT = 1000  # Slack docs: files.getUploadURLExternal, alt_txt_too_large
FILE_BYTES = 1 << 30  # Slack docs: "up to 1 GB"


@method("files.getUploadURLExternal", Tier.FOUR, "files:write")
def get_upload_url(call: Call) -> JSON:
    workspace = call.workspace
    name, length = call.need("filename"), call.number("length", 0)
    alt_txt = call.text("alt_txt") or ""
    if length < 1:
        raise ApiError("missing_argument")
    if length > FILE_BYTES:
        raise ApiError("file_upload_size_restricted")
    if len(alt_txt) > ALT_TEXT_LIMIT:
        raise ApiError("alt_txt_too_large")
    one = workspace.files.reserve(name, length, alt_txt, workspace.clock.now())
    return {"upload_url": f"{workspace.base}/upload/v1/{one.secret}", "file_id": one.id}


@method("files.completeUploadExternal", Tier.FOUR, "files:write")
def complete_upload(call: Call) -> JSON:
    """Make the uploads files, and show them in a channel when one is given (as one message)."""
    workspace = call.workspace
    listed = _listed(call)
    files = [_uploaded(call, one["id"]) for one in listed]
    channel = None
    if word := call.text("channel_id"):
        channel = call.channel(word)
        if not workspace.is_member(channel):
            raise ApiError("not_in_channel")
        if channel.is_archived:
            raise ApiError("posting_to_channel_denied")
    thread_ts = call.text("thread_ts")
    if channel and thread_ts and workspace.messages.public(channel.id, thread_ts) is None:
        raise ApiError("thread_not_found")
    for one, wish in zip(files, listed, strict=True):
        one.title = str(wish.get("title") or one.name)
        one.complete = True
        if channel:
            one.channels.append(channel.id)
    shown = [one.api(workspace.base, workspace.bot) for one in files]
    if channel:
        comment = mrkdwn.link(call.text("initial_comment") or "", workspace.directory, names=False, urls=True)
        more: JSON = {"files": shown, "thread_ts": thread_ts}
        workspace.post(workspace.bot_message(channel.id, comment, None, **more))
    return {"files": shown}


@method("files.info", Tier.FOUR, "files:read")
def info(call: Call) -> JSON:
    """A file that the app has uploaded; others do not exist here, nor do comments on files."""
    workspace = call.workspace
    one = workspace.files.find(call.need("file"))
    if one is None or not one.complete:
        raise ApiError("file_not_found")
    about = one.api(workspace.base, workspace.bot)
    return {"file": about, "comments": [], "response_metadata": {"next_cursor": ""}}


def _listed(call: Call) -> list[JSON]:
    value = call.args.get("files")
    if isinstance(value, str):
        try:
            value = read_json(value)
        except ValueError:
            raise ApiError("invalid_arguments") from None
    if not isinstance(value, list) or not value:
        raise invalid_arguments("missing required field: files")
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in value):
        raise invalid_arguments("must provide an object with an id [json-pointer:/files]")
    return value


def _uploaded(call: Call, file_id: str) -> File:
    """Raises file_not_found for what was never reserved, never sent, or is complete already."""
    one = call.workspace.files.find(file_id)
    if one is None or one.content is None or one.complete:
        raise ApiError("file_not_found")
    return one
