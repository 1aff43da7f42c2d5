"""Reading back what should be true after a step: a task's success is believed only when the pool's state shows it."""

from __future__ import annotations

from bot.errors import UserError
from bot.model import PoolTarget, Step
from bot.ports import Clock
from bot.run import Doing, Pieces, Unsure

VERIFY_SECONDS = 10.0
"""How long an expectation may take to show after a task's success (events reach the database a little later)."""
AGAIN_SECONDS = 0.3
SETTLE_SECONDS = 3.0
"""How long the end of a VM may take to show after the task that failed."""
_MOVES = frozenset({"VM.pool_migrate", "VM.migrate_send"})


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
                run.see(evidence)
                break
            if clock.monotonic() > deadline:
                raise Unsure(f"the pool reported success, but {evidence}")
            yield AGAIN_SECONDS


def stayed(doing: Doing, clock: Clock, reason: str) -> Pieces[None]:
    """After a move to another pool that failed for this `reason`: is what should have gone still here, and only here?
    The toolstack cleans up in the other pool as well as it can, and does not say whether it could. What is seen goes
    into the evidence. Nothing is looked at after other steps.

    :raises Unsure: some of it is there, or it cannot be told.
    """
    run, step = doing.run, doing.step
    if not _goes_to_another_pool(step):
        return
    why = reason.rstrip(".")
    deadline = clock.monotonic() + VERIFY_SECONDS
    away_until = clock.monotonic() + step.away_seconds
    while True:
        try:
            seen = [(expect, *doing.hands.holds(expect, run.results)) for expect in step.expect]
        except UserError as error:
            if clock.monotonic() > away_until:
                raise Unsure(
                    f"it failed ({why}), and whether all is as before cannot be told: {error.message}"
                ) from error
            deadline = clock.monotonic() + VERIFY_SECONDS
            yield AGAIN_SECONDS
            continue
        arrived = [words for _, holds, words in seen if holds]
        if not arrived:
            run.evidence += dict.fromkeys(words for expect, _, words in seen if expect.rule)
            return
        if clock.monotonic() > deadline:
            raise Unsure(f"the pool reported a failure ({why}), but {'; '.join(arrived)}")
        yield AGAIN_SECONDS


def runs_on(doing: Doing, clock: Clock) -> Pieces[None]:
    """After a running VM failed to move within its pool: does it still run? Where its memory stood still already, the
    toolstack ends what is left of it (xapi's pool_migrate), which shows in the database a moment later. What is seen
    goes into the evidence if it does not.
    """
    run, step = doing.run, doing.step
    if step.call not in _MOVES or _goes_to_another_pool(step):
        return
    deadline = clock.monotonic() + SETTLE_SECONDS
    for expect in step.expect:
        if expect.field != "power_state":
            continue
        while clock.monotonic() <= deadline:
            try:
                holds, evidence = doing.hands.holds(expect, run.results)
            except UserError:
                return
            if not holds:
                run.evidence.append(evidence)
                return
            yield AGAIN_SECONDS


def _goes_to_another_pool(step: Step) -> bool:
    own = step.target
    others = [expect.at for expect in step.expect if isinstance(expect.at, PoolTarget)]
    return isinstance(own, PoolTarget) and any(other.pool_uuid != own.pool_uuid for other in others)
