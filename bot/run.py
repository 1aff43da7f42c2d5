"""One request that is being executed, and the ways in which a step of it can end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from bot.model import Request


class Failed(Exception):
    """The step did not happen, for sure."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class Cancelled(Failed):
    """The step's task was cancelled, by us or from outside; or it was not begun, or not waited for, any more."""


class Unsure(Exception):
    """Nobody can tell what became of the step."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LeaseLost(Exception):
    """Another process has taken this request over; leave everything to it."""


@dataclass
class Run:
    """One request being executed by this process: what it has done so far, and whether somebody wants it cancelled."""

    request: Request
    cancel: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)
    """Set when the lease could not be renewed."""
    owner: str | None = None
    """Whose lease it runs under, once it has one."""
    results: dict[int, str] = field(default_factory=dict)
    """What the steps answered, by their numbers; without those whose answer was lost."""
    evidence: list[str] = field(default_factory=list)
