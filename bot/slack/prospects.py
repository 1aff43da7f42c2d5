"""What a refusal of Slack means for a message that was to be delivered: later, rarely, less of it, or never."""

from __future__ import annotations

from enum import Enum, auto

from bot.slack.api import RateLimited, Refused, SlackFailure

LONGEST_BACK_OFF = 300.0
"""Seconds."""
_MOST_ATTEMPTS = 12

_HOPELESS = frozenset(
    {
        "posting_to_channel_denied",
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "cannot_reply_to_message",
        "messages_tab_disabled",
        "user_disabled",
    }
)
"""Slack will never take it: the conversation or the message is gone, or the bot may not be there."""
_CURABLE = frozenset(
    {
        "missing_scope",
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "access_denied",
        "team_access_not_granted",
        "ekm_access_denied",
    }
)
"""Somebody can put it right at Slack: tried for ever, rarely."""
_UNSHOWABLE = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_arguments"}
)


class Prospect(Enum):
    LATER = auto()
    RARELY = auto()
    """Somebody has to put something right first."""
    LESS = auto()
    """Slack would not take the whole message."""
    NEVER = auto()


def prospect(refused: Refused, attempts: int) -> Prospect:
    """:param attempts: how often it was tried before this time."""
    if refused.code in _UNSHOWABLE:
        return Prospect.LESS
    if refused.code in _CURABLE:
        return Prospect.RARELY
    worn_out = attempts >= _MOST_ATTEMPTS
    if refused.code in _HOPELESS or refused.code.startswith("restricted_action") or worn_out:
        return Prospect.NEVER
    return Prospect.LATER


def pause(failure: SlackFailure, attempts: int) -> float:
    """Seconds until the next try: what Slack says, or longer each time. `attempts` as for :func:`prospect`."""
    if isinstance(failure, RateLimited):
        return failure.seconds
    return float(min(2 ** min(attempts, 10), LONGEST_BACK_OFF))
