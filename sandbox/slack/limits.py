"""Rate limits of the Web API, counted on the workspace's clock.

Source: Slack docs apis/rate-limits: tiers per method, workspace and app, per minute; one message per second and
channel, with short bursts tolerated. Slack promises at least the tier's figure; this workspace gives exactly that.
"""

import math
from collections import deque
from enum import IntEnum

from sandbox.slack.clock import Clock
from sandbox.slack.errors import RateLimited

WINDOW_SECONDS = 60.0


class Tier(IntEnum):
    """Calls per minute. SPECIAL methods have their own rule; the figure is what auth.test's page says (hundreds)."""

    ONE = 1
    TWO = 20
    THREE = 50
    FOUR = 100
    SPECIAL = 600


class RateLimits:
    def __init__(self, clock: Clock, *, enabled: bool, burst: int) -> None:
        self.enabled = enabled
        self._clock = clock
        self._burst = burst
        self._calls: dict[str, deque[float]] = {}
        self._posts: dict[str, tuple[float, float]] = {}  # channel → (messages it still takes, when that was counted)

    def call(self, method: str, tier: Tier) -> None:
        """Count a call. Raises RateLimited when the minute's share is used up."""
        if not self.enabled:
            return
        now = self._clock.now()
        recent = self._calls.setdefault(method, deque())
        while recent and now - recent[0] >= WINDOW_SECONDS:
            recent.popleft()
        if len(recent) >= tier:
            raise RateLimited(max(1, math.ceil(WINDOW_SECONDS - (now - recent[0]))))
        recent.append(now)

    def post(self, channel_id: str) -> None:
        """Count a message to a channel: one per second, a burst saved up. Raises RateLimited."""
        if not self.enabled:
            return
        now = self._clock.now()
        left, counted = self._posts.get(channel_id, (float(self._burst), now))
        left = min(float(self._burst), left + (now - counted))
        if left < 1:
            raise RateLimited(max(1, math.ceil(1 - left)))
        self._posts[channel_id] = (left - 1, now)
