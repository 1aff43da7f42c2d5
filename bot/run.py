"""One request that is being executed, a step of it that is being done, and the ways in which that can end."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from bot.model import Request, Step
from bot.ports import PoolHands

T = TypeVar("T")
Pieces = Generator[float, None, T]
"""Work in pieces, so that one thread can do several at once: it yields how many seconds it waits before it goes on."""


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
    interrupted: str = "the bot was stopped or restarted before it had the answer of a call"
    """Why this run has no answer of a call that was begun before it."""
    done: set[int] = field(default_factory=set)
    """The numbers of the steps that are done; of those that undo, none."""
    results: dict[int, str] = field(default_factory=dict)
    """What the steps answered, by their numbers; without those whose answer was lost."""
    evidence: list[str] = field(default_factory=list)
    stage: tuple[int, ...] = ()
    """The numbers of the steps that are being done together now."""
    fractions: dict[int, float] = field(default_factory=dict)
    """How much of each step is done, 0 to 1, as far as it has been told."""
    looking: set[int] = field(default_factory=set)
    """The steps whose answer was lost and whose task is looked for: while there are any, nothing else is sent, or its
    task could be taken for theirs.
    """
    missed: list[int] = field(default_factory=list)
    """The steps that should have mended something and did not."""

    def see(self, evidence: str) -> None:
        """What was read back. It may have been told already, at the end of how a lost answer was found."""
        if not any(evidence in re.split("[:;] ", each) for each in self.evidence):
            self.evidence.append(evidence)

    def miss(self, number: int, failure: Failed) -> None:
        """A step that only mends did not succeed: it is told, and the rest goes on."""
        self.missed.append(number)
        told = f"not done: {self.request.plan.steps[number].title} – {failure.reason}"
        self.evidence.append(f"{told} → {failure.remedy}" if failure.remedy else told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One step of a run, and what does it. Steps are numbered from 0; so are all undo steps of a plan together."""

    run: Run
    hands: PoolHands
    number: int
    step: Step
    undo: bool = False
    """It takes back what was done. What undoes is not cancelled: half undone is worse than either."""
