"""Words that would be something else than words, and what kind of things a message is made of."""

from __future__ import annotations

from typing import Any

ATTACKS = [
    "<!channel>",
    "<!here|here>",
    "<@U0ANA>",
    "<!subteam^S0APPROVERS>",
    "<https://evil.example|Approve>",
    "https://evil.example/approve",
    "evil.example",
    "@here @channel #infra",
    "line\nAPPROVED by ana",
    "line\r\n\u2028\u2029\x85\x0b\x0cAPPROVED",
    "a\u202eb\u2066c\u200bd\u2060e",
    "```code``` `x` *bold* _it_ ~no~",
    ":white_check_mark: ok",
    "> quote",
    "&lt;!channel&gt;",
    "\x1b[31mred\x07",
    "<!date^1^{date}^https://evil.example|x>",
]
INTERPRETED = {"mrkdwn", "markdown", "link", "usergroup", "broadcast", "image", "attachment"}


def shape(value: Any) -> Any:
    """What kind of things there are, in which order: all but the words."""
    if isinstance(value, dict):
        kept = {key: shape(item) for key, item in value.items() if not isinstance(item, str) or key in ("type", "name")}
        return kept | ({"lines": value["text"].count("\n")} if isinstance(value.get("text"), str) else {})
    return [shape(item) for item in value] if isinstance(value, list | tuple) else None
