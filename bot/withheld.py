"""What looks like a secret in a text, and its replacement."""

from __future__ import annotations

import re

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
