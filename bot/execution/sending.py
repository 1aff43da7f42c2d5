"""The one place where a call with effect leaves, and where it is looked for when its answer is lost."""

from __future__ import annotations

import logging

from bot.errors import OutcomeUnknown, ToolstackRefusal, UserError
from bot.execution.calls import Calls, needs
from bot.execution.telling import Teller
from bot.model import BotTarget, CallState
from bot.ports import Clock, Sighting, Taken
from bot.run import Doing, Failed, LeaseLost, Pieces, Unsure

log = logging.getLogger(__name__)

SAFE_AGAIN = "It is safe to ask again."
AGAIN_SECONDS = 1.0
"""Until the next look at a pool that does not answer."""


class Sender:
    """Sends calls, each once."""

    def __init__(self, calls: Calls, clock: Clock, teller: Teller) -> None:
        self._calls = calls
        self._clock = clock
        self._teller = teller

    def send(self, doing: Doing) -> Pieces[tuple[str, str | None]]:
        """Returns its task's uuid ("" for a synchronous call) and what a synchronous call answered; None when that is
        not known.

        :raises Failed: nothing was sent, or it was refused. :raises Unsure: it may have been taken.
        """
        run, step = doing.run, doing.step
        _check_results(doing)
        try:
            mark = doing.hands.mark(step)
        except UserError as error:
            if run.lost.is_set():
                raise LeaseLost from error
            raise Failed(f"nothing was sent: {error.message}", error.remedy) from error
        self._calls.intend(doing, mark)
        try:
            answer = doing.hands.send(step, run.results)
        except OutcomeUnknown as error:
            log.warning("%s: the answer of %s was lost: %s", run.request.id, step.call, error.message)
            return (yield from self.find(doing, mark, "the connection broke during the call")), None
        except ToolstackRefusal as error:
            self._calls.note(doing, CallState.FAILED, reason=error.message, code=error.code)
            raise Failed(error.message, error.remedy) from error
        except UserError as error:
            reason = _of_the_bot(error) if isinstance(step.target, BotTarget) else f"nothing was sent: {error.message}"
            self._calls.note(doing, CallState.NOT_TAKEN, reason=error.message)
            raise Failed(reason, error.remedy) from error
        if not step.asynchronous:
            return "", answer
        self._calls.sent(doing, answer)
        return answer, None

    def find(self, doing: Doing, mark: str, lost: str) -> Pieces[str]:
        """The task of a call whose answer was lost; "" when its effect is there already. `lost`: how that came.

        :raises Failed: it never reached the pool, or it makes no difference whether it did. :raises Unsure: it cannot
        be told.
        """
        run = doing.run
        if doing.step.prepares:
            self._calls.note(doing, CallState.UNKNOWN, reason="its answer was lost")
            raise Failed(f"the answer of a call that prepares the next step was lost ({doing.step.title})", SAFE_AGAIN)
        run.looking.add(doing.number)
        sighting = yield from self._look(doing, mark)
        run.looking.remove(doing.number)
        run.evidence.append(f"{lost}; {sighting.evidence}")
        if sighting.taken is Taken.RUNNING:
            self._calls.sent(doing, sighting.task_uuid)
            return sighting.task_uuid
        if sighting.taken is Taken.DONE:
            return ""
        if sighting.taken is Taken.NOT_TAKEN:
            self._calls.note(doing, CallState.NOT_TAKEN, reason=sighting.evidence)
            raise Failed(f"the call never reached the pool ({sighting.evidence})", SAFE_AGAIN)
        self._calls.note(doing, CallState.UNKNOWN, reason=sighting.evidence)
        raise Unsure(sighting.evidence)

    def _look(self, doing: Doing, mark: str) -> Pieces[Sighting]:
        """:raises Unsure: the pool was away for too long."""
        deadline = self._clock.monotonic() + doing.step.away_seconds
        while True:
            try:
                return doing.hands.look(doing.step, mark)
            except UserError as error:
                if self._clock.monotonic() > deadline:
                    self._calls.note(doing, CallState.UNKNOWN, reason=error.message)
                    raise Unsure(f"the answer was lost, and then: {error.message}") from error
                self._teller.tell_away(doing)
                yield AGAIN_SECONDS


def _of_the_bot(error: UserError) -> str:
    """Why the bot did not do something itself: nothing is sent anywhere then."""
    return "; ".join((error.message.rstrip("."), *error.evidence))


def _check_results(doing: Doing) -> None:
    """:raises Failed: the step needs what an earlier one answered, and that was lost with the connection."""
    for needed in needs(doing.step):
        if needed not in doing.run.results:
            prepares = doing.run.request.plan.steps[needed].prepares
            raise Failed(
                f"the answer of step {needed + 1}, which this one needs, was lost",
                SAFE_AGAIN if prepares else "See what that step made, and ask for the rest.",
            )
