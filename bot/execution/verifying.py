"""Reading back what should be true after a step: a task's success is believed only when the pool's state shows it."""

from __future__ import annotations

from bot.errors import UserError
from bot.ports import Clock
from bot.run import Doing, Pieces, Unsure

VERIFY_SECONDS = 10.0
"""How long an expectation may take to show after a task's success (events reach the database a little later)."""
AGAIN_SECONDS = 0.3


def verify(doing: Doing, clock: Clock) -> Pieces[None]:
    """Time in which the pool is away, within the step's limit for that, does not count.

    :raises Unsure: it does not show.
    """
    run, step = doing.run, doing.step
    deadline = clock.monotonic() + VERIFY_SECONDS
    away_until = deadline + step.away_seconds - VERIFY_SECONDS
    for expect in step.expect:
        while True:
            try:
                holds, evidence = doing.hands.holds(expect, run.results)
            except UserError as error:
                holds, evidence = False, error.message
                deadline = max(deadline, min(clock.monotonic() + VERIFY_SECONDS, away_until))
            if holds:
                if not (run.evidence and run.evidence[-1].endswith(evidence)):  # seen when the answer was lost
                    run.evidence.append(evidence)
                break
            if clock.monotonic() > deadline:
                raise Unsure(f"the pool reported success, but {evidence}")
            yield AGAIN_SECONDS
