"""Waiting, as a step of a plan: nothing is sent; what the step expects is looked at until it is so, or as long as it
has to stay so.

It can take minutes in which no pool answers (a coordinator reboots, a host joins), and a restart of the bot: the limit
counts from when the wait began.
"""

from __future__ import annotations

from bot.errors import UserError
from bot.execution.telling import Teller
from bot.model.plan import USUAL_AWAY_SECONDS
from bot.ports import Clock
from bot.run import Cancelled, Doing, Failed, LeaseLost, Pieces
from bot.text import duration, plural

POLL_SECONDS = 1.0
WATCH_SECONDS = 3.0
"""Between the looks at what has to stay so."""
LEAST_LOOKS = 5
"""However long one look takes."""


def wait(doing: Doing, clock: Clock, teller: Teller, *, waited_before: float = 0.0) -> Pieces[None]:
    """Wait for what the step expects, and say on the card for what.

    :raises Failed: it did not happen in time, or its pool was away for too long.
    :raises Cancelled: somebody cancelled it. :raises LeaseLost: another process has the request.
    """
    run, step = doing.run, doing.step
    started, answered = clock.monotonic() - waited_before, clock.monotonic()
    while True:
        _go_on(doing)
        try:
            against, seen = _look(doing)
        except UserError as error:
            against, seen = error.message, []
            away = clock.monotonic() - answered
            if away > step.away_seconds:
                raise Failed(f"no answer for {duration(away)}: {error.message}", error.remedy) from error
            normal = step.away_seconds > USUAL_AWAY_SECONDS
            told = f"{step.title} – {'away, which is normal now' if normal else 'no answer'}; waiting"
        else:
            answered = clock.monotonic()
            if not against:
                for evidence in seen:
                    run.see(evidence)
                return
            told = f"{step.title} – {against}"
        if clock.monotonic() - started > step.limit_seconds:
            raise Failed(f"it did not happen within {duration(step.limit_seconds)}: {against}")
        teller.tell(doing, 0.0, told)
        yield POLL_SECONDS


def stay(doing: Doing, clock: Clock, teller: Teller) -> Pieces[None]:
    """See that what the step expects is so, in every look for as long as the step says.

    :raises Failed: one look found otherwise, or found nothing. :raises Cancelled, LeaseLost: as :func:`wait`.
    """
    run, step = doing.run, doing.step
    began, looks = clock.monotonic(), 0
    while True:
        _go_on(doing)
        try:
            against, seen = _look(doing)
        except UserError as error:
            raise Failed(f"it cannot be told: {error.message}", error.remedy) from error
        looks, passed = looks + 1, clock.monotonic() - began
        told = f"{plural(looks, 'look')} in {duration(passed)}"
        if against:
            raise Failed(f"{against} ({told})")
        if passed >= step.lasting_seconds and looks >= LEAST_LOOKS:
            run.evidence += [f"{evidence} ({told})" for evidence in seen]
            return
        teller.tell(doing, min(passed / step.lasting_seconds, 1.0), f"{step.title} – so in {told}")
        yield WATCH_SECONDS


def _go_on(doing: Doing) -> None:
    """:raises LeaseLost, Cancelled:"""
    if doing.run.lost.is_set():
        raise LeaseLost  # before a look: what a bot sees that is being stopped proves nothing
    if doing.run.cancel.is_set() and not doing.undo:
        raise Cancelled("it was cancelled while it waited")


def _look(doing: Doing) -> tuple[str, list[str]]:
    """What is not so yet ("" when all is), and the evidence of what is."""
    seen = []
    for expect in doing.step.expect:
        holds, evidence = doing.hands.holds(expect, doing.run.results)
        if not holds:
            return evidence, []
        seen.append(evidence)
    return "", seen
