"""Who acts, and where something was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. `id` is unique within `kind`: `TEAM/USER` of Slack, a login of the terminal, a schedule's id. Names are
    never used to decide.
    """

    kind: Literal["slack", "terminal", "schedule", "bot"]
    id: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.id}"


BOT = Actor(kind="bot", id="xenia", name="Xenia")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was said, and so where its answer belongs. A terminal has neither channel nor thread."""

    kind: Literal["slack", "terminal"]
    team: str = ""
    channel: str = ""
    thread_ts: str = ""
    private: bool = False
    """A direct message between the person and the bot."""
