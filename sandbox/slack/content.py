"""What a message is made of, checked and completed: the one gate for chat.*, response URLs and command replies."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.slack import mrkdwn
from sandbox.slack.blockkit import check_blocks, complete_blocks
from sandbox.slack.directory import Directory
from sandbox.slack.errors import ApiError
from sandbox.slack.reading import read_json
from sandbox.slack.settings import Switches

JSON = dict[str, Any]

TEXT_LIMIT = 40_000  # Slack docs: chat.postMessage, "truncated … more than 40,000 characters"
UPDATE_TEXT_LIMIT = 4_000  # Slack docs: chat.update, msg_too_long
MARKDOWN_TEXT_LIMIT = 12_000  # Slack docs: chat.postMessage, markdown_text
ATTACHMENT_LIMIT = 100  # Slack docs: chat.postMessage, too_many_attachments
METADATA_BYTES = 16_000  # Slack docs: message metadata; the figure is inferred


@dataclass(frozen=True)
class Content:
    """`None` where the caller gave nothing (an update then keeps what was there)."""

    text: str | None
    blocks: list[JSON] | None
    attachments: list[JSON] | None

    @property
    def empty(self) -> bool:
        return not self.text and not self.blocks and not self.attachments


def read_content(args: JSON, directory: Directory, switches: Switches, *, total_rule: bool = True) -> Content:
    """Text, blocks and attachments of a call. Raises ApiError with chat.postMessage's names.

    `total_rule`: whether the sum of characters in blocks is bounded (chat.*; not response URLs).
    """
    text, markdown = args.get("text"), args.get("markdown_text")
    if markdown is not None:
        if text or args.get("blocks"):
            raise ApiError("markdown_text_conflict")
        if len(str(markdown)) > MARKDOWN_TEXT_LIMIT:
            raise ApiError("msg_too_long")
        text = markdown
    blocks = _array(args.get("blocks"), "invalid_blocks_format")
    attachments = _array(args.get("attachments"), "invalid_attachments")
    off = switches.block_rules_off
    if blocks is not None:
        check_blocks(blocks, "message", off=off, total_rule=total_rule)
        blocks = complete_blocks(blocks, _linker(directory, switches))
    if attachments is not None:
        if len(attachments) > ATTACHMENT_LIMIT:
            raise ApiError("too_many_attachments")
        attachments = [_attachment(one, number, directory, switches) for number, one in enumerate(attachments)]
    if text is not None:
        parse = str(args.get("parse") or "")
        names = parse == "full" or args.get("link_names") in (True, 1, "1", "true")
        text = mrkdwn.link(mrkdwn.stray_brackets(str(text)), directory, names=names, urls=parse != "none")
    return Content(text, blocks, attachments)


def read_metadata(value: Any) -> JSON | None:
    """Message metadata: an event type and a flat payload; `{}` is None (removes it on an update)."""
    if isinstance(value, str):
        try:
            value = read_json(value)
        except ValueError:
            raise ApiError("invalid_metadata_format") from None
    if not value:
        return None
    if not isinstance(value, dict) or set(value) - {"event_type", "event_payload", "entities"}:
        raise ApiError("invalid_metadata_format")
    name, payload = value.get("event_type"), value.get("event_payload")
    if not isinstance(name, str) or not name or not isinstance(payload, dict):
        raise ApiError("invalid_metadata_format")
    if any(isinstance(one, dict | list) or one is None for one in payload.values()):
        raise ApiError("invalid_metadata_schema")
    if len(json.dumps(value)) > METADATA_BYTES:
        raise ApiError("metadata_too_large")
    return value


def _array(value: Any, error: str) -> list[Any] | None:
    """An array as such or as JSON text (slack_sdk sends either)."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = read_json(value)
        except ValueError:
            raise ApiError(error) from None
    if not isinstance(value, list):
        raise ApiError(error)
    return value


def _attachment(one: Any, number: int, directory: Directory, switches: Switches) -> JSON:
    if not isinstance(one, dict):
        raise ApiError("invalid_attachments")
    done = {"id": number + 1, "fallback": "[no preview available]", **one}
    if "blocks" in one:
        blocks = _array(one["blocks"], "invalid_attachments") or []
        check_blocks(blocks, "message", off=switches.block_rules_off, pointer=f"/attachments/{number}/blocks")
        done["blocks"] = complete_blocks(blocks, _linker(directory, switches))
    return done


def _linker(directory: Directory, switches: Switches) -> Any:
    """How Slack parses mrkdwn with verbatim:false (Slack docs: text object, `verbatim`)."""
    return lambda text: mrkdwn.link(text, directory, names=switches.names_in_mrkdwn, urls=True)
