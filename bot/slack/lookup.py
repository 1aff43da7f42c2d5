"""Finding a message again whose post was not answered: by the delivery's id in its metadata, in the conversation's
history (Slack docs: messaging/metadata, conversations.history).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.ports import Delivery
from bot.slack.api import Api, Refused

EVENT_TYPE = "xenia"
_PAGE = 200
_PAGES = 5
_CLOCKS = timedelta(hours=1)
"""How far the bot's clock may be ahead of Slack's."""


class CannotLook(Exception):
    """The conversation's history cannot be read, or is too long to be sure. The text says why."""


def metadata(delivery: Delivery) -> dict[str, Any]:
    """What is posted with a message, so that it can be found again."""
    return {"event_type": EVENT_TYPE, "event_payload": {"delivery": delivery.id}}


def find(api: Api, delivery: Delivery, since: datetime) -> str:
    """The `ts` of the message, posted `since` then, that carries the delivery's id; "" when it is not there.

    :raises CannotLook: it cannot be told.
    :raises RateLimited, Unreachable, InDoubt: it cannot be told now.
    """
    where: dict[str, Any] = {"channel": delivery.place.channel, "limit": _PAGE, "include_all_metadata": True}
    thread = delivery.place.thread_ts or delivery.thread_ts
    if thread:
        method = "conversations.replies"
        where["ts"] = thread
    else:
        method = "conversations.history"
        where["oldest"] = f"{(since - _CLOCKS).timestamp():.6f}"
    for _ in range(_PAGES):
        try:
            page = api.call(method, **where)
        except Refused as refused:
            raise CannotLook(_why(refused)) from refused
        for message in page.get("messages") or ():
            told = message.get("metadata") or {}
            if told.get("event_type") == EVENT_TYPE and told.get("event_payload", {}).get("delivery") == delivery.id:
                return str(message["ts"])
        where["cursor"] = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not where["cursor"]:
            return ""
    raise CannotLook(f"it is not among the newest {_PAGE * _PAGES} messages, and there are more")


def _why(refused: Refused) -> str:
    if refused.code == "missing_scope":
        return f"the app lacks the scope {refused.needed or 'to read the history there'}"
    return f"Slack says {refused.code}"
