"""What looks like a secret in a text, and its replacement."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

WITHHELD = "[withheld]"

_SECRET_TEXT = re.compile(
    r"OpaqueRef:(?!NULL\b)[\w:.-]+"  # XenAPI: objects and, alike, sessions
    r"|xox[a-z]-[\w-]+|xapp-[\w-]+"  # Slack tokens
    r"|https://hooks\.slack\.com/[^\s\"]+"  # response URLs and webhooks: who has one may post
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"  # user:password in a URL
)


def redacted_text(text: str) -> str:
    """The text without what looks like a reference, a token or a URL that is a secret."""
    return _SECRET_TEXT.sub(WITHHELD, text)


def without(texts: Iterable[str], secrets: Collection[str]) -> tuple[str, ...]:
    """The texts without these very secrets: what refuses a call may quote what it was sent."""
    return tuple(_without(text, secrets) for text in texts)


def _without(text: str, secrets: Collection[str]) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, WITHHELD)
    return text
