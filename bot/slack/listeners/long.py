"""Answers that take long: how far they are, in a message that is edited in place and becomes the answer.

Where the question was asked aloud. Slack lets nobody edit what only one person sees: there it is said once.
"""

from __future__ import annotations

import time

from bot.progress import Progress
from bot.slack.origin import Origin
from bot.slack.render.answer import sentence
from bot.slack.render.message import Message
from bot.slack.replies import Replies

PATIENCE = 3.0
"""Seconds without a word: most answers need none."""
PRIVATE_PATIENCE = 10.0
"""The same where only one person sees it: it stays there beside the answer, so it has to be worth a message."""
GAP = 2.0
"""Seconds between two edits."""


class LongAnswer:
    """One answer on its way. A :data:`bot.progress.Listener`; it is heard from one thread."""

    def __init__(self, replies: Replies, origin: Origin) -> None:
        self._replies = replies
        self._origin = origin
        self._due = time.monotonic() + (PATIENCE if origin.public else PRIVATE_PATIENCE)
        self._ts = ""
        self._said = False

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._due or progress.done >= progress.of:
            return
        self._due = now + GAP
        message = sentence(f"{progress} …")
        if self._ts:
            self._replies.edit(self._origin, self._ts, message)
        elif not self._said:
            self._said = True
            self._ts = self._replies.begin(self._origin, message)

    def become(self, message: Message) -> bool:
        """Let the message that showed the progress show the answer. False: there is none, or it cannot."""
        return bool(self._ts) and self._replies.edit(self._origin, self._ts, message)
