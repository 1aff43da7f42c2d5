"""How fast Slack wants to be spoken to (Slack docs: apis/rate-limits). Keeps below it; a 429 is then the exception."""

from __future__ import annotations

import threading
from collections.abc import Callable

POST_GAP = 1.0
"""Seconds between two messages in one channel."""
EDIT_GAP = 1.0
"""Seconds between two edits of one message."""
PROGRESS_GAP = 2.0
"""The same when only its progress changed."""
PROGRESS_SHARE = 40
"""Edits a minute for progress, of the 50 that chat.update (tier 3) gives: the others are for what has happened."""
_MINUTE = 60.0


class Pace:
    """When the next call may go. Asking takes the turn if it is there, so two threads never take the same."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._posted: dict[str, float] = {}
        self._edited: dict[str, float] = {}
        self._blocked: dict[str, float] = {}
        self._lock = threading.Lock()

    def post(self, channel: str) -> float:
        """Seconds to wait before a message to the channel; 0: go now."""
        return self._turn(self._posted, channel, "chat.postMessage", POST_GAP)

    def edit(self, message: str, *, progress: bool) -> float:
        """Seconds to wait before an edit. Messages whose progress is shown share what there is for it."""
        gap = EDIT_GAP
        if progress:
            with self._lock:
                busy = len({message, *_recent(self._edited, self._monotonic() - _MINUTE)})
            gap = max(PROGRESS_GAP, _MINUTE * busy / PROGRESS_SHARE)
        return self._turn(self._edited, message, "chat.update", gap)

    def block(self, method: str, target: str, seconds: float) -> None:
        """Slack said to wait: posts to that channel, or all edits."""
        key = f"{method} {target}" if method == "chat.postMessage" else method
        with self._lock:
            self._blocked[key] = max(self._blocked.get(key, 0.0), self._monotonic() + seconds)

    def _turn(self, last: dict[str, float], target: str, method: str, gap: float) -> float:
        with self._lock:
            now = self._monotonic()
            for old in [key for key, at in last.items() if at < now - _MINUTE]:
                del last[old]
            for over in [key for key, until in self._blocked.items() if until <= now]:
                del self._blocked[over]
            blocked = max(self._blocked.get(method, 0.0), self._blocked.get(f"{method} {target}", 0.0))
            wait = max(blocked - now, last[target] + gap - now if target in last else 0.0)
            if wait > 0:
                return wait
            last[target] = now
            return 0.0


def _recent(last: dict[str, float], since: float) -> list[str]:
    return [key for key, at in last.items() if at >= since]
