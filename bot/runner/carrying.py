"""A running request: its steps in order, the undo of those that were done before one that failed, and its end."""

from __future__ import annotations

from bot import outcome
from bot.execution import Performer
from bot.model import Level, Result, State, Step
from bot.ports import Clock
from bot.resolve import Resolver
from bot.run import Cancelled, Doing, Failed, Run, Unsure
from bot.runner.moves import Moves


class Carrier:
    """Carries out what is RUNNING, to its end or until nobody can tell."""

    def __init__(self, resolver: Resolver, clock: Clock, performer: Performer, moves: Moves) -> None:
        self._resolver = resolver
        self._clock = clock
        self._performer = performer
        self._moves = moves

    def carry_out(self, run: Run) -> None:
        """All stages in order, the steps of one at once; on the first failure, the undo of what was done, last first.

        :raises LeaseLost: it is another process's.
        """
        started = run.request.started_at or self._clock.now()
        steps = run.request.plan.steps
        self._moves.tell(run, steps[0].title if steps else "")
        try:
            for stage in run.request.plan.stages:
                together = [self._doing(run, number, steps[number]) for number in stage]
                self._performer.perform(together, at_once=run.request.plan.at_once)
        except Cancelled as failure:
            self.go_back(run, failure, State.CANCELLED)
        except Failed as failure:
            self.go_back(run, failure, State.FAILED)
        except Unsure as doubt:
            self._moves.unknown(run, doubt.reason)
        else:
            seconds = max((self._clock.now() - started).total_seconds(), 0.0)
            if run.cancel.is_set():
                run.evidence.append("it was done before it could be cancelled")
            how, then = outcome.how(steps, run.missed), run.request.plan.afterwards
            result = Result(summary=how, lines=tuple(run.evidence), remedy=then, seconds=seconds)
            self._moves.end(run, State.SUCCEEDED, "succeeded", result, Level.WARN if run.missed else Level.OK)

    def go_back(self, run: Run, failure: Failed, state: State) -> None:
        """A step did not happen. What was done before it is undone, and said; then the request is in `state`, or
        FAILED.

        :raises LeaseLost: it is another process's.
        """
        steps, done = run.request.plan.steps, sorted(run.done)
        lines = [*run.evidence]
        undoable = outcome.undoable(steps, done)
        if undoable and run.request.state is not State.UNDOING:
            cancelled = state is State.CANCELLED
            why = Result(summary=outcome.sentence(failure.reason), remedy=failure.remedy, cancelled=cancelled)
            self._moves.must_move(run, State.UNDOING, "undoing", {"reason": failure.reason}, why)
        for number in undoable:
            try:
                self._undo(run, number, lines)
            except Failed as second:
                state = State.FAILED
                lines.append(f"could not be undone: {steps[number].title} – {second.reason}")
            except Unsure as doubt:
                self._moves.unknown(run, f"{failure.reason}; and while undoing: {doubt.reason}")
                return
        lines += outcome.standing(steps, done)
        result = Result(summary=outcome.sentence(failure.reason), lines=tuple(lines), remedy=failure.remedy)
        self._moves.end(run, state, str(state), result, Level.BAD if state is State.FAILED else Level.WARN)

    def _undo(self, run: Run, number: int, lines: list[str]) -> None:
        """Take one step back; what was done for it is added to `lines`.

        :raises Failed: it could not be taken back. :raises Unsure: nobody can tell.
        """
        steps = run.request.plan.steps
        first = sum(len(step.undo) for step in steps[:number])
        for offset, step in enumerate(steps[number].undo):
            self._performer.perform([self._doing(run, first + offset, step, undo=True)])
            lines.append(f"undone: {step.title}")

    def _doing(self, run: Run, number: int, step: Step, *, undo: bool = False) -> Doing:
        hands = self._resolver.hands(run.request, step.target)
        return Doing(run=run, hands=hands, number=number, step=step, undo=undo)
