from __future__ import annotations

import pytest

from bot.slack.api import RateLimited, Refused, Unreachable
from bot.slack.prospects import LONGEST_BACK_OFF, Prospect, pause, prospect


@pytest.mark.parametrize(
    ("code", "attempts", "wanted"),
    [
        ("is_archived", 1, Prospect.NEVER),
        ("restricted_action_thread_only_channel", 1, Prospect.NEVER),
        ("token_revoked", 99, Prospect.RARELY),
        ("missing_scope", 1, Prospect.RARELY),
        ("invalid_blocks", 1, Prospect.LESS),
        ("msg_too_long", 99, Prospect.LESS),
        ("something_new", 1, Prospect.LATER),
        ("something_new", 11, Prospect.LATER),
        ("something_new", 12, Prospect.NEVER),
    ],
)
def test_what_becomes_of_what_slack_refused(code: str, attempts: int, wanted: Prospect) -> None:
    assert prospect(Refused("chat.postMessage", code), attempts) is wanted


def test_each_pause_is_longer_up_to_the_longest_unless_slack_names_one() -> None:
    pauses = [pause(Unreachable("no"), attempts) for attempts in range(30)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_BACK_OFF
    assert pause(RateLimited("chat.update", 17), 9) == 17
