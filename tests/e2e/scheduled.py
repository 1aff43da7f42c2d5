"""Time that is put forward by hand, and what a channel is told when it comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.clock import SystemClock
from tests.e2e.conftest import Town, text_of


class Ahead(SystemClock):
    """The machine's clock, put forward by hand."""

    by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.by

    def turn_to(self, at: datetime) -> None:
        self.by = at - super().now()


def told(place: Town, word: str, channel: str = "#infra") -> list[dict[str, Any]]:
    """The messages in a channel that begin with this."""
    found = place.workspace.messages(channel, "olga")
    return [each for each in found if not each.get("ephemeral") and text_of(each).startswith(word)]


def time_comes(place: Town, clock: Ahead) -> None:
    """The one schedule is due."""
    assert place.bot is not None
    (schedule,) = place.bot.store.schedules.schedules()
    clock.turn_to(schedule.due_at)
