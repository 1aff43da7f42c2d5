"""The ledger's heads that the bot itself has posted: who sets the bot's whole disk back cannot take those back."""

from __future__ import annotations

import json
import logging
from datetime import datetime

from bot.slack.api import Api, SlackFailure

log = logging.getLogger(__name__)

_NEWEST = 100
"""Messages looked at: the day's head and the cards of a channel where requests are decided are among them."""


def posted(api: Api, channel: str, me: str, since: datetime) -> str:
    """What the bot's own newest messages in a channel say, as text to look for heads in. Other people's do not count: a
    made-up head would void every approval.

    "" when the channel's history cannot be read, which is logged.
    """
    try:
        page = api.call("conversations.history", channel=channel, limit=_NEWEST, oldest=f"{since.timestamp():.6f}")
    except SlackFailure as failure:
        log.warning("whether the database is an older copy cannot be told from Slack: %s", failure)
        return ""
    mine = [message.get("blocks") or [] for message in page.get("messages") or () if message.get("user") == me]
    return json.dumps(mine)
